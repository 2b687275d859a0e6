//! Annotated sentences, drawn: a self-contained HTML page, or lines for a terminal.
//!
//! [`read`] reads a corpus or the output of `cman predict`. [`Page`] makes one HTML file of the sentences, with filters
//! by
//! type, text and confidence. With gold annotation, [`compare`] says what is wrong with each prediction, and the page
//! filters by it. The page requests nothing from anywhere. [`terminal`] draws one sentence as text. [`drawing_script`] and
//! [`drawing_style`] draw sentences on pages of other programs.
//!
//! ```
//! use cman_data::{Entity, Relation, Sentence};
//! use cman_view::{Page, TypeColours, terminal};
//!
//! let mut sentence = Sentence::from_tokens("1", ["Ada", "left", "London"]);
//! sentence.entities = vec![Entity::new("Peop", 0..1), Entity::new("Loc", 2..3)];
//! sentence.relations = vec![Relation::new("Live_In", 0, 1)];
//!
//! let lines = terminal(&sentence, &TypeColours::of([&sentence]), false);
//! assert_eq!(lines, "1  [Ada]Peop left [London]Loc\n   Ada --Live_In--> London\n");
//!
//! let page = Page::new("example", vec![sentence.into()])?.html();
//! assert!(page.starts_with("<!DOCTYPE html>"));
//! # Ok::<(), cman_view::ViewError>(())
//! ```

mod annotated;
mod error;
mod page;
mod palette;
mod read;
mod terminal;
mod verdict;

pub use annotated::AnnotatedSentence;
pub use error::ViewError;
pub use page::{Page, drawing_script, drawing_style};
pub use palette::{Palette, TypeColours};
pub use read::{read, read_from};
pub use terminal::{printable, terminal};
pub use verdict::{Verdict, Verdicts, compare};

/// The example of the README is compiled as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
