//! What is found in a text, as Python objects.

use pyo3::{prelude::*, types::PyTuple};

/// What is found in a text. Offsets count code points, as Python's strings do.
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

/// A sentence of a text.
#[pyclass(frozen, eq, get_all, module = "cman")]
#[derive(PartialEq, Eq)]
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

/// An entity.
#[pyclass(frozen, eq, get_all, module = "cman")]
#[derive(PartialEq)]
pub(crate) struct Entity {
    /// Its type.
    #[pyo3(name = "type")]
    kind: String,
    /// It as it is written in the text.
    text: String,
    /// Its first character.
    start: usize,
    /// One past its last character.
    end: usize,
    /// The number of its sentence.
    sentence: usize,
    /// Its probability.
    confidence: f64,
}

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

impl Document {
    pub(crate) fn new(py: Python<'_>, text: String, found: cman_model::Document) -> PyResult<Self> {
        let sentence = |one: &cman_model::DocumentSentence| {
            let (start, end) = (one.span.chars.start, one.span.chars.end);
            Py::new(py, Sentence { start, end, tokens: one.tokens, windows: one.windows })
        };
        let entity = |one: &cman_model::DocumentEntity| {
            let (start, end) = (one.span.chars.start, one.span.chars.end);
            let (kind, text) = (one.kind.clone(), one.text.clone());
            Py::new(py, Entity { kind, text, start, end, sentence: one.sentence, confidence: one.confidence })
        };
        let sentences = found.sentences.iter().map(sentence).collect::<PyResult<Vec<_>>>()?;
        let entities = found.entities.iter().map(entity).collect::<PyResult<Vec<_>>>()?;
        let relation = |one: &cman_model::ExtractedRelation| {
            let [head, tail] = [one.head, one.tail].map(|argument| entities[argument].clone_ref(py));
            Py::new(py, Relation { kind: one.kind.clone(), head, tail, confidence: one.confidence })
        };
        let relations = found.relations.iter().map(relation).collect::<PyResult<Vec<_>>>()?;
        Ok(Self {
            text,
            sentences: PyTuple::new(py, sentences)?.unbind(),
            entities: PyTuple::new(py, entities)?.unbind(),
            relations: PyTuple::new(py, relations)?.unbind(),
            found,
        })
    }
}

#[pymethods]
impl Document {
    /// The document as the command line and the service write it, with offsets in characters, bytes and UTF-16 units.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let json =
            serde_json::to_string(&self.found).map_err(|error| crate::errors::CmanError::new_err(error.to_string()))?;
        py.import("json")?.call_method1("loads", (json,))
    }

    fn __eq__(&self, other: &Self) -> bool {
        (&self.text, &self.found) == (&other.text, &other.found)
    }

    fn __repr__(&self) -> String {
        let (entities, relations) = (self.found.entities.len(), self.found.relations.len());
        format!("<Document of {} sentences, {entities} entities, {relations} relations>", self.found.sentences.len())
    }
}

#[pymethods]
impl Sentence {
    fn __repr__(&self) -> String {
        format!("Sentence(start={}, end={}, tokens={})", self.start, self.end, self.tokens)
    }
}

#[pymethods]
impl Entity {
    fn __repr__(&self) -> String {
        let Self { kind, text, start, end, confidence, .. } = self;
        format!("Entity(type={kind:?}, text={text:?}, start={start}, end={end}, confidence={confidence:.3})")
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

    fn __repr__(&self) -> String {
        let (head, tail) = (&self.head.get().text, &self.tail.get().text);
        format!("Relation(type={:?}, head={head:?}, tail={tail:?}, confidence={:.3})", self.kind, self.confidence)
    }
}
