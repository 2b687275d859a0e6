//! Word splitting.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::{
    TokenizerConfig, WordRules,
    abbreviations::{Kind, kind},
    is_space,
    scripts::{is_unspaced, is_wide_punctuation},
    sentences::{is_closing, is_opening},
};

/// The tokens of a sentence, as ranges of characters.
pub(super) fn split(chars: &[char], config: TokenizerConfig) -> Vec<Range<usize>> {
    let mut splitter = Splitter {
        chars,
        rules: config.rules(),
        by_character: config == TokenizerConfig::Characters,
        tokens: Vec::new(),
    };
    let last = chars.iter().rposition(|&char| !is_space(char) && !is_closing(char));
    let mut at = 0;
    while at < chars.len() {
        if is_space(chars[at]) {
            at += 1;
            continue;
        }
        let end = chars[at..].iter().position(|&char| is_space(char)).map_or(chars.len(), |length| at + length);
        splitter.between_spaces(at..end, last.unwrap_or_default());
        at = end;
    }
    splitter.tokens
}

struct Splitter<'a> {
    chars: &'a [char],
    rules: WordRules,
    /// Whether each character of a script without spaces is a token.
    by_character: bool,
    tokens: Vec<Range<usize>>,
}

impl Splitter<'_> {
    /// Splits the characters between white space. `last` is the last character of the last word of the sentence.
    fn between_spaces(&mut self, range: Range<usize>, last: usize) {
        if self.chars[range.clone()].iter().all(char::is_ascii) {
            return self.chunk(range.clone(), last < range.end);
        }
        let text: String = self.chars[range.clone()].iter().collect();
        let (mut start, mut at) = (range.start, range.start);
        for grapheme in text.graphemes(true) {
            let end = at + grapheme.chars().count();
            let first = self.chars[at];
            if is_wide_punctuation(first) || (self.by_character && is_unspaced(first)) {
                self.chunk(start..at, last < at);
                self.tokens.push(at..end);
                start = end;
            }
            at = end;
        }
        self.chunk(start..at, last < at);
    }

    /// Splits a chunk without such characters; `last` tells whether it has the last word of the sentence.
    fn chunk(&mut self, chunk: Range<usize>, last: bool) {
        let (mut start, mut end) = (chunk.start, chunk.end);
        while start < end {
            let length = self.prefix(start..end);
            if length == 0 {
                break;
            }
            self.tokens.push(start..start + length);
            start += length;
        }
        let mut suffixes = Vec::new();
        while start < end {
            let length = self.suffix(start..end, end == chunk.end, last);
            if length == 0 {
                break;
            }
            suffixes.push(end - length..end);
            end -= length;
        }
        if start < end {
            self.inside(start..end);
        }
        self.tokens.extend(suffixes.into_iter().rev());
    }

    /// Length of the token that is split off at the start of the range; 0 if there is none.
    fn prefix(&self, range: Range<usize>) -> usize {
        let chars = &self.chars[range];
        let next = chars.get(1).copied().unwrap_or(' ');
        match chars[0] {
            '-' | '.' => run(chars.iter()),
            '\'' | '’' if is_clitic(&chars[1..]) || next.is_ascii_digit() => 0,
            '\'' | '’' | ',' | ';' | ':' | '?' | '!' | '<' | '>' | '=' | '#' | '*' | '+' | '—' | '…' => 1,
            char => usize::from(is_opening(char) || is_closing(char)),
        }
    }

    /// Length of the token that is split off at the end of the range; 0 if there is none.
    fn suffix(&self, range: Range<usize>, outermost: bool, last: bool) -> usize {
        let chars = &self.chars[range];
        let before = chars.len().checked_sub(2).map_or(' ', |i| chars[i]);
        match chars[chars.len() - 1] {
            '-' if self.rules.split_hyphens && before.is_alphabetic() => 1,
            '-' => run(chars.iter().rev()),
            '.' if before == '.' => run(chars.iter().rev()),
            '.' => usize::from(last || (!outermost && ends_before_closing(&chars[..chars.len() - 1]))),
            '%' => usize::from(before.is_ascii_digit()),
            ',' | ';' | ':' | '?' | '!' | '—' | '…' => 1,
            char => usize::from(is_opening(char) || is_closing(char)),
        }
    }

    /// Splits a word without punctuation at its ends.
    fn inside(&mut self, word: Range<usize>) {
        let text: String = self.chars[word.clone()].iter().collect();
        let whole = text.contains("://") || text.contains('@') || text.eq_ignore_ascii_case("and/or");
        let mut start = word.start;
        let mut at = word.start + 1;
        while !whole && at + 1 < word.end {
            let length = self.infix(at, word.end);
            if length == 0 {
                at += 1;
                continue;
            }
            if start < at {
                self.tokens.push(start..at);
            }
            start = at;
            at += length;
            // An apostrophe belongs to the characters after it.
            if !matches!(self.chars[start], '\'' | '’') {
                self.tokens.push(start..at);
                start = at;
            }
        }
        self.tokens.push(start..word.end);
    }

    /// Length of the separator at `at` within a word; 0 if there is none.
    fn infix(&self, at: usize, end: usize) -> usize {
        let (before, char, after) = (self.chars[at - 1], self.chars[at], self.chars[at + 1]);
        let letters = before.is_alphabetic() && after.is_alphabetic();
        let digits = before.is_ascii_digit() && after.is_ascii_digit();
        let separates = match char {
            '-' | '.' if char == after => {
                let length = run(self.chars[at..end].iter());
                return if at + length < end { length } else { 0 };
            }
            '\'' | '’' => before.is_alphanumeric() && after.is_alphabetic(),
            ',' | ':' => letters || (digits && self.rules.split_numbers),
            '-' | '–' => self.rules.split_hyphens && (letters || digits || is_closing(before)),
            '/' => self.rules.split_hyphens && before.is_alphanumeric() && after.is_alphabetic(),
            ')' | ']' => after == '-',
            '—' | '…' => true,
            _ => false,
        };
        usize::from(separates)
    }
}

/// The length of the run of equal characters at the start; 0 if it is 1.
fn run<'a>(mut chars: impl Iterator<Item = &'a char>) -> usize {
    let Some(first) = chars.next() else { return 0 };
    match chars.take_while(|&char| char == first).count() {
        0 => 0,
        more => more + 1,
    }
}

/// Whether the period between a word and a closing quote or bracket is a token.
fn ends_before_closing(word: &[char]) -> bool {
    matches!(kind(word), Kind::Word | Kind::BeforeNumber)
}

/// Whether the characters after an apostrophe form a clitic, such as `s`, `re` or `ll`.
fn is_clitic(chars: &[char]) -> bool {
    let text: String = chars.iter().take_while(|char| char.is_alphanumeric()).collect::<String>().to_lowercase();
    matches!(text.as_str(), "s" | "t" | "d" | "m" | "re" | "ve" | "ll" | "em")
}
