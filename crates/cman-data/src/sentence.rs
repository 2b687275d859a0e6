//! The document model: a tokenised sentence with typed entities and typed, directed relations.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::id::Id;

/// One token of a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Token {
    /// The token as written.
    pub text: String,
    /// The token's range in [`Sentence::text`], in Unicode scalar values; `None` if the corpus has no raw text.
    pub chars: Option<Range<usize>>,
}

impl Token {
    /// A token of a corpus without raw text.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), chars: None }
    }
}

/// A typed span of tokens.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Entity {
    /// The entity type, such as `Peop`.
    #[serde(rename = "type")]
    pub kind: String,
    /// First token.
    pub start: usize,
    /// One past the last token.
    pub end: usize,
}

impl Entity {
    /// An entity of type `kind` over the tokens `span`.
    pub fn new(kind: impl Into<String>, span: Range<usize>) -> Self {
        Self { kind: kind.into(), start: span.start, end: span.end }
    }

    /// The tokens of the entity.
    pub fn span(&self) -> Range<usize> {
        self.start..self.end
    }

    /// Whether the two entities share a token.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }
}

/// A typed relation from a head entity (first argument) to a tail entity (second argument).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Relation {
    /// The relation type, such as `Live_In`.
    #[serde(rename = "type")]
    pub kind: String,
    /// First argument: index into [`Sentence::entities`].
    pub head: usize,
    /// Second argument: index into [`Sentence::entities`].
    pub tail: usize,
}

impl Relation {
    /// A relation of type `kind` from the entity `head` to the entity `tail`.
    pub fn new(kind: impl Into<String>, head: usize, tail: usize) -> Self {
        Self { kind: kind.into(), head, tail }
    }
}

/// A tokenised sentence with optional annotation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sentence {
    /// The corpus's id of the sentence, or its record number.
    pub id: Id,
    /// The raw text, if the corpus has it.
    pub text: Option<String>,
    /// The tokens, in order.
    pub tokens: Vec<Token>,
    /// The entities, in source order.
    pub entities: Vec<Entity>,
    /// The relations, in source order.
    pub relations: Vec<Relation>,
}

impl Sentence {
    /// A sentence without annotation and raw text.
    pub fn from_tokens<S: Into<String>>(id: impl Into<Id>, tokens: impl IntoIterator<Item = S>) -> Self {
        Self { id: id.into(), tokens: tokens.into_iter().map(Token::new).collect(), ..Self::default() }
    }

    /// Number of tokens.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether the sentence has no tokens.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// The words of the sentence.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.tokens.iter().map(|token| token.text.as_str())
    }

    /// The text of a span of tokens: a slice of the raw text, or the tokens joined by spaces if there is none.
    ///
    /// # Panics
    /// If the span extends past the sentence.
    pub fn span_text(&self, span: Range<usize>) -> String {
        let tokens = &self.tokens[span];
        if let (Some(text), Some(first), Some(last)) = (&self.text, tokens.first(), tokens.last())
            && let (Some(from), Some(to)) = (&first.chars, &last.chars)
        {
            return text.chars().skip(from.start).take(to.end - from.start).collect();
        }
        tokens.iter().map(|token| token.text.as_str()).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn span_text_keeps_the_spacing_of_the_raw_text() {
        let mut sentence = Sentence::from_tokens("1", ["Zürich", ",", "Bern"]);
        assert_eq!(sentence.span_text(0..2), "Zürich ,");
        sentence.text = Some("Zürich, Bern".into());
        for (token, chars) in sentence.tokens.iter_mut().zip([0..6, 6..7, 8..12]) {
            token.chars = Some(chars);
        }
        assert_eq!(sentence.span_text(0..3), "Zürich, Bern");
        assert_eq!(sentence.span_text(2..3), "Bern");
    }

    #[test]
    fn spans_overlap_when_they_share_a_token() {
        let a = Entity::new("X", 1..3);
        assert!(a.overlaps(&Entity::new("X", 2..4)) && a.overlaps(&Entity::new("Y", 0..9)));
        assert!(!a.overlaps(&Entity::new("X", 3..4)) && !a.overlaps(&Entity::new("X", 0..1)));
    }
}
