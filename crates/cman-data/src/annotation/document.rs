//! An annotated document: text with typed spans of characters and relations between them.

use std::ops::Range;

use crate::id::Id;

/// An annotated document. [`Document::sentences`] converts it.
///
/// All offsets count Unicode scalar values in [`text`](Self::text). Ends are exclusive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// The id. A document of several sentences gives them the ids `ID-1`, `ID-2`, .. In a file with such a document, the
    /// others have ids with a number too.
    pub id: Id,
    /// The text.
    pub text: String,
    /// Where the tokens come from.
    pub tokens: DocumentTokens,
    /// The entities.
    pub spans: Vec<DocumentSpan>,
    /// The relations.
    pub relations: Vec<DocumentRelation>,
}

/// Where the tokens of a document come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DocumentTokens {
    /// The text is split into sentences and tokens.
    #[default]
    FromText,
    /// The tokens are given. The text is split into sentences.
    Given(Vec<Range<usize>>),
    /// The tokens of each sentence are given.
    Sentences(Vec<Vec<Range<usize>>>),
    /// The tokens of each sentence are given; the text is only the tokens, joined by spaces.
    WithoutText(Vec<Vec<Range<usize>>>),
}

/// A typed span of characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentSpan {
    /// The entity type.
    pub kind: String,
    /// The characters.
    pub chars: Range<usize>,
    /// The name in messages, such as `T1` or `entities[0]`.
    pub name: String,
}

/// A typed relation between two spans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentRelation {
    /// The relation type.
    pub kind: String,
    /// First argument: index into [`Document::spans`].
    pub head: usize,
    /// Second argument: index into [`Document::spans`].
    pub tail: usize,
    /// The name in messages, such as `R1` or `relations[0]`.
    pub name: String,
}

impl Document {
    /// A document that is only tokens: the text is the tokens, joined by spaces.
    pub fn from_tokens<S: AsRef<str>>(id: Id, sentences: &[Vec<S>]) -> Self {
        let (mut text, mut at) = (String::new(), 0);
        let mut token = |word: &S| {
            if at > 0 {
                text.push(' ');
                at += 1;
            }
            let start = at;
            text += word.as_ref();
            at += word.as_ref().chars().count();
            start..at
        };
        let tokens = sentences.iter().map(|words| words.iter().map(&mut token).collect()).collect();
        Self { id, text, tokens: DocumentTokens::WithoutText(tokens), ..Self::default() }
    }

    /// The ranges of all given tokens, in order.
    pub(crate) fn given_tokens(&self) -> Vec<Range<usize>> {
        match &self.tokens {
            DocumentTokens::FromText => Vec::new(),
            DocumentTokens::Given(tokens) => tokens.clone(),
            DocumentTokens::Sentences(sentences) | DocumentTokens::WithoutText(sentences) => sentences.concat(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_make_a_text() {
        let document = Document::from_tokens("1".into(), &[vec!["Zoë", "left"], vec![], vec!["😀", ""]]);
        assert_eq!(document.text, "Zoë left 😀 ");
        assert_eq!(document.given_tokens(), [0..3, 4..8, 9..10, 11..11]);
    }
}
