//! What is found in a text, as Python objects.

mod entity;
mod relation;
mod saved;
mod sentence;

use pyo3::{IntoPyObjectExt, prelude::*, types::PyTuple};

pub(crate) use entity::Entity;
pub(crate) use relation::Relation;
pub(crate) use sentence::Sentence;

use crate::errors::CmanError;

/// What is found in a text. Offsets count code points, as in Python's strings.
#[pyclass(frozen, module = "cman")]
pub(crate) struct Document {
    /// The text.
    #[pyo3(get)]
    text: String,
    /// The sentences, a tuple of Sentence.
    #[pyo3(get)]
    sentences: Py<PyTuple>,
    /// The entities of all sentences, a tuple of Entity.
    #[pyo3(get)]
    entities: Py<PyTuple>,
    /// The relations between them, a tuple of Relation.
    #[pyo3(get)]
    relations: Py<PyTuple>,
    found: cman_model::Document,
}

impl Document {
    pub(crate) fn new(py: Python<'_>, text: String, found: cman_model::Document) -> PyResult<Self> {
        let sentences = found.sentences.iter().map(|sentence| Py::new(py, Sentence::of(sentence)));
        let sentences = sentences.collect::<PyResult<Vec<_>>>()?;
        let entities = found.entities.iter().map(|entity| Py::new(py, Entity::of(entity)));
        let entities = entities.collect::<PyResult<Vec<_>>>()?;
        let relations = found.relations.iter().map(|relation| Py::new(py, Relation::of(py, relation, &entities)?));
        let relations = relations.collect::<PyResult<Vec<_>>>()?;
        Ok(Self {
            text,
            sentences: PyTuple::new(py, sentences)?.unbind(),
            entities: PyTuple::new(py, entities)?.unbind(),
            relations: PyTuple::new(py, relations)?.unbind(),
            found,
        })
    }

    fn json(&self) -> PyResult<String> {
        serde_json::to_string(&self.found).map_err(|error| CmanError::new_err(error.to_string()))
    }
}

#[pymethods]
impl Document {
    /// The document as the command line and the service write it, with offsets in characters, bytes and UTF-16 units.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import("json")?.call_method1("loads", (self.json()?,))
    }

    fn __eq__(&self, other: &Self) -> bool {
        (&self.text, &self.found) == (&other.text, &other.found)
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.text.as_str().into_bound_py_any(py)?.hash()
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let restore = py.import("cman._cman")?.getattr("_restore_document")?;
        (restore, (&self.text, self.json()?, saved::probabilities(&self.found))).into_bound_py_any(py)
    }

    fn __repr__(&self) -> String {
        let (entities, relations) = (self.found.entities.len(), self.found.relations.len());
        format!("<Document of {} sentences, {entities} entities, {relations} relations>", self.found.sentences.len())
    }
}

/// The document that was pickled.
#[pyfunction(name = "_restore_document")]
pub(crate) fn restore_document(
    py: Python<'_>,
    text: String,
    json: &str,
    probabilities: Vec<f64>,
) -> PyResult<Document> {
    let saved: saved::Document = serde_json::from_str(json).map_err(|error| CmanError::new_err(error.to_string()))?;
    Document::new(py, text, saved.restore(&probabilities))
}
