//! Sentence splitting and tokenization of raw text, in the style of the corpora.

mod abbreviations;
mod sentences;
mod words;

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::{
    id::Id,
    sentence::{Sentence, Token},
};

/// Tokenization rules. The default is the style of CoNLL04.
///
/// The rules are for English. An abbreviation keeps its period (`Mrs.`, `U.S.`, `Inc.`), but the period that ends a
/// sentence is a separate token, even after an abbreviation (`U.S` and `.`). Quotes, brackets, commas and similar
/// characters are tokens; `''` is two tokens, `--` is one. A word is split before an apostrophe and what follows it,
/// such as `'s` or `'t`. Hyphenated words are not split unless `split_hyphens` is set. Amounts such as `$100` and
/// numbers such as `1.5` are never split.
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
    /// Whether a hyphen or slash between letters is a token, as in ADE: `drug`, `-`, `induced`.
    pub split_hyphens: bool,
    /// Whether a comma or colon between digits is a token, as in CoNLL04: `1`, `,`, `000`.
    pub split_numbers: bool,
}

impl Default for TokenizerConfig {
    fn default() -> Self {
        Self::conll04()
    }
}

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
    /// The style of CoNLL04.
    pub const fn conll04() -> Self {
        Self { split_hyphens: false, split_numbers: true }
    }

    /// The style of ADE.
    pub const fn ade() -> Self {
        Self { split_hyphens: true, split_numbers: false }
    }

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
                RawSentence {
                    offset,
                    sentence: Sentence { id: Id::from(number), text, tokens, ..Sentence::default() },
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

/// Splits a text into sentences: nonempty ranges of Unicode scalar values without leading or trailing white space.
///
/// The boundaries are those of Unicode Standard Annex 29, except after abbreviations. A blank line ends a sentence, a
/// single line end does not.
///
/// ```
/// assert_eq!(cman_data::split_sentences("Dr. Wu left. He ran."), [0..12, 13..20]);
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
