//! Trains the runs of a plan, several at a time. Runs that other processes train are waited for at the end.

use std::{
    any::Any,
    collections::VecDeque,
    fs,
    io::ErrorKind,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use burn::tensor::Device;
use cman_model::MemoryLimit;
use cman_train::{FolderLock, Observer, Protocol, TrainError};
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::{
    claim::claim,
    error::ExperimentError,
    observer::ExperimentObserver,
    outcome::{Outcome, RunResult},
    plan::{Plan, RunSpec},
    results::Results,
    run::{self, ERROR, RunContext},
    store::RunStore,
    summary::summarise,
};

/// Time between two attempts at a run that is locked.
const RETRY: Duration = Duration::from_secs(1);
/// Time between two looks at Ctrl-C while waiting.
const PAUSE: Duration = Duration::from_millis(50);

/// What the jobs of an experiment share.
pub(crate) struct Jobs<'a> {
    plan: &'a Plan,
    store: &'a RunStore,
    device: &'a Device,
    max_memory: MemoryLimit,
    /// The folder for the results.
    out: &'a Path,
    observer: &'a dyn ExperimentObserver,
    queue: Mutex<VecDeque<Pending>>,
    done: Mutex<Done>,
    /// The first error that ends the experiment.
    error: Mutex<Option<ExperimentError>>,
}

/// A run of the plan that has no result yet.
struct Pending {
    /// Its place in the plan.
    index: usize,
    /// When to try it again, if it was locked.
    retry: Option<Instant>,
}

struct Done {
    results: Results,
    /// The place in the plan of every run of the results, in increasing order.
    indices: Vec<usize>,
}

