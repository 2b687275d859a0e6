//! Units of character offsets, and the choice of the unit that fits the text.

use std::ops::Range;

/// How offsets count the characters of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unit {
    /// Whether a character outside the basic plane counts as two.
    utf16: bool,
    /// Whether a line end of CR and LF counts as one.
    joined_line_ends: bool,
}

impl Unit {
    pub(super) const CODE_POINTS: Self = Self { utf16: false, joined_line_ends: false };
    pub(super) const UTF16: Self = Self { utf16: true, joined_line_ends: false };
    pub(super) const CODE_POINTS_LF: Self = Self { utf16: false, joined_line_ends: true };
    pub(super) const UTF16_LF: Self = Self { utf16: true, joined_line_ends: true };

    /// The units of Label Studio that differ in this text. It counts code points since 2022, and JavaScript's UTF-16
    /// units before; a browser joins CR and LF.
    pub(super) fn differing(text: &str) -> Vec<Self> {
        let has_pairs = text.chars().any(|char| char.len_utf16() == 2);
        let has_line_ends = text.contains("\r\n");
        let mut units = vec![Self::CODE_POINTS, Self::UTF16, Self::CODE_POINTS_LF, Self::UTF16_LF];
        units.retain(|unit| (has_pairs || !unit.utf16) && (has_line_ends || !unit.joined_line_ends));
        units
    }
}

/// A text with the place of every offset.
pub(super) struct Offsets {
    chars: Vec<char>,
    /// The index of the character at each offset; `None` inside a character.
    places: Vec<Option<usize>>,
}

impl Offsets {
    pub(super) fn new(text: &str, unit: Unit) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let mut places = Vec::with_capacity(chars.len() + 1);
        for (i, &char) in chars.iter().enumerate() {
            if unit.joined_line_ends && char == '\n' && i > 0 && chars[i - 1] == '\r' {
                continue;
            }
            places.push(Some(i));
            if unit.utf16 && char.len_utf16() == 2 {
                places.push(None);
            }
        }
        places.push(Some(chars.len()));
        Self { chars, places }
    }

    /// The characters between two offsets; `None` if one is outside the text or inside a character.
    pub(super) fn chars(&self, offsets: Range<usize>) -> Option<Range<usize>> {
        let [start, end] = [offsets.start, offsets.end].map(|offset| self.places.get(offset).copied().flatten());
        Some(start?..end?).filter(|chars| chars.start < chars.end)
    }

    /// The whole text.
    pub(super) fn whole(&self) -> String {
        self.chars.iter().collect()
    }

    /// The text of a range of characters.
    pub(super) fn text(&self, chars: Range<usize>) -> String {
        self.chars[chars].iter().collect()
    }

    /// The characters between two offsets, if they are `surface`. Kinds of white space are not distinguished.
    pub(super) fn matching(&self, offsets: Range<usize>, surface: &str) -> Option<Range<usize>> {
        let chars = self.chars(offsets)?;
        is_same_text(&self.text(chars.clone()), surface).then_some(chars)
    }
}

/// Whether two texts are equal but for the kind of white space. Tools write a line end as a space or as `\n`.
pub(super) fn is_same_text(text: &str, surface: &str) -> bool {
    let spaced = |text: &str| -> String {
        let text = text.replace("\r\n", "\n");
        text.chars().map(|char| if char.is_whitespace() { ' ' } else { char }).collect()
    };
    text == surface || spaced(text) == spaced(surface) || spaced(text) == spaced(&surface.replace("\\n", "\n"))
}

/// The units in which every span has its text. The spans are offsets and the text, if it is known.
pub(super) fn fitting(text: &str, units: &[Unit], spans: &[(Range<usize>, Option<&str>)]) -> Vec<Unit> {
    let fits = |unit: &Unit| {
        let offsets = Offsets::new(text, *unit);
        spans.iter().all(|(span, surface)| match surface {
            Some(surface) => offsets.matching(span.clone(), surface).is_some(),
            None => offsets.chars(span.clone()).is_some(),
        })
    };
    units.iter().copied().filter(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_count_characters_differently() {
        let text = "😀a\r\nbé";
        let places = |unit, offsets| Offsets::new(text, unit).chars(offsets);
        assert_eq!(places(Unit::CODE_POINTS, 1..2), Some(1..2));
        assert_eq!(places(Unit::UTF16, 2..3), Some(1..2));
        assert_eq!(places(Unit::UTF16, 1..3), None, "inside a character");
        assert_eq!(places(Unit::CODE_POINTS_LF, 3..5), Some(4..6));
        assert_eq!(places(Unit::UTF16_LF, 4..6), Some(4..6));
        assert_eq!(places(Unit::CODE_POINTS, 5..7), None);
        assert_eq!(places(Unit::CODE_POINTS, 2..2), None);
    }

    #[test]
    fn the_surface_decides_the_unit() {
        let all = [Unit::CODE_POINTS, Unit::UTF16, Unit::CODE_POINTS_LF, Unit::UTF16_LF];
        let text = "😀 Ann\r\nleft";
        let units = |start: usize, end: usize, surface| fitting(text, &all, &[(start..end, Some(surface))]);
        assert_eq!(units(2, 5, "Ann"), [Unit::CODE_POINTS, Unit::CODE_POINTS_LF]);
        assert_eq!(units(3, 6, "Ann"), [Unit::UTF16, Unit::UTF16_LF]);
        assert_eq!(units(7, 11, "left"), [Unit::CODE_POINTS, Unit::UTF16_LF]);
        assert_eq!(units(2, 6, "Bob"), []);
    }

    #[test]
    fn white_space_is_compared_as_white_space() {
        assert!(is_same_text("a\r\nb", "a b") && is_same_text("a\nb", "a\\nb") && is_same_text("a\tb", "a b"));
        assert!(!is_same_text("ab", "a b") && !is_same_text("a", "b"));
    }
}
