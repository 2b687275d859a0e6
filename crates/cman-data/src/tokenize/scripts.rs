//! Scripts without spaces between words, and their punctuation.

use crate::sentence::Sentence;

/// Whether a character belongs to a script that is written without spaces between words: Han, Kana, Bopomofo, Thai,
/// Lao, Myanmar, Khmer. Digits and punctuation are excluded.
pub(super) fn is_unspaced(char: char) -> bool {
    matches!(char,
        '\u{0E01}'..='\u{0E3A}' | '\u{0E40}'..='\u{0E4E}' // Thai
        | '\u{0E81}'..='\u{0ECE}' | '\u{0EDC}'..='\u{0EDF}' // Lao
        | '\u{1000}'..='\u{103F}' | '\u{1050}'..='\u{108F}' | '\u{109A}'..='\u{109D}' // Myanmar
        | '\u{A9E0}'..='\u{A9EF}' | '\u{A9FA}'..='\u{A9FE}' | '\u{AA60}'..='\u{AA7F}'
        | '\u{1780}'..='\u{17D3}' | '\u{17D7}' | '\u{17DC}' | '\u{17DD}' // Khmer
        | '\u{3041}'..='\u{3096}' | '\u{3099}'..='\u{309F}' // Hiragana
        | '\u{30A1}'..='\u{30FA}' | '\u{30FC}'..='\u{30FF}' | '\u{31F0}'..='\u{31FF}' // Katakana
        | '\u{FF66}'..='\u{FF9F}' | '\u{1AFF0}'..='\u{1B16F}'
        | '\u{3105}'..='\u{312F}' | '\u{31A0}'..='\u{31BF}' // Bopomofo
        | '\u{2E80}'..='\u{2FDF}' | '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{3029}' // Han
        | '\u{3031}'..='\u{3035}' | '\u{3038}'..='\u{303C}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}'
        | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

/// Whether a character is a punctuation mark of East Asian text, such as `。`, `「` or `！`.
pub(super) fn is_wide_punctuation(char: char) -> bool {
    matches!(char,
        '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}' | '\u{3014}'..='\u{301F}' | '\u{3030}' | '\u{303D}'
        | '\u{30A0}' | '\u{30FB}' | '\u{FE10}'..='\u{FE19}' | '\u{FE30}'..='\u{FE6B}'
        | '\u{FF01}'..='\u{FF0F}' | '\u{FF1A}'..='\u{FF20}' | '\u{FF3B}'..='\u{FF40}' | '\u{FF5B}'..='\u{FF65}')
        && char != '\u{FF04}'
}

/// Whether a sentence that was cut at spaces is of a script without spaces: it has at least as many characters of such
/// scripts as tokens, and more than two of them in each token that has any.
///
/// ```
/// use cman_data::{TokenizerConfig, is_unsegmented};
///
/// let unsegmented = |config: TokenizerConfig, text: &str| is_unsegmented(&config.sentences(text)[0].sentence);
/// assert!(unsegmented(TokenizerConfig::conll04(), "王芳在青山银行工作。"));
/// assert!(!unsegmented(TokenizerConfig::Characters, "王芳在青山银行工作。"));
/// assert!(!unsegmented(TokenizerConfig::conll04(), "Ann Ray (王安瑞) of Bonn left."));
/// ```
pub fn is_unsegmented(sentence: &Sentence) -> bool {
    let unspaced = |word: &str| word.chars().filter(|&char| is_unspaced(char)).count();
    let counts: Vec<usize> = sentence.words().map(unspaced).filter(|&count| count > 0).collect();
    let characters: usize = counts.iter().sum();
    characters >= sentence.len() && characters > 2 * counts.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_digits_and_punctuation_are_told_apart() {
        for char in "王々〇あアｱーㄅ𠮷กำ่ລမក".chars() {
            assert!(is_unspaced(char) && !is_wide_punctuation(char), "{char}");
        }
        for char in "。、，！？：；（）「」『』《》【】〈〉・～％｡｢".chars() {
            assert!(is_wide_punctuation(char) && !is_unspaced(char), "{char}");
        }
        for char in "aéЖ한٣1๓１Ａ฿￥$＄.\"“…—\u{3000}".chars() {
            assert!(!is_unspaced(char) && !is_wide_punctuation(char), "{char}");
        }
    }

    #[test]
    fn an_empty_sentence_and_segmented_text_are_not_unsegmented() {
        let unsegmented = |text: &str| is_unsegmented(&Sentence::from_tokens("1", text.split(' ')));
        assert!(!unsegmented("青山 银行 位于 海城 。") && !unsegmented("東京") && !unsegmented("a b c"));
        assert!(unsegmented("我来了 。") && unsegmented("GPT-4模型由OpenAI发布 。") && unsegmented("ฉันรักเธอ"));
        assert!(!is_unsegmented(&Sentence::default()));
    }
}
