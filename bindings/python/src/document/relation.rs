//! The class `Relation`.

use std::hash::{DefaultHasher, Hash, Hasher};

use pyo3::prelude::*;

use super::Entity;
use crate::errors::CmanError;

/// A relation between two entities.
#[pyclass(frozen, get_all, module = "cman")]
pub(crate) struct Relation {
    /// Its type.
    #[pyo3(name = "type")]
    kind: String,
    /// Its first argument.
    head: Py<Entity>,
    /// Its second argument.
    tail: Py<Entity>,
    /// Its probability.
    confidence: f64,
}

impl Relation {
    pub(super) fn of(
        py: Python<'_>,
        relation: &cman_model::ExtractedRelation,
        entities: &[Py<Entity>],
    ) -> PyResult<Self> {
        // A pickled document can come from anywhere.
        let missing = |index| CmanError::new_err(format!("relation of entity {index}, of {}", entities.len()));
        let argument =
            |index: usize| entities.get(index).map(|entity| entity.clone_ref(py)).ok_or_else(|| missing(index));
        let (head, tail) = (argument(relation.head)?, argument(relation.tail)?);
        Ok(Self { kind: relation.kind.clone(), head, tail, confidence: relation.confidence })
    }
}

#[pymethods]
impl Relation {
    fn __eq__(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.head.get() == other.head.get()
            && self.tail.get() == other.tail.get()
            && self.confidence == other.confidence
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&self.kind, self.head.get().__hash__(), self.tail.get().__hash__()).hash(&mut hasher);
        hasher.finish()
    }

    fn __repr__(&self) -> String {
        let (head, tail) = (&self.head.get().text, &self.tail.get().text);
        format!("Relation(type={:?}, head={head:?}, tail={tail:?}, confidence={:.3})", self.kind, self.confidence)
    }
}
