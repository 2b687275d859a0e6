//! Sentence splitting.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::{
    abbreviations::{Kind, is_starter, kind},
    is_space,
};

/// The sentences of a text, as ranges of characters without leading or trailing white space.
pub(super) fn split(text: &str) -> Vec<Range<usize>> {
    // Annex 29 ends a sentence at every line end, so line ends within a paragraph are replaced by spaces.
    let spaced: String = text.chars().map(|char| if is_space(char) { ' ' } else { char }).collect();
    let spaced: Vec<char> = spaced.chars().collect();
    let mut sentences = Vec::new();
    for paragraph in paragraphs(text) {
        let mut start = paragraph.start;
        let mut at = paragraph.start;
        let line: String = spaced[paragraph.clone()].iter().collect();
        for part in line.split_sentence_bounds() {
            at += part.chars().count();
            if at == paragraph.end || is_end(&spaced[start..at], &spaced[at..paragraph.end]) {
                sentences.extend(trim(&spaced, start..at));
                start = at;
            }
        }
    }
    sentences
}

/// The parts of a text between blank lines, as ranges of characters.
fn paragraphs(text: &str) -> Vec<Range<usize>> {
    let mut paragraphs = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in text.split_inclusive('\n') {
        let end = at + line.chars().count();
        if line.chars().all(is_space) {
            paragraphs.push(start..at);
            start = end;
        }
        at = end;
    }
    paragraphs.push(start..at);
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs
}

/// The range without leading and trailing white space; `None` if nothing remains.
fn trim(chars: &[char], range: Range<usize>) -> Option<Range<usize>> {
    let first = chars[range.clone()].iter().position(|&char| !is_space(char))?;
    let last = chars[range.clone()].iter().rposition(|&char| !is_space(char))?;
    Some(range.start + first..range.start + last + 1)
}

/// Whether a sentence ends between `before` and `after`, at a boundary of Annex 29.
fn is_end(before: &[char], after: &[char]) -> bool {
    let next = after.iter().position(|&char| !is_space(char) && !is_opening(char)).map_or(&[][..], |i| &after[i..]);
    if next.first().is_some_and(|char| char.is_lowercase() || matches!(char, '-' | '–' | '—' | '_')) {
        return false;
    }
    let end = before.iter().rposition(|&char| !is_space(char) && !is_closing(char)).map_or(0, |last| last + 1);
    if before[..end].last() != Some(&'.') {
        return end > 0;
    }
    let start = before[..end].iter().rposition(|&char| is_space(char) || is_opening(char)).map_or(0, |gap| gap + 1);
    let last = &before[start..end - 1];
    let numbered = before[..start].iter().all(|&char| is_space(char)) && last.iter().all(char::is_ascii_digit);
    match kind(last) {
        _ if numbered => false,
        Kind::Word => true,
        Kind::Abbreviation => is_starter(&next.iter().take_while(|char| char.is_alphanumeric()).collect::<String>()),
        Kind::BeforeNumber => !next.first().is_some_and(char::is_ascii_digit),
        Kind::Title => false,
    }
}

/// Whether a character closes a quote or bracket.
pub(super) fn is_closing(char: char) -> bool {
    matches!(char, ')' | ']' | '}' | '"' | '\'' | '”' | '’' | '»')
}

/// Whether a character opens a quote or bracket.
pub(super) fn is_opening(char: char) -> bool {
    matches!(char, '(' | '[' | '{' | '"' | '`' | '“' | '‘' | '«' | '„')
}
