//! The class `Sentence`.

use pyo3::prelude::*;

/// A sentence of a text.
#[pyclass(frozen, eq, hash, get_all, module = "cman")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Sentence {
    /// Its first character.
    start: usize,
    /// One past its last character.
    end: usize,
    /// Number of its tokens.
    tokens: usize,
    /// Number of windows in which it was read: 1 unless it is too long to be read as a whole.
    windows: usize,
}

impl Sentence {
    pub(super) fn of(sentence: &cman_model::DocumentSentence) -> Self {
        let chars = &sentence.span.chars;
        Self { start: chars.start, end: chars.end, tokens: sentence.tokens, windows: sentence.windows }
    }
}

#[pymethods]
impl Sentence {
    fn __repr__(&self) -> String {
        format!("Sentence(start={}, end={}, tokens={})", self.start, self.end, self.tokens)
    }
}
