//! Raw text to sentences and tokens, in the manner of the corpora.

mod abbreviations;
mod sentences;
mod words;

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::{Sentence, Token};

/// How to take text apart; the default is CoNLL04's way.
///
/// The rules are made for English. A word keeps the period of an abbreviation (`Mrs.`, `U.S.`, `Inc.`) but the period
/// that ends a sentence is a token of its own, even behind an abbreviation (`U.S` and `.`). Quotes, brackets, commas
/// and the like are tokens, `''` is two and `--` is one. `'s`, `'t` and everything else that stands behind an
/// apostrophe inside a word is split off. Words with hyphens stay whole unless `split_hyphens`, amounts such as `$100`
/// and numbers such as `1.5` always do.
///
/// ```
/// use cman_data::TokenizerConfig;
///
/// let words = |config: TokenizerConfig, text: &str| -> Vec<String> {
///     config.tokenize(text).into_iter().map(|token| token.text).collect()
/// };
/// let text = "Mrs. Ray's self-propelled 1,000-ton ship left.";
/// assert_eq!(
///     words(TokenizerConfig::conll04(), text),
///     ["Mrs.", "Ray", "'s", "self-propelled", "1", ",", "000-ton", "ship", "left", "."]
/// );
/// assert_eq!(
///     words(TokenizerConfig::ade(), text),
///     ["Mrs.", "Ray", "'s", "self", "-", "propelled", "1,000-ton", "ship", "left", "."]
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenizerConfig {
    /// Whether a hyphen or slash between letters is a token: `drug`, `-`, `induced`. ADE has it so, CoNLL04 does not.
    pub split_hyphens: bool,
    /// Whether a comma or colon between digits is a token: `1`, `,`, `000`. CoNLL04 has it so, ADE does not.
    pub split_numbers: bool,
}

impl Default for TokenizerConfig {
    fn default() -> Self {
        Self::conll04()
    }
}

/// A sentence found in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawSentence {
    /// Where the sentence starts in the text, in Unicode scalar values.
    pub offset: usize,
    /// The sentence with its own [`text`](Sentence::text); the id is its number in the text, from 1. The places of its
    /// tokens count from the start of the sentence.
    pub sentence: Sentence,
}

impl TokenizerConfig {
    /// CoNLL04's way.
    pub const fn conll04() -> Self {
        Self { split_hyphens: false, split_numbers: true }
    }

    /// ADE's way.
    pub const fn ade() -> Self {
        Self { split_hyphens: true, split_numbers: false }
    }

    /// The tokens of a text of any number of sentences, with their places in it.
    pub fn tokenize(&self, text: &str) -> Vec<Token> {
        let chars: Vec<char> = text.chars().collect();
        split_sentences(text).into_iter().flat_map(|range| self.tokens(&chars, range)).collect()
    }

    /// The sentences of a text with their tokens. A text without any token has no sentence.
    pub fn sentences(&self, text: &str) -> Vec<RawSentence> {
        let chars: Vec<char> = text.chars().collect();
        let ranges = split_sentences(text).into_iter().zip(1..);
        ranges
            .map(|(range, number)| {
                let offset = range.start;
                let mut tokens = self.tokens(&chars, range.clone());
                for place in tokens.iter_mut().filter_map(|token| token.chars.as_mut()) {
                    *place = place.start - offset..place.end - offset;
                }
                let text = Some(chars[range].iter().collect());
                RawSentence {
                    offset,
                    sentence: Sentence { id: format!("{number}"), text, tokens, ..Sentence::default() },
                }
            })
            .collect()
    }

    /// The tokens of one sentence of the text.
    fn tokens(&self, chars: &[char], sentence: Range<usize>) -> Vec<Token> {
        let start = sentence.start;
        let text = &chars[sentence];
        let ranges = words::split(text, self);
        ranges
            .into_iter()
            .map(|range| Token {
                text: text[range.clone()].iter().collect(),
                chars: Some(range.start + start..range.end + start),
            })
            .collect()
    }
}

/// The sentences of a text, as ranges of Unicode scalar values: neither empty nor with space at their ends.
///
/// The boundaries are those of Unicode Standard Annex 29, less those behind abbreviations. A blank line ends a sentence,
/// a single line end does not.
///
/// ```
/// assert_eq!(cman_data::split_sentences("Dr. Wu left. He ran."), [0..12, 13..20]);
/// ```
pub fn split_sentences(text: &str) -> Vec<Range<usize>> {
    sentences::split(text)
}

/// The tokens of a text in the [default](TokenizerConfig::default) way, with their places in it.
pub fn tokenize(text: &str) -> Vec<Token> {
    TokenizerConfig::default().tokenize(text)
}

/// The sentences of a text with their tokens in the [default](TokenizerConfig::default) way.
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
