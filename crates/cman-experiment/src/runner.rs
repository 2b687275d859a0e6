//! Carrying out a plan: finished runs are kept, broken ones go on, failed ones are told and passed over.

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
    ExperimentError, Machine, Outcome, Plan, Results, RunResult, RunSpec, compare,
    results::RESULTS,
    run::{self, ERROR, Place, RUN},
    storage,
    summary::summarise,
};

/// Where an experiment is written, and how.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// The folder for `results.json`.
    pub out: PathBuf,
    /// The folder for the runs, which experiments may share; default: `runs` in `out`.
    pub runs: Option<PathBuf>,
    /// Whether `out` may hold results of this experiment already.
    pub resume: bool,
    /// The backend to compute on.
    pub backend: DeviceKind,
    /// The command, for the report.
    pub command: String,
}

/// Listens to an experiment.
pub trait ExperimentObserver: Observer {
    /// Before a run, which is number `number` (from 1) of `total`.
    fn run_start(&mut self, _run: &RunSpec, _number: usize, _total: usize) {}
    /// After a run; `cached`: it had been finished before.
    fn run_end(&mut self, _result: &RunResult, _cached: bool) {}
}

/// Listens to nothing.
impl ExperimentObserver for () {}

impl Plan {
    /// Carries the plan out. After every run `results.json` is written anew.
    ///
    /// # Errors
    /// A folder that holds results where `resume` was not given, results that cannot be written, and
    /// [`TrainError::Stopped`] if the observer wants to stop. A run that fails is no error: the reason is in its
    /// result, and in `error.txt` in its folder.
    pub fn run(&self, options: &RunOptions, observer: &mut dyn ExperimentObserver) -> Result<Results, ExperimentError> {
        let out = &options.out;
        if out.join(RESULTS).exists() {
            let refuse = |reason: String| Err(ExperimentError::Folder { path: out.clone(), reason });
            let other = Results::load(out)?.name;
            if other != self.experiment.name {
                return refuse(format!("holds results of another experiment, `{other}`"));
            }
            if !options.resume {
                return refuse("holds results already (--resume goes on with them)".into());
            }
        }
        let runs = options.runs.clone().unwrap_or_else(|| out.join("runs"));
        for folder in [out, &runs] {
            fs::create_dir_all(folder).map_err(|source| ExperimentError::io(folder, source))?;
        }
        let device = options
            .backend
            .device()
            .map_err(|error| ExperimentError::Folder { path: out.clone(), reason: error.to_string() })?;
        let folder = relative(out, &runs)?;
        let mut results = Results::new(self, &options.command, Machine::here(options.backend), folder);
        results.save(out)?;
        for (i, spec) in self.runs.iter().enumerate() {
            observer.run_start(spec, i + 1, self.runs.len());
            let cached = runs.join(&spec.id).join(RUN).exists();
            let result = match self.attempt(spec, &runs, &device, observer) {
                Err(stopped @ ExperimentError::Train(TrainError::Stopped { .. })) => return Err(stopped),
                outcome => RunResult::new(spec, outcome.map_err(|error| error.to_string())),
            };
            note_error(&runs.join(&spec.id), result.error.as_deref())?;
            observer.run_end(&result, cached);
            results.runs.push(result);
            results.rows = summarise(&results.runs);
            results.save(out)?;
        }
        results.comparisons = compare::compare(&results, &runs)?;
        results.save(out)?;
        Ok(results)
    }

    /// Finishes a run. A panic is its failure, not that of the experiment.
    fn attempt(
        &self,
        spec: &RunSpec,
        runs: &Path,
        device: &Device,
        observer: &mut dyn ExperimentObserver,
    ) -> Result<Outcome, ExperimentError> {
        let finish = AssertUnwindSafe(|| self.finish(spec, runs, device, observer));
        catch_unwind(finish).unwrap_or_else(|panic| {
            Err(ExperimentError::Folder { path: runs.join(&spec.id), reason: format!("panicked: {}", words(&*panic)) })
        })
    }

    fn finish(
        &self,
        spec: &RunSpec,
        runs: &Path,
        device: &Device,
        observer: &mut dyn ExperimentObserver,
    ) -> Result<Outcome, ExperimentError> {
        let folder = runs.join(&spec.id);
        if !folder.join(RUN).exists() {
            // How long to train on train and dev together is what training on train alone found out.
            let epochs = match spec.protocol {
                Protocol::Train => None,
                Protocol::TrainDev => {
                    let twin = self.finish(&spec.with_protocol(Protocol::Train), runs, device, observer)?;
                    Some(twin.epoch)
                }
            };
            let place = Place { folder: &folder, root: &self.root, vectors: self.vectors.as_deref(), device };
            run::run(spec, &place, epochs, observer)?;
        }
        // Read back, also when it was written just now: JSON need not give a number back to the last bit.
        storage::read_json(&folder.join(RUN))
    }
}

/// Leaves the reason of a failure in the run's folder, or takes that of an earlier one away.
fn note_error(folder: &Path, error: Option<&str>) -> Result<(), ExperimentError> {
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

/// What a panic said.
fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without a word")
}

/// The way from one folder to another, both of which exist.
fn relative(from: &Path, to: &Path) -> Result<String, ExperimentError> {
    let whole = |path: &Path| fs::canonicalize(path).map_err(|source| ExperimentError::io(path, source));
    let (from, to) = (whole(from)?, whole(to)?);
    let shared = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    let up = from.components().skip(shared).map(|_| "..".to_owned());
    let down = to.components().skip(shared).map(|part| part.as_os_str().to_string_lossy().into_owned());
    Ok(up.chain(down).collect::<Vec<_>>().join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_find_each_other() {
        let root = tempfile::tempdir().unwrap();
        let [a, b] = ["a/x", "a/y/z"].map(|name| root.path().join(name));
        [&a, &b].into_iter().for_each(|path| fs::create_dir_all(path).unwrap());
        assert_eq!(relative(&a, &b).unwrap(), "../y/z");
        assert_eq!(relative(root.path(), &a).unwrap(), "a/x");
    }

    #[test]
    fn a_panic_has_words() {
        let said = catch_unwind(|| panic!("{} is wrong", 7)).unwrap_err();
        assert_eq!(words(&*said), "7 is wrong");
    }
}
