//! A colour per type.

use std::{collections::BTreeMap, fmt::Write};

use anstyle::{AnsiColor, Style};
use cman_data::Sentence;

/// Colours of one type, on a light and on a dark page.
struct Colour {
    /// Text and lines.
    ink: [u32; 2],
    /// The ground of a label.
    fill: [u32; 2],
}

/// Hues of equal lightness and nearly equal chroma in OKLCH.
const COLOURS: [Colour; 12] = [
    Colour { ink: [0x0f4f95, 0xb3d4ff], fill: [0xdcebff, 0x1c314c] },
    Colour { ink: [0x892b20, 0xfec0b5], fill: [0xfee2dd, 0x48251f] },
    Colour { ink: [0x016129, 0xa1e4ae], fill: [0xd5f3da, 0x1a3821] },
    Colour { ink: [0x653784, 0xe4c1ff], fill: [0xf2e2ff, 0x392845] },
    Colour { ink: [0x664b00, 0xefcc83], fill: [0xf7e8c8, 0x3d2e0a] },
    Colour { ink: [0x055c5c, 0x7ae6e5], fill: [0xc8f4f3, 0x003839] },
    Colour { ink: [0x812a5a, 0xfebad9], fill: [0xfee0ed, 0x452434] },
    Colour { ink: [0x495700, 0xc8db90], fill: [0xe5efcd, 0x2d3412] },
    Colour { ink: [0x444394, 0xc7cdff], fill: [0xe5e8ff, 0x2b2d4c] },
    Colour { ink: [0x7b3d01, 0xffc29a], fill: [0xfee4d3, 0x452813] },
    Colour { ink: [0x035e49, 0x8ae7c7], fill: [0xcdf4e5, 0x0a392c] },
    Colour { ink: [0x055875, 0x95dcff], fill: [0xd0efff, 0x0a3547] },
];

const ANSI: [AnsiColor; 6] =
    [AnsiColor::Blue, AnsiColor::Red, AnsiColor::Green, AnsiColor::Magenta, AnsiColor::Yellow, AnsiColor::Cyan];

/// The colours of some types, by index.
///
/// The name of a type decides its colour, so that it is the same in every file, unless another type of the file has that
/// colour already. Types share colours only if there are more than 12.
///
/// ```
/// use cman_view::Palette;
///
/// let palette = Palette::new(["Peop", "Loc"]);
/// assert_ne!(palette.index("Peop"), palette.index("Loc"));
/// assert_eq!(palette.index("Peop"), Palette::new(["Peop"]).index("Peop"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Palette {
    indices: BTreeMap<String, usize>,
}

impl Palette {
    /// Chooses a colour for each of these types. Their order does not matter.
    pub fn new<S: Into<String>>(types: impl IntoIterator<Item = S>) -> Self {
        let mut indices: BTreeMap<String, usize> = types.into_iter().map(|name| (name.into(), 0)).collect();
        let mut taken = [false; COLOURS.len()];
        for (name, index) in &mut indices {
            let first = preferred(name);
            let free = (0..COLOURS.len()).map(|step| (first + step) % COLOURS.len()).find(|&index| !taken[index]);
            *index = free.unwrap_or(first);
            taken[*index] = true;
        }
        Self { indices }
    }

    /// The index of the colour of a type.
    pub fn index(&self, name: &str) -> usize {
        self.indices.get(name).copied().unwrap_or_else(|| preferred(name))
    }

    /// The names of the types, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.indices.keys().map(String::as_str)
    }

    /// The style of a type on a terminal.
    pub fn style(&self, name: &str) -> Style {
        let index = self.index(name);
        let style = ANSI[index % ANSI.len()].on_default();
        if index < ANSI.len() { style } else { style.underline() }
    }
}

/// The colour that a type has if no other type has it: FNV-1a of its name.
fn preferred(name: &str) -> usize {
    let hash = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    ((hash >> 32) % COLOURS.len() as u64) as usize
}

