//! Sentence splitting and tokenization of raw text, in the style of the corpora.

mod abbreviations;
mod agreement;
mod config;
mod initials;
mod scripts;
mod sentences;
mod words;

use std::ops::Range;

use crate::{
    id::Id,
    sentence::{Sentence, Token},
};

pub use agreement::{TokenizerAgreement, running_text, token_spans};
pub use config::{TokenizerConfig, WordRules};
pub use scripts::is_unsegmented;

/// A sentence of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawSentence {
    /// Start of the sentence in the text, in Unicode scalar values.
    pub offset: usize,
    /// The sentence with its [`text`](Sentence::text). The id is its number in the text, from 1. Token ranges are
    /// relative to the start of the sentence.
    pub sentence: Sentence,
}

impl TokenizerConfig {
    /// Splits a text of any number of sentences into tokens with their character ranges.
    pub fn tokenize(&self, text: &str) -> Vec<Token> {
        let chars: Vec<char> = text.chars().collect();
        split_sentences(text).into_iter().flat_map(|range| self.tokens(&chars, range)).collect()
    }

    /// Splits a text into sentences with tokens. A text without tokens has no sentences.
    pub fn sentences(&self, text: &str) -> Vec<RawSentence> {
        let chars: Vec<char> = text.chars().collect();
        let ranges = split_sentences(text).into_iter().zip(1..);
        ranges
            .map(|(range, number)| {
                let offset = range.start;
                let mut tokens = self.tokens(&chars, range.clone());
                for chars in tokens.iter_mut().filter_map(|token| token.chars.as_mut()) {
                    *chars = chars.start - offset..chars.end - offset;
                }
                let text = Some(chars[range].iter().collect());
                RawSentence { offset, sentence: Sentence { id: Id::from(number), text, tokens, ..Sentence::default() } }
            })
            .collect()
    }

    /// The tokens of one sentence of the text. Their ranges are those in the text.
    pub(crate) fn tokens(&self, chars: &[char], sentence: Range<usize>) -> Vec<Token> {
        let start = sentence.start;
        let text = &chars[sentence];
        let ranges = words::split(text, *self);
        ranges
            .into_iter()
            .map(|range| Token {
                text: text[range.clone()].iter().collect(),
                chars: Some(range.start + start..range.end + start),
            })
            .collect()
    }
}

/// Splits a text into sentences: nonempty ranges of Unicode scalar values without leading or trailing white space.
///
/// The boundaries are those of Unicode Standard Annex 29, except after abbreviations. A blank line ends a sentence, a
/// single line end does not. `。`, `！` and `？` need no space after them.
///
/// ```
/// assert_eq!(cman_data::split_sentences("Dr. Wu left. He ran."), [0..12, 13..20]);
/// assert_eq!(cman_data::split_sentences("王芳走了。她在家！"), [0..5, 5..9]);
/// ```
pub fn split_sentences(text: &str) -> Vec<Range<usize>> {
    sentences::split(text)
}

/// Splits a text into tokens with their character ranges, with the [default](TokenizerConfig::default) rules.
pub fn tokenize(text: &str) -> Vec<Token> {
    TokenizerConfig::default().tokenize(text)
}

/// Splits a text into sentences with tokens, with the [default](TokenizerConfig::default) rules.
///
/// ```
/// let sentences = cman_data::sentences_from_text("Zoë lives in Bonn. Ann, too.");
/// assert_eq!(sentences[1].offset, 19);
/// let ann = &sentences[1].sentence;
/// assert_eq!(ann.words().collect::<Vec<_>>(), ["Ann", ",", "too", "."]);
/// assert_eq!((ann.text.as_deref(), ann.tokens[1].chars.clone()), (Some("Ann, too."), Some(3..4)));
/// ```
pub fn sentences_from_text(text: &str) -> Vec<RawSentence> {
    TokenizerConfig::default().sentences(text)
}

/// Whether a character separates tokens: white space, control characters and the byte-order mark.
fn is_space(char: char) -> bool {
    char.is_whitespace() || char.is_control() || char == '\u{FEFF}'
}
