//! The text of a sentence that is written, with the characters of its tokens.

use std::ops::Range;

use crate::{
    error::DataError,
    sentence::{Entity, Sentence},
};

/// A text and the characters of each token.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SentenceText {
    pub(super) text: String,
    pub(super) tokens: Vec<Range<usize>>,
}

impl SentenceText {
    /// The raw text, if the sentence has one and each token is where it says; else the tokens, joined by spaces.
    pub(super) fn of(sentence: &Sentence) -> Self {
        Self::raw(sentence).unwrap_or_else(|| Self::joined(sentence))
    }

    fn raw(sentence: &Sentence) -> Option<Self> {
        let text = sentence.text.as_ref()?;
        let chars: Vec<char> = text.chars().collect();
        let mut end = 0;
        let mut tokens = Vec::with_capacity(sentence.len());
        for token in &sentence.tokens {
            let range = token.chars.clone()?;
            let is_here = end <= range.start && chars.get(range.clone())?.iter().copied().eq(token.text.chars());
            if !is_here {
                return None;
            }
            end = range.end;
            tokens.push(range);
        }
        Some(Self { text: text.clone(), tokens })
    }

    fn joined(sentence: &Sentence) -> Self {
        let mut at = 0;
        let mut range = |word: &str| {
            let start = at;
            at += word.chars().count() + 1;
            start..at - 1
        };
        let tokens = sentence.words().map(&mut range).collect();
        Self { text: sentence.words().collect::<Vec<_>>().join(" "), tokens }
    }

    /// The characters of an entity.
    pub(super) fn chars(&self, entity: &Entity) -> Range<usize> {
        self.tokens[entity.start].start..self.tokens[entity.end - 1].end
    }

    /// The text of an entity.
    pub(super) fn surface(&self, entity: &Entity) -> String {
        let chars = self.chars(entity);
        self.text.chars().skip(chars.start).take(chars.len()).collect()
    }
}

/// Whether the sentence has a raw text.
pub(super) fn has_raw_text(sentence: &Sentence) -> bool {
    sentence.text.is_some()
}

/// The sentence as one JSON value on one line.
pub(super) fn to_json(value: &impl serde::Serialize) -> Result<String, DataError> {
    serde_json::to_string(value).map_err(|error| DataError::Io { at: Box::default(), source: error.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_text_is_kept_and_tokens_are_joined() {
        let mut sentence = Sentence::from_tokens("1", ["😀", ",", "e\u{301}"]);
        let text = SentenceText::of(&sentence);
        assert_eq!((text.text.as_str(), text.tokens.as_slice()), ("😀 , e\u{301}", &[0..1, 2..3, 4..6][..]));
        sentence.text = Some("😀, e\u{301}".into());
        for (token, chars) in sentence.tokens.iter_mut().zip([0..1, 1..2, 3..5]) {
            token.chars = Some(chars);
        }
        let text = SentenceText::of(&sentence);
        assert_eq!((text.text.as_str(), text.tokens[2].clone()), ("😀, e\u{301}", 3..5));
        assert_eq!(text.surface(&Entity::new("X", 0..2)), "😀,");
        sentence.tokens[2].chars = Some(3..99);
        assert_eq!(SentenceText::of(&sentence).text, "😀 , e\u{301}", "wrong ranges are not used");
    }
}
