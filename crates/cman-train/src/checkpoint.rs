//! Checkpoints: a killed run resumes and ends with the same bits.
//!
//! A checkpoint is a folder with `state.json`, which names the files of weights and optimizer state. New files are
//! written and synced under new names first. Then `state.json` is replaced by renaming, and only then are the old files
//! removed. The last checkpoint is complete at any time.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use burn::{
    module::Module,
    optim::ModuleOptimizer,
    store::{BurnpackStore, ModuleSnapshot},
};
use cman_data::file::{self, Draft};
use cman_score::Scores;
use serde::{Deserialize, Serialize};

use crate::{
    error::TrainError,
    identity::{CurrentRun, RunIdentity},
    trainable::Trainable,
};

/// The file that names all others.
const STATE: &str = "state.json";
/// Version of its layout. Format 1 names the run by a hash.
const FORMAT: u32 = 2;

/// The folder of a run's checkpoint, and how often it is written within an epoch.
#[derive(Debug)]
pub struct Checkpoints {
    folder: PathBuf,
    every: Duration,
    last: Instant,
    serial: u64,
}

/// Progress of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// Completed epochs.
    pub epoch: usize,
    /// Completed batches of the current epoch.
    pub batch: usize,
    /// Sentences in them.
    pub sentences: usize,
    /// Their tag loss, summed.
    #[serde(with = "bits")]
    pub ner: f64,
    /// Their relation loss, summed.
    #[serde(with = "bits")]
    pub re: f64,
    /// Seconds spent on them.
    pub seconds: f64,
}

/// The best epoch so far.
#[derive(Clone, Debug)]
pub(crate) struct Best {
    pub epoch: usize,
    pub selection_metric: f64,
    pub network: Trainable,
    pub scores: Scores,
}

/// The content of `state.json`.
#[derive(Serialize, Deserialize)]
struct State {
    format: u32,
    run: RunState,
    serial: u64,
    progress: Progress,
    network: String,
    optimizer: String,
    best: Option<BestState>,
}

/// The identity of the run.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum RunState {
    /// Of format 1.
    Hash(String),
    Identity(RunIdentity),
}

/// The version field of `state.json`. The earliest files have none.
#[derive(Deserialize)]
struct Version {
    format: Option<u32>,
}

/// Serializes a float as its bits, since JSON may round it.
mod bits {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[allow(clippy::trivially_copy_pass_by_ref)] // required by serde
    pub fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        value.to_bits().serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        u64::deserialize(deserializer).map(f64::from_bits)
    }
}

#[derive(Serialize, Deserialize)]
struct BestState {
    epoch: usize,
    #[serde(rename = "criterion", with = "bits")]
    selection_metric: f64,
    scores: Scores,
    network: String,
}

/// The content of a checkpoint.
pub(crate) struct Restored {
    pub progress: Progress,
    pub network: Trainable,
    pub optimizer: ModuleOptimizer,
    pub best: Option<Best>,
}

impl Checkpoints {
    /// Writes a checkpoint to `folder` after every epoch, and within an epoch whenever `every` has passed. Other files
    /// in the folder are not touched.
    pub fn new(folder: impl Into<PathBuf>, every: Duration) -> Self {
        Self { folder: folder.into(), every, last: Instant::now(), serial: 0 }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether there is a checkpoint.
    pub fn exists(&self) -> bool {
        self.folder.join(STATE).is_file()
    }

    /// Removes the checkpoint, and its folder if that is then empty.
    ///
    /// # Errors
    /// A file that cannot be removed.
    pub fn clear(&self) -> Result<(), TrainError> {
        // The state first: the other files are meaningless without it.
        let state = self.folder.join(STATE);
        if state.exists() {
            fs::remove_file(&state).map_err(|source| TrainError::io(&state, source))?;
        }
        self.remove_others(&[]);
        _ = fs::remove_dir(&self.folder);
        Ok(())
    }

    pub(crate) fn is_due(&self) -> bool {
        self.last.elapsed() >= self.every
    }

    /// Writes a checkpoint.
    pub(crate) fn write(
        &mut self,
        run: &CurrentRun,
        progress: &Progress,
        network: &Trainable,
        optimizer: &ModuleOptimizer,
        best: Option<&Best>,
    ) -> Result<(), TrainError> {
        fs::create_dir_all(&self.folder).map_err(|source| TrainError::io(&self.folder, source))?;
        self.serial += 1;
        let state = State {
            format: FORMAT,
            run: RunState::Identity(run.identity.clone()),
            serial: self.serial,
            progress: progress.clone(),
            network: format!("network-{}.bpk", self.serial),
            optimizer: format!("optimizer-{}.bpk", self.serial),
            best: best.map(|best| BestState {
                epoch: best.epoch,
                selection_metric: best.selection_metric,
                scores: best.scores.clone(),
                network: format!("best-{}.bpk", best.epoch),
            }),
        };
        write_network(&self.folder.join(&state.network), network)?;
        let path = self.folder.join(&state.optimizer);
        optimizer.save(&path).map_err(|error| TrainError::checkpoint(&path, error.to_string()))?;
        sync(&path)?;
        if let (Some(best), Some(named)) = (best, &state.best)
            && !self.folder.join(&named.network).exists()
        {
            let place = self.folder.join(&named.network);
            let draft = Draft::of(&place);
            write_network(draft.path(), &best.network)?;
            draft.publish().map_err(|source| TrainError::io(&place, source))?;
        }
        let place = self.folder.join(STATE);
        let text = serde_json::to_vec_pretty(&state).map_err(|error| TrainError::io(&place, error.into()))?;
        file::replace(&place, &text).map_err(|source| TrainError::io(&place, source))?;
        sync(&self.folder)?;
        let best = state.best.as_ref().map(|best| best.network.as_str());
        self.remove_others(&[STATE, &state.network, &state.optimizer, best.unwrap_or(STATE)]);
        self.last = Instant::now();
        Ok(())
    }

    /// Removes the checkpoint files that are not `kept`. A file that cannot be removed is removed the next time.
    fn remove_others(&self, kept: &[&str]) {
        let is_ours = |name: &str| {
            let draft = name.strip_prefix('.').and_then(|name| name.strip_suffix(".part"));
            let stem = draft.unwrap_or(name).strip_suffix(".bpk").and_then(|stem| stem.split_once('-'));
            let numbered = |(kind, number): (&str, &str)| {
                ["network", "optimizer", "best"].contains(&kind) && number.bytes().all(|byte| byte.is_ascii_digit())
            };
            stem.is_some_and(numbered) || draft == Some(STATE)
        };
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            if entry.file_name().to_str().is_some_and(|name| is_ours(name) && !kept.contains(&name)) {
                _ = fs::remove_file(entry.path());
            }
        }
    }

