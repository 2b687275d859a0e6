//! The class `Entity`.

use std::hash::{DefaultHasher, Hash, Hasher};

use pyo3::prelude::*;

/// An entity.
#[pyclass(frozen, eq, get_all, module = "cman")]
#[derive(PartialEq)]
pub(crate) struct Entity {
    /// Its type.
    #[pyo3(name = "type")]
    pub kind: String,
    /// It as it is written in the text.
    pub text: String,
    /// Its first character.
    start: usize,
    /// One past its last character.
    end: usize,
    /// The number of its sentence.
    sentence: usize,
    /// Its probability.
    confidence: f64,
}

impl Entity {
    pub(super) fn of(entity: &cman_model::DocumentEntity) -> Self {
        Self {
            kind: entity.kind.clone(),
            text: entity.text.clone(),
            start: entity.span.chars.start,
            end: entity.span.chars.end,
            sentence: entity.sentence,
            confidence: entity.confidence,
        }
    }
}

#[pymethods]
impl Entity {
    pub(super) fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&self.kind, &self.text, self.start, self.end).hash(&mut hasher);
        hasher.finish()
    }

    fn __repr__(&self) -> String {
        let Self { kind, text, start, end, confidence, .. } = self;
        format!("Entity(type={kind:?}, text={text:?}, start={start}, end={end}, confidence={confidence:.3})")
    }
}
