//! How a sentence is drawn, for pages of any kind.

use crate::palette::css;

/// The style sheet of a page with drawings: colours of the page and of the types in a light and a dark scheme, the text,
/// and the parts of a drawing.
pub fn drawing_style() -> String {
    format!("{}{}", include_str!("drawing.css"), css())
}

/// The script that draws sentences. It has no state of its own and belongs into a scope of the page:
///
/// - `coloursOf(names)` gives the colours of types, as [`Palette`](crate::Palette) does,
/// - `drawIn(sentence, width)` gives an element with spans and arcs.
///
/// ```
/// let script = cman_view::drawing_script();
/// for function in ["coloursOf", "drawIn"] {
///     assert!(script.contains(&format!("function {function}(")));
/// }
/// ```
pub fn drawing_script() -> String {
    [include_str!("colours.js"), include_str!("layout.js"), include_str!("draw.js")].concat()
}
