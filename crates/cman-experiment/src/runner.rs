//! Runs a plan: finished runs are reused, interrupted runs are resumed, failed runs are reported and skipped.

use std::{
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use burn_ragged::DeviceKind;
use cman_data::path;
use cman_model::MemoryLimit;
use cman_train::FolderLock;

use crate::{
    compare,
    error::ExperimentError,
    jobs::Jobs,
    machine::Machine,
    observer::ExperimentObserver,
    plan::Plan,
    results::{RESULTS, Results},
    store::RunStore,
};

/// Output folders and device of an experiment.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// The folder for `results.json`.
    pub out: PathBuf,
    /// The folder for runs, which experiments may share. Default: `runs` in `out`.
    pub runs: Option<PathBuf>,
    /// An archive of finished runs. It is read for runs that are not in the folder for runs.
    pub archive: Option<PathBuf>,
    /// Whether `out` may contain results of this experiment.
    pub resume: bool,
    /// Number of runs that are trained at a time. They divide the threads of the current rayon pool among them.
    pub jobs: NonZeroUsize,
    /// The backend.
    pub backend: DeviceKind,
    /// The command, for the report.
    pub command: String,
    /// How much memory a run may take.
    pub max_memory: MemoryLimit,
}

impl RunOptions {
    /// The finished runs that an experiment with these options reuses.
    ///
    /// # Errors
    /// Those of [`RunStore::open`].
    pub fn store(&self) -> Result<RunStore, ExperimentError> {
        let runs = self.runs.clone().unwrap_or_else(|| self.out.join("runs"));
        RunStore::open(&runs, self.archive.as_deref())
    }
}

impl Plan {
    /// Runs the experiment. `results.json` is written after every run.
    ///
    /// Experiments of other processes may share the folder of runs, but not the folder for the results. A run that
    /// another process trains is put off. At the end its outcome is read, or, if the other process stopped or failed, it
    /// is trained here.
    ///
    /// # Errors
    /// A folder with results if `resume` is false, a folder that another process writes to, an invalid archive, results
    /// that cannot be written; [`TrainError::Stopped`](cman_train::TrainError::Stopped) or [`ExperimentError::Stopped`]
    /// if the observer stops the experiment. A failed run is not an error: its result and `error.txt` in its folder have
    /// the reason.
    pub fn run(&self, options: &RunOptions, observer: &dyn ExperimentObserver) -> Result<Results, ExperimentError> {
        let out = &options.out;
        let store = options.store()?;
        let lock = FolderLock::acquire(out)?;
        if let Some(reason) = lock.unsupported() {
            observer.unlocked(out, reason);
        }
        let earlier = self.earlier_results(options)?;
        fs::create_dir_all(store.folder()).map_err(|source| ExperimentError::io(store.folder(), source))?;
        let device = options
            .backend
            .device()
            .map_err(|error| ExperimentError::Folder { path: out.clone(), reason: error.to_string() })?;
        let folder = relative(out, store.folder())?;
        let mut results = Results::new(self, &options.command, Machine::here(options.backend), folder);
        let comparisons = earlier.map(|earlier| compare::still_valid(earlier, &results, self)).unwrap_or_default();
        results.comparisons.clone_from(&comparisons);
        results.save(out)?;
        let mut results =
            Jobs::new(self, &store, (&device, options.max_memory), out, observer, results).run(options.jobs.get())?;
        results.comparisons = compare::compare(&results, store.folder(), &comparisons)?;
        results.save(out)?;
        Ok(results)
    }

    /// The results in the output folder, if there are any and they may be replaced.
    fn earlier_results(&self, options: &RunOptions) -> Result<Option<Results>, ExperimentError> {
        let out = &options.out;
        if !out.join(RESULTS).exists() {
            return Ok(None);
        }
        let refuse = |reason: String| Err(ExperimentError::Folder { path: out.clone(), reason });
        let earlier = Results::load(out)?;
        if earlier.name != self.experiment.name {
            return refuse(format!("contains results of another experiment, `{}`", earlier.name));
        }
        if !options.resume {
            return refuse("contains results; use --resume to continue".into());
        }
        Ok(Some(earlier))
    }
}

/// The relative path between two existing folders, with `/` on every system.
fn relative(from: &Path, to: &Path) -> Result<String, ExperimentError> {
    let absolute = |path: &Path| fs::canonicalize(path).map_err(|source| ExperimentError::io(path, source));
    let (from, to) = (absolute(from)?, absolute(to)?);
    let path = path::relative(&from, &to).unwrap_or(to);
    Ok(path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_between_folders_are_relative() {
        let root = tempfile::tempdir().unwrap();
        let [a, b] = ["a/x", "a/y/z"].map(|name| root.path().join(name));
        [&a, &b].into_iter().for_each(|path| fs::create_dir_all(path).unwrap());
        assert_eq!(relative(&a, &b).unwrap(), "../y/z");
        assert_eq!(relative(root.path(), &a).unwrap(), "a/x");
    }
}