    /// Reads the checkpoint of this run into a network of the same shape and a new optimizer.
    pub(crate) fn read(
        &mut self,
        run: &CurrentRun,
        network: &Trainable,
        optimizer: ModuleOptimizer,
    ) -> Result<Restored, TrainError> {
        let path = self.folder.join(STATE);
        let text = fs::read(&path).map_err(|source| TrainError::io(&path, source))?;
        let bad = |error: serde_json::Error| TrainError::checkpoint(&path, error.to_string());
        let Version { format } = serde_json::from_slice(&text).map_err(bad)?;
        if !matches!(format, Some(1 | FORMAT)) {
            let found = format.map_or_else(|| "no format".into(), |format| format!("format {format}"));
            return Err(TrainError::checkpoint(&path, format!("{found}, this library reads formats 1 and {FORMAT}")));
        }
        let state: State = serde_json::from_slice(&text).map_err(bad)?;
        match &state.run {
            RunState::Hash(hash) if *hash == run.hash => {}
            RunState::Hash(_) => {
                let reason = "the checkpoint is of a run with another configuration or other data";
                return Err(TrainError::checkpoint(path, reason));
            }
            RunState::Identity(earlier) => run.check(earlier, &path)?,
        }
        self.serial = state.serial;
        let best = state.best.map(|best| {
            let network = self.read_network(&best.network, network.valid())?;
            let (epoch, selection_metric, scores) = (best.epoch, best.selection_metric, best.scores);
            Ok::<_, TrainError>(Best { epoch, selection_metric, network, scores })
        });
        let path = self.folder.join(&state.optimizer);
        File::open(&path).map_err(|source| TrainError::io(&path, source))?;
        let optimizer = optimizer.load(&path).map_err(|error| TrainError::checkpoint(&path, error.to_string()))?;
        Ok(Restored {
            progress: state.progress,
            network: self.read_network(&state.network, network.clone())?,
            optimizer,
            best: best.transpose()?,
        })
    }

    fn read_network(&self, name: &str, mut network: Trainable) -> Result<Trainable, TrainError> {
        let path = self.folder.join(name);
        let fail = |reason: String| TrainError::checkpoint(&path, reason);
        File::open(&path).map_err(|source| TrainError::io(&path, source))?;
        let mut store = BurnpackStore::from_file(&path).auto_extension(false);
        let result = network.load_from(&mut store).map_err(|error| fail(error.to_string()))?;
        let fits = result.is_success() && result.missing.is_empty() && result.unused.is_empty();
        if fits { Ok(network) } else { Err(fail("the weights do not fit the configuration".into())) }
    }
}

fn write_network(path: &Path, network: &Trainable) -> Result<(), TrainError> {
    let mut store = BurnpackStore::from_file(path).auto_extension(false).overwrite(true);
    network.save_into(&mut store).map_err(|error| TrainError::checkpoint(path, error.to_string()))?;
    sync(path)
}

fn sync(path: &Path) -> Result<(), TrainError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(|source| TrainError::io(path, source))
}
