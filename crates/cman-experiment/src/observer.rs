//! Observers of an experiment.

use std::{io, path::Path};

use cman_train::{LockHolder, Observer};

use crate::{outcome::RunResult, plan::RunSpec};

/// Observes an experiment. Its jobs share the observer.
pub trait ExperimentObserver: Sync {
    /// Before a run with number `number` (from 1) of `total`. Returns the observer of its training.
    fn run_start<'a>(&'a self, _run: &RunSpec, _number: usize, _total: usize) -> Box<dyn Observer + Send + 'a> {
        Box::new(())
    }
    /// A run is put off, because another process trains it or a run that it needs. Reported once for each run.
    fn run_waits(&self, _run: &RunSpec, _number: usize, _total: usize, _holder: Option<&LockHolder>) {}
    /// After a run. `cached`: nothing was trained for it here.
    fn run_end(&self, _result: &RunResult, _number: usize, _total: usize, _cached: bool) {}
    /// A folder that is written cannot be locked, because its file system has no locks.
    fn unlocked(&self, _folder: &Path, _reason: &io::Error) {}
    /// Asked while waiting for another process. Returning true stops the experiment.
    fn wants_stop(&self) -> bool {
        false
    }
}

/// Ignores all events.
impl ExperimentObserver for () {}
