//! The function `train`.

mod folder;
mod observer;
mod request;
mod signals;
mod summary;

use std::{path::PathBuf, sync::atomic::AtomicBool, time::Duration};

use cman_model::MemoryLimit;
use cman_train::{Protocol, RunData, RunPlace, TrainError, train_and_test};
use pyo3::{prelude::*, types::PyDict};

use crate::errors::{CmanError, exception};
use observer::PythonObserver;
use request::Request;
use summary::summary;

/// Time between checkpoints within an epoch.
const CHECKPOINTS: Duration = Duration::from_secs(600);

/// Trains a model, as `cman train` does, and writes a model directory. The result is the content of its scores.json.
///
/// `corpus` is a folder with training, dev and test data; with `sample=True` it is None, and the bundled sample corpus is
/// read. `config` is a TOML file, `settings` a dictionary such as {"train.batch_size": 8}. `on_epoch` is called after each
/// epoch with a dictionary of its losses and scores. Ctrl-C leaves a checkpoint, which `resume=True` continues.
#[pyfunction]
#[pyo3(signature = (corpus, out, *, sample=false, vectors=None, config=None, settings=None, epochs=None, seed=None,
    train_dev=false, resume=false, force=false, threads=None, device="flex", on_epoch=None))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn train<'py>(
    py: Python<'py>,
    corpus: Option<PathBuf>,
    out: PathBuf,
    sample: bool,
    vectors: Option<PathBuf>,
    config: Option<PathBuf>,
    settings: Option<&Bound<'py, PyDict>>,
    epochs: Option<usize>,
    seed: Option<u64>,
    train_dev: bool,
    resume: bool,
    force: bool,
    threads: Option<u16>,
    device: &str,
    on_epoch: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    if sample == corpus.is_some() {
        return Err(CmanError::new_err("expected a corpus, or corpus=None and sample=True"));
    }
    if resume && force {
        return Err(CmanError::new_err("resume=True continues a run, force=True replaces it: expected one of them"));
    }
    let threads = crate::threads::Threads::of(threads)?;
    let device = device.parse().map_err(|error: burn_ragged::DeviceError| exception(&error))?;
    let start = folder::Start::of(resume, force);
    let protocol = if train_dev { Protocol::TrainDev } else { Protocol::Train };
    let settings = request::assignments(settings)?;
    let request = Request { corpus, out, vectors, config, settings, epochs, seed, protocol, start, device };
    let stop = AtomicBool::new(false);
    let mut observer = PythonObserver::new(on_epoch, &stop);
    let found = signals::watched(py, &stop, || threads.run(|| run(&request, &mut observer)))?;
    // What the function raised stopped the run.
    if let Some(raised) = observer.raised() {
        return Err(raised);
    }
    let json = found.map_err(|error| exception(&error))?.map_err(|error| error.exception())?;
    py.import("json")?.call_method1("loads", (json,))
}

/// Trains and writes the model. The result is the content of scores.json.
fn run(request: &Request, observer: &mut PythonObserver) -> Result<String, Failure> {
    let config = request.configuration()?;
    let device = request.device.device().map_err(Failure::of)?;
    let lock = folder::lock(&request.out)?;
    let place = RunPlace {
        lock: &lock,
        vectors: request.vectors.as_deref(),
        device: &device,
        checkpoint_every: CHECKPOINTS,
        resume: request.start == folder::Start::Resume,
        max_memory: MemoryLimit::default(),
    };
    folder::check(&request.out, request.start, &place.checkpoints())?;
    let data = RunData::from(request.splits(&config)?);
    if request.protocol == Protocol::TrainDev && data.dev.is_empty() {
        return Err(Failure::Message("train_dev: no dev data".into()));
    }
    let data = data.by(request.protocol);
    if request.start == folder::Start::Replace {
        folder::mark_unfinished(&request.out)?;
    }
    let tested = train_and_test(config, &data, &place, observer)?;
    let summary = summary(&tested, &data, request.protocol);
    folder::mark_unfinished(&request.out)?;
    tested.trained.model.save(&request.out, &summary).map_err(Failure::of)?;
    folder::mark_finished(&request.out, &tested.identity)?;
    place.checkpoints().clear()?;
    Ok(summary.to_string())
}

/// Why nothing was trained.
enum Failure {
    Library(Box<dyn std::error::Error + Send + Sync>),
    Message(String),
}

impl Failure {
    fn of(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Library(Box::new(error))
    }

    fn exception(&self) -> PyErr {
        match self {
            Self::Library(error) => exception(&**error),
            Self::Message(message) => CmanError::new_err(message.clone()),
        }
    }
}

impl From<TrainError> for Failure {
    fn from(error: TrainError) -> Self {
        Self::of(error)
    }
}
