//! Tokens as the character ids of the published models: UTF-8 bytes between two marks, padded to a fixed number.

/// The ids 0 to 255 are bytes. The others mark the start and the end of a sentence and of a word, and the padding.
const BEGIN_SENTENCE: u16 = 256;
const END_SENTENCE: u16 = 257;
const BEGIN_WORD: u16 = 258;
const END_WORD: u16 = 259;
const PADDING: u16 = 260;

/// Number of distinct ids, which is the number of rows of the character embedding.
pub(super) const N_IDS: usize = 261;

/// The words that mark the start and the end of a sentence. A token that is equal to one of them is read as the mark,
/// as in the published code.
pub(super) const BOUNDARIES: [&str; 2] = ["<S>", "</S>"];

/// The bytes of a token that the model reads: as many as fit between the marks of the word.
///
/// Tokens with equal results have equal vectors. The last character may be incomplete.
pub(super) fn clip(token: &str, max_characters: usize) -> &[u8] {
    &token.as_bytes()[..token.len().min(max_characters - 2)]
}

/// Number of ids of a clipped token without padding.
pub(super) fn n_characters(clipped: &[u8]) -> usize {
    if is_boundary(clipped).is_some() { 3 } else { clipped.len() + 2 }
}

/// The ids of a clipped token: `[begin, bytes, end, padding, ..]`, `n` in total.
///
/// The ids of the published PyTorch code are larger by 1, because its 0 is the padding after a sentence. There is no
/// such padding here.
pub(super) fn ids(clipped: &[u8], n: usize) -> Vec<u16> {
    let mut ids = vec![BEGIN_WORD];
    match is_boundary(clipped) {
        Some(id) => ids.push(id),
        None => ids.extend(clipped.iter().map(|&byte| u16::from(byte))),
    }
    ids.push(END_WORD);
    ids.resize(n, PADDING);
    ids
}

fn is_boundary(clipped: &[u8]) -> Option<u16> {
    let i = BOUNDARIES.iter().position(|boundary| boundary.as_bytes() == clipped)?;
    Some([BEGIN_SENTENCE, END_SENTENCE][i])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elmo_characters_are_those_of_the_published_code() {
        let of = |token: &str| ids(clip(token, 50), 50);
        let padded = |head: &[u16]| {
            let mut ids = head.to_vec();
            ids.resize(50, 260);
            ids
        };
        assert_eq!(of("cat"), padded(&[258, 99, 97, 116, 259]));
        assert_eq!(of("é"), padded(&[258, 195, 169, 259]));
        assert_eq!(of(""), padded(&[258, 259]));
        assert_eq!(of("<S>"), padded(&[258, 256, 259]));
        assert_eq!(of("</S>"), padded(&[258, 257, 259]));
        assert_eq!(of("</s>"), padded(&[258, 60, 47, 115, 62, 259]));
        let long = of(&"x".repeat(10_000));
        assert_eq!((long.len(), long[0], long[48], long[49]), (50, 258, 120, 259));
        assert_eq!(of(&"x".repeat(48)), long);
        assert_ne!(of(&"x".repeat(47)), long);
        // The 48th byte is the first half of a character.
        assert_eq!(of(&format!("{}é", "x".repeat(47)))[47..], [120, 195, 259]);
    }

    #[test]
    fn the_number_of_characters_excludes_the_padding() {
        for token in ["", "a", "<S>", "</S>", "straße", &"y".repeat(60)] {
            let clipped = clip(token, 50);
            let n = ids(clipped, 60).iter().filter(|&&id| id != 260).count();
            assert_eq!(n_characters(clipped), n, "{token}");
        }
    }
}