/// The colours of entity types and of relation types.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TypeColours {
    /// Entity types.
    pub entities: Palette,
    /// Relation types.
    pub relations: Palette,
}

impl TypeColours {
    /// Colours for all types that occur in these sentences.
    pub fn of<'a>(sentences: impl IntoIterator<Item = &'a Sentence> + Clone) -> Self {
        let entities = sentences.clone().into_iter().flat_map(|sentence| &sentence.entities);
        let relations = sentences.into_iter().flat_map(|sentence| &sentence.relations);
        Self {
            entities: Palette::new(entities.map(|entity| entity.kind.as_str())),
            relations: Palette::new(relations.map(|relation| relation.kind.as_str())),
        }
    }
}

/// A CSS class per colour, `c0` to `c11`, which sets `--ink` and `--fill` for the scheme of the page.
pub(crate) fn css() -> String {
    let classes = |scheme: usize| {
        let mut css = String::new();
        for (i, Colour { ink, fill }) in COLOURS.iter().enumerate() {
            let _ = write!(css, ".c{i}{{--ink:#{:06x};--fill:#{:06x}}}", ink[scheme], fill[scheme]);
        }
        css
    };
    format!("{}\n@media (prefers-color-scheme: dark) {{ {} }}", classes(0), classes(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Contrast ratio of WCAG 2.
    fn contrast(a: u32, b: u32) -> f64 {
        let luminance = |colour: u32| {
            let channel = |shift: u32| {
                let value = f64::from(colour >> shift & 0xff) / 255.0;
                if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * channel(16) + 0.7152 * channel(8) + 0.0722 * channel(0)
        };
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn every_colour_is_readable_on_its_fill_and_on_the_page() {
        assert!((contrast(0x000000, 0xffffff) - 21.0).abs() < 1e-9);
        let style = include_str!("page/drawing.css");
        // The paper and the ink of the page in both schemes, then its ground and the other texts on it.
        for (scheme, paper, ink, ground, others) in [
            (0, 0xffffff, 0x1d2733, 0xf4f6f8, [0x55616e, 0x0b5cad]),
            (1, 0x171c22, 0xe6ebf0, 0x0f1317, [0xa3afbb, 0x8ec5ff]),
        ] {
            for colour in [paper, ink, ground].into_iter().chain(others) {
                assert!(style.contains(&format!("#{colour:06x}")), "#{colour:06x} is not in the style");
                let is_text = ![paper, ground].contains(&colour);
                assert!(!is_text || contrast(colour, paper).min(contrast(colour, ground)) >= 4.5, "#{colour:06x}");
            }
            for colour in &COLOURS {
                let (own, fill) = (colour.ink[scheme], colour.fill[scheme]);
                for (text, ground) in [(own, fill), (own, paper), (ink, fill)] {
                    let ratio = contrast(text, ground);
                    assert!(ratio >= 4.5, "#{text:06x} on #{ground:06x}: {ratio}");
                }
            }
        }
    }

    #[test]
    fn twelve_types_have_twelve_colours_and_more_share_them() {
        let names = |n: usize| (0..n).map(|i| format!("type {i}"));
        let palette = Palette::new(names(12));
        let mut indices: Vec<_> = names(12).map(|name| palette.index(&name)).collect();
        indices.sort_unstable();
        assert_eq!(indices, (0..12).collect::<Vec<_>>());
        let many = Palette::new(names(100));
        assert!(names(100).all(|name| many.index(&name) < 12));
        assert_eq!(Palette::new(names(12)), Palette::new(names(12).collect::<Vec<_>>().into_iter().rev()));
    }

    #[test]
    fn the_style_sheet_has_both_schemes() {
        let css = css();
        assert_eq!(css.matches(".c11{").count(), 2);
        assert!(css.contains("@media (prefers-color-scheme: dark)"));
    }
}
