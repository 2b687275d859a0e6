//! Tokens with more characters than a model reads.

use std::fmt;

use crate::{encode::MAX_CHARACTERS, sentence::Sentence};

/// The tokens of which a model reads only the first [`MAX_CHARACTERS`] characters.
///
/// ```
/// use cman_data::{LongTokens, Sentence};
///
/// let mut long = LongTokens::default();
/// long.count(&Sentence::from_tokens("7", ["a", &"b".repeat(300)]), "sentence 7");
/// assert_eq!(
///     long.to_string(),
///     "1 token has more than 256 characters (sentence 7: 300): the character encoder reads its first 256"
/// );
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LongTokens {
    count: usize,
    /// The place of the first one and its number of characters.
    first: Option<(String, usize)>,
}

impl LongTokens {
    /// The long tokens of a corpus. A place is the number of the sentence, from 1.
    pub fn of(sentences: &[Sentence]) -> Self {
        let mut long = Self::default();
        for (i, sentence) in sentences.iter().enumerate() {
            long.count(sentence, format_args!("sentence {}", i + 1));
        }
        long
    }

    /// Counts the long tokens of a sentence at this place.
    pub fn count(&mut self, sentence: &Sentence, place: impl fmt::Display) {
        // The number of bytes is known; it is at least that of the characters.
        for word in sentence.words().filter(|word| word.len() > MAX_CHARACTERS) {
            let characters = word.chars().count();
            if characters > MAX_CHARACTERS {
                self.count += 1;
                self.first.get_or_insert_with(|| (place.to_string(), characters));
            }
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl fmt::Display for LongTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (tokens, their) = if self.count == 1 { ("token has", "its") } else { ("tokens have", "their") };
        write!(f, "{} {tokens} more than {MAX_CHARACTERS} characters", self.count)?;
        if let Some((place, characters)) = &self.first {
            write!(f, " ({place}: {characters})")?;
        }
        write!(f, ": the character encoder reads {their} first {MAX_CHARACTERS}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_count_not_bytes() {
        let sentences = [
            Sentence::from_tokens("a", ["é".repeat(MAX_CHARACTERS)]),
            Sentence::from_tokens("b", ["é".repeat(MAX_CHARACTERS + 1), "x".repeat(999)]),
        ];
        assert!(LongTokens::of(&sentences[..1]).is_empty());
        assert_eq!(
            LongTokens::of(&sentences).to_string(),
            "2 tokens have more than 256 characters (sentence 2: 257): the character encoder reads their first 256"
        );
    }
}
