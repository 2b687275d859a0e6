//! The class `Extractor`.

use std::path::{Path, PathBuf};

use burn_ragged::DeviceKind;
use cman_data::Sentence;
use cman_model::{ExtractOptions, LoadOptions, Model, TokenizedText};
use pyo3::{
    IntoPyObjectExt,
    exceptions::PyTypeError,
    prelude::*,
    types::{PyDict, PyString},
};
use pyo3_arrow::input::AnyRecordBatch;

use crate::{
    arrow,
    document::Document,
    errors::{CmanError, exception, exists},
    options,
};

/// Texts that are read before Python may handle a signal, such as Ctrl-C.
const TEXTS: usize = 256;

/// A trained model that reads text. Threads can share it; a copy for another process loads the model again from its path.
#[pyclass(frozen, module = "cman")]
pub(crate) struct Extractor {
    inner: cman_model::Extractor,
    path: Option<PathBuf>,
    encoder: Option<PathBuf>,
}

#[pymethods]
impl Extractor {
    /// Loads a model directory or a package; without a path, the demo model.
    ///
    /// Keyword arguments are options: entity_threshold, relation_threshold, signatures, relations, n_best, max_tokens,
    /// max_characters, long_sentences.
    #[staticmethod]
    #[pyo3(signature = (path=None, *, encoder=None, **options))]
    fn load(
        py: Python<'_>,
        path: Option<PathBuf>,
        encoder: Option<PathBuf>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        load(py, path, encoder, &options::changed(&ExtractOptions::default(), options)?)
    }

    /// An extractor with the same model and some options changed.
    #[pyo3(signature = (**options))]
    fn with_options(&self, options: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let options = options::changed(self.inner.options(), options)?;
        let inner = self.inner.with_options(options).map_err(|error| exception(&error))?;
        Ok(Self { inner, path: self.path.clone(), encoder: self.encoder.clone() })
    }

    /// Extracts from a text, or from each text of an iterable: many at once are faster than one by one.
    fn extract<'py>(&self, py: Python<'py>, text: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        if text.is_instance_of::<PyString>() {
            let found = self.documents(py, vec![text.extract::<String>()?], |text| self.inner.tokenize(text))?;
            return found.into_iter().next().expect("a document for a text").into_bound_py_any(py);
        }
        let texts = text.try_iter().map_err(|_| {
            PyTypeError::new_err(format!("expected a string or an iterable of strings, found {}", type_name(text)))
        })?;
        let texts = texts.map(|text| string(&text?)).collect::<PyResult<Vec<String>>>()?;
        self.documents(py, texts, |text| self.inner.tokenize(text))?.into_bound_py_any(py)
    }

    /// Extracts from sentences that are already cut into tokens. Offsets are those in the tokens joined by spaces.
    fn extract_tokens(&self, py: Python<'_>, sentences: Vec<Vec<String>>) -> PyResult<Vec<Document>> {
        self.documents(py, sentences, |tokens| self.inner.tokenize_sentence(Sentence::from_tokens("", tokens)))
    }

    /// Extracts from a column of an Arrow table, record batch or stream of record batches: anything with the Arrow PyCapsule
    /// interface. The result has one more column. A stream is read batch by batch while the result is read.
    #[pyo3(signature = (data, column="text", output="found"))]
    fn extract_arrow<'py>(
        &self,
        py: Python<'py>,
        data: AnyRecordBatch,
        column: &str,
        output: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        arrow::extract(py, &self.inner, data, column, output)
    }

    /// The names of the entity types.
    #[getter]
    fn entity_types(&self) -> Vec<String> {
        self.inner.model().schema().entities.names().to_vec()
    }

    /// The names of the relation types.
    #[getter]
    fn relation_types(&self) -> Vec<String> {
        self.inner.model().schema().relations.names().to_vec()
    }

    /// The path of the model; None for the demo model.
    #[getter]
    fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let restore = py.import("cman._cman")?.getattr("_restore")?;
        let absolute = |path: &Option<PathBuf>| path.as_ref().map(|path| std::path::absolute(path)).transpose();
        let arguments = (absolute(&self.path)?, absolute(&self.encoder)?, options::write(self.inner.options())?);
        (restore, arguments).into_bound_py_any(py)
    }

    fn __repr__(&self) -> String {
        let path = self.path.as_ref().map_or("demo model".into(), |path| path.display().to_string());
        format!("<Extractor {path}>")
    }
}

/// Loads what was pickled.
#[pyfunction(name = "_restore")]
pub(crate) fn restore(
    py: Python<'_>,
    path: Option<PathBuf>,
    encoder: Option<PathBuf>,
    options: &str,
) -> PyResult<Extractor> {
    load(py, path, encoder, &options::parse(options)?)
}

fn load(
    py: Python<'_>,
    path: Option<PathBuf>,
    encoder: Option<PathBuf>,
    options: &ExtractOptions,
) -> PyResult<Extractor> {
    let device = DeviceKind::Flex.device().map_err(|error| CmanError::new_err(error.to_string()))?;
    let load = LoadOptions { encoder: encoder.clone(), ..LoadOptions::default() };
    if let Some(path) = &path {
        exists(path)?;
    }
    let inner = py.detach(|| {
        let model = match &path {
            Some(path) => Model::load_with(path, &device, &load)?,
            None => Model::from_package(cman_demo::PACKAGE, &device, &load)?,
        };
        cman_model::Extractor::new(model).with_options(options.clone())
    });
    Ok(Extractor { inner: inner.map_err(|error| exception(&error))?, path, encoder })
}

impl Extractor {
    /// The documents of inputs that are cut by `tokenize`. Other Python threads run meanwhile.
    fn documents<T: Send>(
        &self,
        py: Python<'_>,
        inputs: Vec<T>,
        tokenize: impl Fn(T) -> Result<TokenizedText, cman_model::ModelError> + Sync,
    ) -> PyResult<Vec<Document>> {
        let mut documents = Vec::with_capacity(inputs.len());
        let mut inputs = inputs.into_iter().enumerate();
        loop {
            let part: Vec<(usize, T)> = inputs.by_ref().take(TEXTS).collect();
            let Some((first, _)) = part.first() else { return Ok(documents) };
            let first = *first;
            let found = py.detach(|| {
                let mut texts = Vec::with_capacity(part.len());
                for (number, input) in part {
                    texts.push(tokenize(input).map_err(|error| (Some(number), error))?);
                }
                let found = self.inner.extract_tokenized(&texts).map_err(|error| (None, error))?;
                Ok(texts.into_iter().zip(found).collect::<Vec<_>>())
            });
            let found = found.map_err(|(number, error): (Option<usize>, _)| match number {
                // Of several texts, the message says which one.
                Some(number) if number > 0 || first > 0 => CmanError::new_err(format!("text {number}: {error}")),
                _ => exception(&error),
            })?;
            for (text, found) in found {
                documents.push(Document::new(py, text.text().to_owned(), found)?);
            }
            py.check_signals()?;
        }
    }
}

fn string(text: &Bound<'_, PyAny>) -> PyResult<String> {
    if text.is_instance_of::<PyString>() {
        return text.extract();
    }
    Err(PyTypeError::new_err(format!("expected a string, found {}", type_name(text))))
}

fn type_name(value: &Bound<'_, PyAny>) -> String {
    value.get_type().name().map_or_else(|_| "another type".into(), |name| name.to_string())
}
