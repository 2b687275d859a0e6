//! `cman experiment`: runs an experiment file.

use std::{
    env,
    io::{self, Write},
    num::{NonZeroU16, NonZeroUsize},
    path::{Path, PathBuf},
    sync::Once,
};

use anyhow::{Result, bail};
use cman_experiment::{ExperimentError, ExperimentObserver, Plan, PlanOptions, RunOptions, RunResult, RunSpec};
use cman_train::{LockHolder, Observer, TrainError};
use indicatif::{MultiProgress, ProgressBar};

use crate::{
    args::{DeviceArgs, MemoryArgs},
    hint::{RESUME, hinted},
    notes::note_unlocked,
    progress::{BatchBar, Interrupt, f1, print_line},
};

/// Run an experiment file: several systems, corpora, folds and seeds
///
/// Finished runs are not trained again. An interrupted run resumes from its last checkpoint. A failed run does not stop
/// the others. Several processes, also on several machines, may share a folder for runs: each run is trained by one of
/// them. The results are written to results.json, the input of `cman report`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cman experiment experiments/sample.toml --out sample && cman report sample
  cman experiment experiments/table1.toml --data corpora/ --out table1 --runs runs --seeds 1,2,3
  cman experiment experiments/table1.toml --data corpora/ --out table1 --runs runs --resume
  cman experiment experiments/table1.toml --data corpora/ --out table1 --archive runs.jsonl
  cman experiment experiments/table1.toml --data corpora/ --out table1 --jobs 4")]
pub struct Args {
    /// Experiment file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Folder for the results
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Folder with the corpora and word vectors; default: the folder of FILE
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Word vectors; replaces the key `vectors`
    #[arg(long, value_name = "FILE")]
    vectors: Option<PathBuf>,
    /// Folder for runs, which experiments may share; default: `runs` in the folder for the results
    #[arg(long, value_name = "DIR")]
    runs: Option<PathBuf>,
    /// File of finished runs, written by `cman archive`; read for runs that are not in the folder for runs
    #[arg(long, value_name = "FILE")]
    archive: Option<PathBuf>,
    /// Seeds; replaces the key `seeds`
    #[arg(long, value_name = "N,N", value_delimiter = ',')]
    seeds: Option<Vec<u64>>,
    /// Setting of every system; overrides the file, may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
    /// Continue an experiment that has results
    #[arg(long)]
    resume: bool,
    /// Number of runs to train at a time; they divide the threads among them
    #[arg(long, value_name = "N", default_value_t = NonZeroU16::MIN)]
    jobs: NonZeroU16,
    /// List the runs without training
    #[arg(long)]
    plan: bool,
    #[command(flatten)]
    device: DeviceArgs,
    #[command(flatten)]
    memory: MemoryArgs,
}

/// Runs the subcommand.
pub fn run(args: Args) -> Result<()> {
    let options = PlanOptions { data: args.data, vectors: args.vectors, seeds: args.seeds, set: args.settings };
    let plan = Plan::load(&args.file, &options)?;
    let options = RunOptions {
        out: args.out.clone(),
        runs: args.runs,
        archive: args.archive,
        resume: args.resume,
        jobs: NonZeroUsize::from(args.jobs),
        backend: args.device.device,
        command: command(env::args_os().skip(1).map(|arg| arg.to_string_lossy().into_owned())),
        max_memory: args.memory.max_memory,
    };
    if args.plan {
        let (store, mut out) = (options.store()?, io::stdout().lock());
        for run in &plan.runs {
            let finished = if store.is_finished(&run.id) { "  (finished)" } else { "" };
            writeln!(out, "{}  {}{finished}", run.id, describe(run))?;
        }
        return Ok(());
    }
    let progress = RunProgress { bars: MultiProgress::new(), interrupt: Interrupt::new()?, noted: Once::new() };
    let results = plan.run(&options, &progress).map_err(|error| match error {
        ExperimentError::Train(TrainError::Stopped { .. }) | ExperimentError::Stopped => hinted(error, RESUME),
        error => error.into(),
    })?;
    let failed = results.runs.iter().filter(|run| run.error.is_some()).count();
    let results_file = args.out.join("results.json");
    writeln!(io::stdout().lock(), "wrote {}", results_file.display())?;
    if failed > 0 {
        bail!("{}: {failed} of {} runs failed", results_file.display(), results.runs.len());
    }
    Ok(())
}