impl<'a> Jobs<'a> {
    /// Jobs for all runs of a plan.
    pub fn new(
        plan: &'a Plan,
        store: &'a RunStore,
        (device, max_memory): (&'a Device, MemoryLimit),
        out: &'a Path,
        observer: &'a dyn ExperimentObserver,
        results: Results,
    ) -> Self {
        let pending = (0..plan.runs.len()).map(|index| Pending { index, retry: None });
        let queue = Mutex::new(pending.collect());
        let done = Mutex::new(Done { results, indices: Vec::new() });
        Self { plan, store, device, max_memory, out, observer, queue, done, error: Mutex::new(None) }
    }

    /// Runs `n` jobs and returns the results of all runs, which are saved after every run.
    pub fn run(self, n: usize) -> Result<Results, ExperimentError> {
        match n.min(self.plan.runs.len()) {
            0 | 1 => self.work(),
            n => {
                let pools = divide_threads(n)?;
                thread::scope(|scope| {
                    for pool in &pools {
                        scope.spawn(|| pool.install(|| self.work()));
                    }
                });
            }
        }
        match self.error.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error),
            None => Ok(self.done.into_inner().unwrap_or_else(PoisonError::into_inner).results),
        }
    }

    /// Takes run after run, until none is left or one ends the experiment.
    fn work(&self) {
        while locked(&self.error).is_none()
            && let Some(pending) = { locked(&self.queue).pop_front() }
        {
            if let Err(error) = self.take(pending) {
                locked(&self.error).get_or_insert(error);
            }
        }
    }

    /// Finishes a run, or puts it off if it is locked.
    fn take(&self, pending: Pending) -> Result<(), ExperimentError> {
        let Pending { index, retry } = pending;
        while retry.is_some_and(|retry| Instant::now() < retry) {
            if self.observer.wants_stop() || locked(&self.error).is_some() {
                return Err(ExperimentError::Stopped);
            }
            thread::sleep(PAUSE);
        }
        let spec = &self.plan.runs[index];
        match claim(spec, self.store) {
            Err(ExperimentError::Train(TrainError::Locked { holder, .. })) => {
                let is_elsewhere = holder.as_ref().is_none_or(|holder| !holder.is_this_process());
                if retry.is_none() && is_elsewhere {
                    self.observer.run_waits(spec, index + 1, self.plan.runs.len(), holder.as_ref());
                }
                locked(&self.queue).push_back(Pending { index, retry: Some(Instant::now() + RETRY) });
                Ok(())
            }
            claimed => self.finish(index, claimed),
        }
    }

    /// Trains what is left to train for a run, and records its result.
    fn finish(
        &self,
        index: usize,
        claimed: Result<Vec<(RunSpec, FolderLock)>, ExperimentError>,
    ) -> Result<(), ExperimentError> {
        let (spec, number, total) = (&self.plan.runs[index], index + 1, self.plan.runs.len());
        let cached = claimed.as_ref().is_ok_and(Vec::is_empty);
        let mut observer = self.observer.run_start(spec, number, total);
        let outcome = claimed.and_then(|runs| self.attempt(spec, runs, &mut *observer));
        drop(observer);
        let result = match outcome {
            Err(stopped @ ExperimentError::Train(TrainError::Stopped { .. })) => return Err(stopped),
            outcome => RunResult::new(spec, outcome.map_err(|error| error.to_string())),
        };
        write_error(&self.store.run(&spec.id), result.error.as_deref())?;
        self.observer.run_end(&result, number, total, cached);
        let Done { results, indices } = &mut *locked(&self.done);
        let place = indices.partition_point(|&other| other < index);
        indices.insert(place, index);
        results.runs.insert(place, result);
        results.rows = summarise(&results.runs);
        results.save(self.out)
    }

    /// The outcome of a run, after the `runs` to train for it. A panic is an error of this run and does not stop the
    /// experiment.
    fn attempt(
        &self,
        spec: &RunSpec,
        runs: Vec<(RunSpec, FolderLock)>,
        observer: &mut dyn Observer,
    ) -> Result<Outcome, ExperimentError> {
        let train = || runs.into_iter().try_for_each(|(run, lock)| self.train(&run, &lock, observer));
        catch_unwind(AssertUnwindSafe(train)).unwrap_or_else(|panic| {
            let reason = format!("panicked: {}", panic_message(&*panic));
            Err(ExperimentError::Folder { path: self.store.run(&spec.id), reason })
        })?;
        // The outcome is read back, because a number may differ in its last bit after a round trip through JSON.
        self.outcome(spec)
    }

    fn train(&self, run: &RunSpec, lock: &FolderLock, observer: &mut dyn Observer) -> Result<(), ExperimentError> {
        if let Some(reason) = lock.unsupported() {
            self.observer.unlocked(lock.folder(), reason);
        }
        let epochs = match run.protocol {
            Protocol::Train => None,
            Protocol::TrainDev => Some(self.outcome(&run.with_protocol(Protocol::Train))?.epoch),
        };
        let Plan { root, vectors, .. } = self.plan;
        let context =
            RunContext { lock, root, vectors: vectors.as_deref(), device: self.device, max_memory: self.max_memory };
        run::run(run, &context, epochs, observer)
    }

    /// The outcome of a finished run.
    fn outcome(&self, spec: &RunSpec) -> Result<Outcome, ExperimentError> {
        let reason = || "expected an outcome, found none".into();
        let missing = || ExperimentError::Folder { path: self.store.run(&spec.id), reason: reason() };
        self.store.outcome(&spec.id)?.ok_or_else(missing)
    }
}

/// Thread pools for `n` jobs, which together have as many threads as the current pool, but at least one each.
fn divide_threads(n: usize) -> Result<Vec<ThreadPool>, ExperimentError> {
    let threads = rayon::current_num_threads();
    let pool =
        |job| ThreadPoolBuilder::new().num_threads((threads / n + usize::from(job < threads % n)).max(1)).build();
    let fail = |error: rayon::ThreadPoolBuildError| ExperimentError::Config {
        place: format!("{n} jobs"),
        message: error.to_string(),
    };
    (0..n).map(|job| pool(job).map_err(fail)).collect()
}

/// The locked value. A thread that panicked left it complete: every change is a single call.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
        None if path.exists() => match fs::remove_file(&path) {
            // Another experiment has removed it.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            removed => removed.map_err(fail),
        },
        None => Ok(()),
    }
}

/// The message of a panic.
fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_of_a_panic_is_kept() {
        let panic = catch_unwind(|| panic!("{} is wrong", 7)).unwrap_err();
        assert_eq!(panic_message(&*panic), "7 is wrong");
    }

    #[test]
    fn the_jobs_divide_the_threads() {
        let pool = ThreadPoolBuilder::new().num_threads(5).build().unwrap();
        let divided = |n| pool.install(|| divide_threads(n).unwrap());
        let threads = |n| divided(n).iter().map(ThreadPool::current_num_threads).collect::<Vec<_>>();
        assert_eq!((threads(2), threads(3), threads(7)), (vec![3, 2], vec![2, 2, 1], vec![1; 7]));
    }
}
