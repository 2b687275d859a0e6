//! The models of a process.

use std::{
    collections::HashMap,
    env, fs,
    path::PathBuf,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
};

use burn_ragged::DeviceKind;
use cman_model::{Extractor, LoadOptions, Model};

use crate::error::SqlError;

/// The environment variable that names the model of queries that name none.
const VARIABLE: &str = "CMAN_MODEL";

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Source {
    Demo,
    Path(PathBuf),
}

type Slot = Arc<Mutex<Option<Extractor>>>;

/// The models that a process has loaded, each once. A model is kept until the process ends: a model that replaces
/// another on disk needs another path.
#[derive(Debug, Default)]
pub struct Models(Mutex<HashMap<Source, Slot>>);

impl Models {
    /// The models of this process.
    pub fn of_process() -> &'static Self {
        static MODELS: LazyLock<Models> = LazyLock::new(Models::default);
        &MODELS
    }

    /// The model at a path, a model directory or a package. Without a path it is the model that the environment variable
    /// `CMAN_MODEL` names, or else the demo model. Threads that ask for the same model at once load it once. A failure is
    /// not remembered: the next call tries again.
    ///
    /// # Errors
    /// [`SqlError::Model`] for a model that cannot be loaded.
    pub fn get(&self, path: Option<&str>) -> Result<Extractor, SqlError> {
        let path = match path {
            Some(path) => Some(PathBuf::from(path)),
            None => env::var_os(VARIABLE).filter(|name| !name.is_empty()).map(PathBuf::from),
        };
        // Two spellings of a path are one model.
        let source = path.map_or(Source::Demo, |path| Source::Path(fs::canonicalize(&path).unwrap_or(path)));
        let slot = Arc::clone(lock(&self.0).entry(source.clone()).or_default());
        let mut slot = lock(&slot);
        if let Some(extractor) = &*slot {
            return Ok(extractor.clone());
        }
        let extractor = load(&source)?;
        *slot = Some(extractor.clone());
        Ok(extractor)
    }
}

fn load(source: &Source) -> Result<Extractor, SqlError> {
    let (device, options) = (DeviceKind::Flex.device()?, LoadOptions::default());
    let (name, model) = match source {
        Source::Demo => ("demo".to_owned(), Model::from_package(cman_demo::PACKAGE, &device, &options)),
        Source::Path(path) => (path.display().to_string(), Model::load_with(path, &device, &options)),
    };
    model.map(Extractor::new).map_err(|source| SqlError::Model { name, source: Box::new(source) })
}

/// A thread that panicked has left a value that is whole: values are set in one step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{ptr, sync::Barrier, thread};

    #[test]
    fn threads_that_ask_at_once_share_a_model() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("demo.cman");
        fs::write(&path, cman_demo::PACKAGE).unwrap();
        let (models, barrier) = (Models::default(), Barrier::new(8));
        let other = folder.path().join(".").join("demo.cman");
        let loaded: Vec<Extractor> = thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|i| {
                    let path = if i % 2 == 0 { &path } else { &other };
                    let (models, barrier) = (&models, &barrier);
                    scope.spawn(move || {
                        barrier.wait();
                        models.get(path.to_str()).unwrap()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(loaded.iter().all(|extractor| ptr::eq(extractor.model(), loaded[0].model())));
    }

    #[test]
    fn a_missing_model_is_named_and_looked_for_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("late.cman");
        let models = Models::default();
        let message = models.get(path.to_str()).unwrap_err().to_string();
        assert!(message.contains("late.cman"), "{message}");
        fs::write(&path, cman_demo::PACKAGE).unwrap();
        models.get(path.to_str()).unwrap();
    }
}