/// `CMAN, CoNLL04, train, seed 1, fold 3`.
fn describe(run: &RunSpec) -> String {
    let fold = run.fold.map_or_else(String::new, |fold| format!(", fold {fold}"));
    format!("{}, {}, {}, seed {}{fold}", run.system, run.corpus, run.protocol, run.config.seed)
}

/// The command, quoted for a shell.
fn command(args: impl Iterator<Item = String>) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=,:+@%".contains(c);
    let quote = |arg: String| match !arg.is_empty() && arg.chars().all(plain) {
        true => arg,
        false => format!("'{}'", arg.replace('\'', r"'\''")),
    };
    ["cman".to_owned()].into_iter().chain(args.map(quote)).collect::<Vec<_>>().join(" ")
}

/// Writes one line at the start and one at the end of each run to standard output. A terminal also shows a bar of the
/// batches for every run in progress.
struct RunProgress {
    bars: MultiProgress,
    interrupt: Interrupt,
    /// Whether a folder without a lock was noted.
    noted: Once,
}

/// The bar of a run, which is removed at its end.
struct RunBar(BatchBar, Interrupt);

impl RunProgress {
    /// Writes a line above the bars.
    fn print_line(&self, line: &str) {
        self.bars.suspend(|| print_line(line));
    }
}

impl ExperimentObserver for RunProgress {
    fn run_start<'a>(&'a self, run: &RunSpec, number: usize, total: usize) -> Box<dyn Observer + Send + 'a> {
        self.print_line(&format!("run {number}/{total}  {}", describe(run)));
        let bar = self.bars.add(ProgressBar::no_length()).with_prefix(format!("run {number}/{total}  "));
        Box::new(RunBar(BatchBar::new(bar, run.config.train.epochs), self.interrupt.clone()))
    }

    fn run_waits(&self, run: &RunSpec, number: usize, total: usize, holder: Option<&LockHolder>) {
        let holder = holder.map_or_else(
            || "another process is training it".into(),
            |LockHolder { process, host, since }| {
                format!("process {process} on host {host} has been training it since {since}")
            },
        );
        self.print_line(&format!("run {number}/{total}  {}: put off, {holder}", describe(run)));
    }

    fn run_end(&self, result: &RunResult, number: usize, total: usize, cached: bool) {
        let line = match (&result.outcome, &result.error) {
            (Some(outcome), _) => {
                let dev = outcome.dev.as_ref().map_or_else(String::new, |dev| format!("  dev {}", f1(dev)));
                let cached = if cached { "  (finished before)" } else { "" };
                format!("epoch {:3}{dev}  test {}  {:.1} s{cached}", outcome.epoch, f1(&outcome.test), outcome.seconds)
            }
            (None, error) => format!("failed: {}", error.as_deref().unwrap_or_default()),
        };
        self.print_line(&format!("run {number}/{total}  {line}"));
    }

    fn unlocked(&self, folder: &Path, reason: &io::Error) {
        self.noted.call_once(|| self.bars.suspend(|| note_unlocked(folder, reason)));
    }

    fn wants_stop(&self) -> bool {
        self.interrupt.is_set()
    }
}

impl Observer for RunBar {
    fn epoch_start(&mut self, epoch: usize, batches: usize) {
        self.0.epoch_start(epoch, batches);
    }

    fn batch(&mut self, batch: usize, _loss: f64) {
        self.0.batch(batch);
    }

    fn wants_stop(&mut self) -> bool {
        self.1.is_set()
    }
}

impl Drop for RunBar {
    fn drop(&mut self) {
        self.0.finish();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_quoted_for_a_shell() {
        let args = ["experiment", "my file.toml", "--set", "model.word.lowercase=true", "it's"];
        let expected = r"cman experiment 'my file.toml' --set model.word.lowercase=true 'it'\''s'";
        assert_eq!(command(args.map(str::to_owned).into_iter()), expected);
    }
}
