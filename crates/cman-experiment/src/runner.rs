//! Runs a plan: finished runs are reused, interrupted runs are resumed, failed runs are reported and skipped.

use std::{
    any::Any,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use burn::tensor::Device;
use burn_ragged::DeviceKind;

use cman_train::{Observer, Protocol, TrainError};

use crate::{
    compare,
    error::ExperimentError,
    machine::Machine,
    outcome::{Outcome, RunResult},
    plan::{Plan, RunSpec},
    results::{RESULTS, Results},
    run::{self, ERROR, RunContext},
    store::RunStore,
    summary::summarise,
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
    /// The backend.
    pub backend: DeviceKind,
    /// The command, for the report.
    pub command: String,
}

/// Observes an experiment.
pub trait ExperimentObserver: Observer {
    /// Before a run with number `number` (from 1) of `total`.
    fn run_start(&mut self, _run: &RunSpec, _number: usize, _total: usize) {}
    /// After a run. `cached`: the run was finished before the experiment started.
    fn run_end(&mut self, _result: &RunResult, _cached: bool) {}
}

/// Ignores all events.
impl ExperimentObserver for () {}

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
    /// # Errors
    /// A folder with results if `resume` is false, an invalid archive, results that cannot be written, and
    /// [`TrainError::Stopped`] if the observer stops the experiment. A failed run is not an error: its result and
    /// `error.txt` in its folder have the reason.
    pub fn run(&self, options: &RunOptions, observer: &mut dyn ExperimentObserver) -> Result<Results, ExperimentError> {
        let out = &options.out;
        let earlier = self.earlier_results(options)?;
        let store = options.store()?;
        for folder in [out.as_path(), store.folder()] {
            fs::create_dir_all(folder).map_err(|source| ExperimentError::io(folder, source))?;
        }
        let device = options
            .backend
            .device()
            .map_err(|error| ExperimentError::Folder { path: out.clone(), reason: error.to_string() })?;
        let folder = relative(out, store.folder())?;
        let mut results = Results::new(self, &options.command, Machine::here(options.backend), folder);
        let comparisons = earlier.map(|earlier| compare::still_valid(earlier, &results, self)).unwrap_or_default();
        results.comparisons.clone_from(&comparisons);
        results.save(out)?;
        for (i, spec) in self.runs.iter().enumerate() {
            observer.run_start(spec, i + 1, self.runs.len());
            let cached = store.is_finished(&spec.id);
            let result = match self.attempt(spec, &store, &device, observer) {
                Err(stopped @ ExperimentError::Train(TrainError::Stopped { .. })) => return Err(stopped),
                outcome => RunResult::new(spec, outcome.map_err(|error| error.to_string())),
            };
            write_error(&store.run(&spec.id), result.error.as_deref())?;
            observer.run_end(&result, cached);
            results.runs.push(result);
            results.rows = summarise(&results.runs);
            results.save(out)?;
        }
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

    /// Finishes a run. A panic is an error of this run and does not stop the experiment.
    fn attempt(
        &self,
        spec: &RunSpec,
        store: &RunStore,
        device: &Device,
        observer: &mut dyn ExperimentObserver,
    ) -> Result<Outcome, ExperimentError> {
        let finish = AssertUnwindSafe(|| self.finish(spec, store, device, observer));
        catch_unwind(finish).unwrap_or_else(|panic| {
            let reason = format!("panicked: {}", panic_message(&*panic));
            Err(ExperimentError::Folder { path: store.run(&spec.id), reason })
        })
    }

    fn finish(
        &self,
        spec: &RunSpec,
        store: &RunStore,
        device: &Device,
        observer: &mut dyn ExperimentObserver,
    ) -> Result<Outcome, ExperimentError> {
        if let Some(outcome) = store.outcome(&spec.id)? {
            return Ok(outcome);
        }
        // The run on train selects the number of epochs of the run on train and dev.
        let epochs = match spec.protocol {
            Protocol::Train => None,
            Protocol::TrainDev => {
                Some(self.finish(&spec.with_protocol(Protocol::Train), store, device, observer)?.epoch)
            }
        };
        let folder = store.run(&spec.id);
        let context = RunContext { folder: &folder, root: &self.root, vectors: self.vectors.as_deref(), device };
        run::run(spec, &context, epochs, observer)?;
        // The outcome is read back, because a number may differ in its last bit after a round trip through JSON.
        let missing =
            || ExperimentError::Folder { path: folder.clone(), reason: "expected an outcome, found none".into() };
        store.outcome(&spec.id)?.ok_or_else(missing)
    }
}

/// Writes the reason of a failure to the run's folder, or removes the reason of an earlier failure.
fn write_error(folder: &Path, error: Option<&str>) -> Result<(), ExperimentError> {
    let path = folder.join(ERROR);
    let fail = |source| ExperimentError::io(&path, source);
    match error {
        Some(error) => {
            fs::create_dir_all(folder).map_err(fail)?;
            fs::write(&path, format!("{error}\n")).map_err(fail)
        }
        None if path.exists() => fs::remove_file(&path).map_err(fail),
        None => Ok(()),
    }
}

/// The message of a panic.
fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

/// The relative path between two existing folders.
fn relative(from: &Path, to: &Path) -> Result<String, ExperimentError> {
    let absolute = |path: &Path| fs::canonicalize(path).map_err(|source| ExperimentError::io(path, source));
    let (from, to) = (absolute(from)?, absolute(to)?);
    let shared = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(shared).map(|_| "..".to_owned());
    let down = to.components().skip(shared).map(|part| part.as_os_str().to_string_lossy().into_owned());
    Ok(up.chain(down).collect::<Vec<_>>().join("/"))
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

    #[test]
    fn the_message_of_a_panic_is_kept() {
        let panic = catch_unwind(|| panic!("{} is wrong", 7)).unwrap_err();
        assert_eq!(panic_message(&*panic), "7 is wrong");
    }
}
