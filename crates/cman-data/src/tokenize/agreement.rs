//! The agreement of a tokenizer with the tokens of a corpus.

use std::{collections::HashSet, ops::Range};

use serde::Serialize;

use super::{
    TokenizerConfig,
    scripts::{is_unspaced, is_wide_punctuation},
};
use crate::sentence::Sentence;

/// How many tokens of a corpus a tokenizer reproduces. The text of a sentence is its tokens as
/// [running text](running_text).
///
/// ```
/// use cman_data::{Sentence, TokenizerAgreement, TokenizerConfig};
///
/// let sentences = [Sentence::from_tokens("1", ["drug", "-", "induced", "1,000", "mg"])];
/// let best = TokenizerAgreement::best(&sentences);
/// assert_eq!((best.tokenizer, best.reproduced, best.tokens), (TokenizerConfig::ade(), 5, 5));
/// let other = TokenizerAgreement::of(TokenizerConfig::conll04(), &sentences);
/// assert_eq!((other.reproduced, other.share()), (1, 0.2));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct TokenizerAgreement {
    /// The tokenizer.
    pub tokenizer: TokenizerConfig,
    /// Tokens of the corpus that the tokenizer cuts out of the text.
    pub reproduced: usize,
    /// All tokens of the corpus.
    pub tokens: usize,
}

impl TokenizerAgreement {
    /// The named tokenizer that reproduces the most tokens; the first one of CoNLL04, ADE and characters among equals.
    pub fn best(sentences: &[Sentence]) -> Self {
        [TokenizerConfig::conll04(), TokenizerConfig::ade(), TokenizerConfig::Characters]
            .map(|tokenizer| Self::of(tokenizer, sentences))
            .into_iter()
            .reduce(|best, next| if next.reproduced > best.reproduced { next } else { best })
            .expect("there are three tokenizers")
    }

    /// The agreement of one tokenizer. For [`TokenizerConfig::Auto`] it is that of the [best](Self::best).
    pub fn of(tokenizer: TokenizerConfig, sentences: &[Sentence]) -> Self {
        if tokenizer == TokenizerConfig::Auto {
            return Self::best(sentences);
        }
        let reproduced = sentences.iter().map(|sentence| {
            let words: Vec<&str> = sentence.words().collect();
            let tokens = tokenizer.tokenize(&running_text(&words, true));
            let found = token_spans(tokens.iter().map(|token| token.text.as_str()));
            found.intersection(&token_spans(words.into_iter())).count()
        });
        let reproduced = reproduced.sum();
        Self { tokenizer, reproduced, tokens: sentences.iter().map(Sentence::len).sum() }
    }

    /// Share of the tokens that are reproduced; 1 without tokens.
    pub fn share(&self) -> f64 {
        if self.tokens == 0 { 1.0 } else { self.reproduced as f64 / self.tokens as f64 }
    }
}

/// The tokens as spans over the characters that are not white space. Spans of the tokens of the same text are
/// comparable, however it was cut.
pub fn token_spans<'a>(words: impl Iterator<Item = &'a str>) -> HashSet<Range<usize>> {
    let mut at = 0;
    words
        .map(|word| {
            let start = at;
            at += word.chars().filter(|char| !char.is_whitespace()).count();
            start..at
        })
        .collect()
}

/// Plausible raw text of these tokens: spaces between words, none before or within punctuation, none between characters
/// of scripts without spaces. `join_hyphens`: a hyphen or slash beside a word had no spaces around it.
pub fn running_text(words: &[&str], join_hyphens: bool) -> String {
    let mut text = String::new();
    let (mut quoted, mut glued) = (false, true);
    for (i, &word) in words.iter().enumerate() {
        let before = if i > 0 { words[i - 1] } else { "" };
        let after = words.get(i + 1).copied().unwrap_or_default();
        let digits = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
        let is_word = |word: &str| word.chars().all(char::is_alphanumeric) && !word.is_empty();
        let unspaced = |char: char| is_unspaced(char) || is_wide_punctuation(char);
        let closes_quote = word == "\"" && quoted;
        let opens_quote = word == "\"" && !quoted;
        quoted ^= word == "\"";
        let clitic = word.len() > 1 && word.starts_with('\'') && word[1..].starts_with(char::is_alphabetic);
        let joins = join_hyphens && matches!(word, "-" | "/") && (is_word(before) || is_word(after));
        let number = digits(before) && digits(after) && ((word == "," && after.len() == 3) || word == ":");
        let left = closes_quote
            || clitic
            || joins
            || word.starts_with(unspaced)
            || matches!(word, "," | "." | ";" | ":" | "?" | "!" | ")" | "]" | "%" | "'" | "/-" | "..." | "..");
        if !(glued || left) {
            text.push(' ');
        }
        text += word;
        glued = opens_quote || joins || number || word.ends_with(unspaced) || matches!(word, "(" | "[" | "`" | "#");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(words: &str) -> Sentence {
        Sentence::from_tokens("1", words.split(' '))
    }

    #[test]
    fn running_text_has_spaces_between_words_only() {
        for (words, text) in [
            ("\" Ann 's , \" he said ( twice ) .", "\"Ann's,\" he said (twice)."),
            ("1 , 000 at 10 : 40", "1,000 at 10:40"),
            ("王 芳 2020 年 在 Acme Inc. 工 作 。", "王芳2020年在Acme Inc.工作。"),
            ("青山 银行", "青山银行"),
        ] {
            assert_eq!(running_text(&words.split(' ').collect::<Vec<_>>(), false), text);
        }
        let words = ["drug", "-", "induced"];
        assert_eq!(running_text(&words, true), "drug-induced");
        assert_eq!(running_text(&words, false), "drug - induced");
    }

    #[test]
    fn the_best_tokenizer_is_that_of_the_corpus() {
        for (words, best, reproduced) in [
            ("Ann left .", TokenizerConfig::conll04(), 3),
            ("a half-inch of 1 , 000", TokenizerConfig::conll04(), 6),
            ("drug - induced at 10:40", TokenizerConfig::ade(), 5),
            ("王 芳 在 青 山 。", TokenizerConfig::Characters, 6),
            ("ฉั น รั ก เ ธ อ", TokenizerConfig::Characters, 7),
            ("青山 银行 在 海城", TokenizerConfig::Characters, 1),
        ] {
            let sentences = [sentence(words)];
            let found = TokenizerAgreement::of(TokenizerConfig::Auto, &sentences);
            assert_eq!((found.tokenizer, found.reproduced), (best, reproduced), "{words}");
            assert_eq!(found.tokens, words.split(' ').count());
        }
        let none = TokenizerAgreement::best(&[]);
        assert_eq!((none.tokenizer, none.share()), (TokenizerConfig::conll04(), 1.0));
    }
}
