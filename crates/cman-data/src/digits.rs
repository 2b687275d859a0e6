//! Text without its numbers, for comparison.

/// Appends a character to `text`. A run of digits becomes one `0`.
pub(crate) fn push_masked(text: &mut String, char: char) {
    match char {
        '0'..='9' if text.ends_with('0') => {}
        '0'..='9' => text.push('0'),
        _ => text.push(char),
    }
}
