//! The class `Extractor`.

use std::{
    hint::black_box,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use cman_data::Sentence;
use cman_model::{ExtractOptions, ModelError, TokenizedText};
use pyo3::{
    IntoPyObjectExt,
    prelude::*,
    types::{PyDict, PyString},
};

use crate::{
    arrow::{self, Columns},
    document::Document,
    errors::{exception, exception_at},
    loading::Source,
    options, text,
};

/// Texts that are read before Python may handle a signal, such as Ctrl-C.
const TEXTS: usize = 256;

/// A trained model that reads text. Threads can share it. It is pickled as its path and options: a copy in another
/// process loads the model again.
#[pyclass(frozen, module = "cman")]
pub(crate) struct Extractor {
    inner: cman_model::Extractor,
    source: Source,
}

#[pymethods]
impl Extractor {
    /// Loads a model directory or a package; without a path, the demo model.
    ///
    /// Other keyword arguments are options: entity_threshold, relation_threshold, signatures, relations, n_best,
    /// max_tokens, max_characters, long_sentences.
    #[staticmethod]
    #[pyo3(signature = (path=None, *, encoder=None, threads=None, device="flex", **options))]
    fn load(
        py: Python<'_>,
        path: Option<PathBuf>,
        encoder: Option<PathBuf>,
        threads: Option<u16>,
        device: &str,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let options = options::changed(&ExtractOptions::default(), options)?;
        let source = Source::new(path, encoder, device, threads)?;
        Ok(Self { inner: source.load(py, &options)?, source })
    }

    /// An extractor with the same model and some options changed.
    #[pyo3(signature = (**options))]
    fn with_options(&self, options: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let options = options::changed(self.inner.options(), options)?;
        let inner = self.inner.with_options(options).map_err(|error| exception(&error))?;
        Ok(Self { inner, source: self.source.clone() })
    }

    /// Extracts from a text, or from each text of an iterable: many at once are faster than one by one.
    fn extract<'py>(&self, py: Python<'py>, text: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        if !text.is_instance_of::<PyString>() {
            let texts = text::texts(text)?;
            return self.documents(py, texts, |text| self.inner.tokenize(text))?.into_bound_py_any(py);
        }
        let text = text::text(text, "")?;
        let read = || {
            let text = [self.inner.tokenize(text)?];
            let found = self.inner.extract_tokenized(&text)?;
            Ok(text.into_iter().zip(found).next())
        };
        let found: Result<_, ModelError> = self.source.threads.detached(py, read)?;
        let found = found.map_err(|error| exception(&error))?;
        found.map(|(text, found)| Document::new(py, text.text().to_owned(), found)).transpose()?.into_bound_py_any(py)
    }

    /// Extracts from sentences that are already cut into tokens. Offsets are those in the tokens joined by spaces.
    fn extract_tokens(&self, py: Python<'_>, sentences: &Bound<'_, PyAny>) -> PyResult<Vec<Document>> {
        let sentences = text::sentences(sentences)?;
        self.documents(py, sentences, |tokens| self.inner.tokenize_sentence(Sentence::from_tokens("", tokens)))
    }

    /// Extracts from a column of texts, or of lists of tokens, and adds a column of structs.
    ///
    /// `data` is a table, a record batch or a stream of record batches with the Arrow PyCapsule interface. So has the
    /// result. The batches of a stream are read while the result is read.
    #[pyo3(signature = (data, column="text", output="found"))]
    fn extract_arrow<'py>(
        &self,
        py: Python<'py>,
        data: &Bound<'py, PyAny>,
        column: &str,
        output: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (extractor, threads) = (self.inner.clone(), Arc::clone(&self.source.threads));
        arrow::extract(py, Columns { extractor, threads, input: column.into(), output: output.into() }, data)
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

    /// The options, by their names.
    #[getter]
    fn options<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import("json")?.call_method1("loads", (options::write(self.inner.options())?,))
    }

    /// The path of the model; None for the demo model.
    #[getter]
    fn path(&self) -> Option<&Path> {
        self.source.path.as_deref()
    }

    /// The device.
    #[getter]
    fn device(&self) -> &'static str {
        self.source.device.name()
    }

    /// Seconds that Rust alone needs for texts, so many at a time: no Python object is made. `benches/overhead.py` compares.
    fn _seconds(&self, py: Python<'_>, texts: &Bound<'_, PyAny>, batch: usize) -> PyResult<f64> {
        let texts = text::texts(texts)?;
        let read = || {
            let start = Instant::now();
            for part in texts.chunks(batch.max(1)) {
                let part = part.iter().map(|text| self.inner.tokenize(text.as_str()));
                black_box(self.inner.extract_tokenized(&part.collect::<Result<Vec<_>, _>>()?)?);
            }
            Ok(start.elapsed().as_secs_f64())
        };
        let seconds: Result<f64, ModelError> = self.source.threads.detached(py, read)?;
        seconds.map_err(|error| exception(&error))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let restore = py.import("cman._cman")?.getattr("_restore_extractor")?;
        let Source { path, encoder, device, threads } = self.source.absolute()?;
        let arguments = (path, encoder, device.name(), threads.count(), options::write(self.inner.options())?);
        (restore, arguments).into_bound_py_any(py)
    }

    fn __repr__(&self) -> String {
        let path = self.source.path.as_ref().map_or("demo model".into(), |path| path.display().to_string());
        format!("<Extractor {path}>")
    }
}

/// Loads the extractor that was pickled.
#[pyfunction(name = "_restore_extractor")]
pub(crate) fn restore_extractor(
    py: Python<'_>,
    path: Option<PathBuf>,
    encoder: Option<PathBuf>,
    device: &str,
    threads: Option<u16>,
    options: &str,
) -> PyResult<Extractor> {
    let source = Source::new(path, encoder, device, threads)?;
    Ok(Extractor { inner: source.load(py, &options::read(options)?)?, source })
}

impl Extractor {
    /// The documents of inputs that are cut by `tokenize`. Other Python threads run meanwhile.
    fn documents<T: Send>(
        &self,
        py: Python<'_>,
        inputs: Vec<T>,
        tokenize: impl Fn(T) -> Result<TokenizedText, ModelError> + Sync,
    ) -> PyResult<Vec<Document>> {
        let mut documents = Vec::with_capacity(inputs.len());
        let mut inputs = inputs.into_iter().enumerate();
        loop {
            let part: Vec<(usize, T)> = inputs.by_ref().take(TEXTS).collect();
            if part.is_empty() {
                return Ok(documents);
            }
            let read = || {
                let texts = part
                    .into_iter()
                    .map(|(number, input)| tokenize(input).map_err(|error| Box::new((Some(number), error))));
                let texts: Vec<TokenizedText> = texts.collect::<Result<_, _>>()?;
                let found = self.inner.extract_tokenized(&texts).map_err(|error| Box::new((None, error)))?;
                Ok(texts.into_iter().zip(found).collect::<Vec<_>>())
            };
            let found: Result<_, Box<(Option<usize>, ModelError)>> = self.source.threads.detached(py, read)?;
            let found = found.map_err(|failure| match *failure {
                (Some(number), error) => exception_at(number, &error),
                (None, error) => exception(&error),
            })?;
            for (text, found) in found {
                documents.push(Document::new(py, text.text().to_owned(), found)?);
            }
            py.check_signals()?;
        }
    }
}
