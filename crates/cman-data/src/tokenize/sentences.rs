//! Sentence splitting.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::{
    abbreviations::{Kind, is_starter, kind},
    initials::is_part_of_term,
    is_space,
    scripts::{is_unspaced, is_wide_punctuation},
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
            // Annex 29 puts a quote that opens right after the mark into the sentence before it: 走了。“好
            let end = at - opening_suffix(&spaced[start..at]);
            if at == paragraph.end {
                sentences.extend(trim(&spaced, start..at));
            } else if is_end(&spaced[start..end], &spaced[end..paragraph.end]) {
                sentences.extend(trim(&spaced, start..end));
                start = end;
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

/// The number of characters at the end that open a quote or bracket, and cannot close one.
fn opening_suffix(chars: &[char]) -> usize {
    chars.iter().rev().take_while(|&&char| is_opening(char) && !is_closing(char)).count()
}

/// Whether a sentence ends between `before` and `after`, at a boundary of Annex 29.
fn is_end(before: &[char], after: &[char]) -> bool {
    let end = before.iter().rposition(|&char| !is_space(char) && !is_closing(char)).map_or(0, |last| last + 1);
    let (before, closing) = before.split_at(end);
    let Some(&mark) = before.last() else { return false };
    let next = after.iter().position(|&char| !is_space(char) && !is_opening(char)).map_or(&[][..], |i| &after[i..]);
    match next.first() {
        Some('-' | '–' | '—' | '_') => return false,
        Some(char) if char.is_lowercase() && !is_wide_punctuation(mark) => return false,
        // A particle goes on after a quotation: 「はい。」と言った。
        Some('と' | 'っ') if matches!(closing, [.., '」' | '』']) => return false,
        _ => {}
    }
    mark != '.' || is_end_after_word(&before[..end - 1], next)
}

/// Whether the period after `text` ends a sentence, if `next` follows.
fn is_end_after_word(text: &[char], next: &[char]) -> bool {
    let separates = |char| is_space(char) || is_opening(char) || is_unspaced(char) || is_wide_punctuation(char);
    let start = text.iter().rposition(|&char| separates(char)).map_or(0, |gap| gap + 1);
    let (before, last) = text.split_at(start);
    let numbered = before.iter().all(|&char| is_space(char)) && last.iter().all(char::is_ascii_digit);
    let mut words = next.split(|char| !char.is_alphanumeric()).map(|word| word.iter().collect::<String>());
    let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    match kind(last) {
        _ if numbered => false,
        Kind::Word => true,
        Kind::Abbreviation => is_starter(&first, &second),
        Kind::Letter => is_starter(&first, &second) || is_part_of_term(&text[..text.len() - 1], &first),
        Kind::BeforeNumber => !is_number(&first),
        Kind::Title => false,
    }
}

/// Whether a word has a digit (`3`, `S1`) or is a Roman number of several letters.
fn is_number(word: &str) -> bool {
    let is_roman = word.len() > 1 && word.bytes().all(|byte| b"IVXLC".contains(&byte));
    is_roman || word.contains(|char: char| char.is_ascii_digit())
}

/// Whether a character closes a quote or bracket.
pub(super) fn is_closing(char: char) -> bool {
    matches!(
        char,
        ')' | ']'
            | '}'
            | '"'
            | '\''
            | '”'
            | '’'
            | '»'
            | '」'
            | '』'
            | '】'
            | '》'
            | '〉'
            | '）'
            | '］'
            | '｝'
            | '〕'
            | '｣'
    )
}

/// Whether a character opens a quote or bracket.
pub(super) fn is_opening(char: char) -> bool {
    matches!(
        char,
        '(' | '['
            | '{'
            | '"'
            | '`'
            | '“'
            | '‘'
            | '«'
            | '„'
            | '「'
            | '『'
            | '【'
            | '《'
            | '〈'
            | '（'
            | '［'
            | '｛'
            | '〔'
            | '｢'
    )
}
