//! The protocol of a run: train, score the test sentences, and score them again without those in the training data.

use std::{
    fmt,
    path::Path,
    time::{Duration, Instant},
};

use burn::tensor::Device;
use cman_data::{Corpus, Schema, Sentence, Splits};
use cman_model::{Config, MemoryLimit};
use cman_score::{LeakageScores, score_leakage};
use serde::{Deserialize, Serialize};

use crate::{
    checkpoint::Checkpoints,
    error::TrainError,
    evaluate::{EVALUATION_BATCH, Evaluation, evaluate},
    identity::RunIdentity,
    learner::{Learner, Trained, TrainingData},
    lock::FolderLock,
    log::EpochLog,
    observer::{EpochReport, Observer, RunFacts},
};

/// The data that a model is trained on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Protocol {
    /// The training data. The best epoch on dev is kept.
    #[serde(rename = "train")]
    Train,
    /// Training and dev data together. The last epoch is kept.
    #[serde(rename = "train+dev")]
    TrainDev,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Train => "train",
            Self::TrainDev => "train+dev",
        })
    }
}

/// Training, dev and test sentences of a run.
#[derive(Clone, Debug)]
pub struct RunData {
    /// The entity and relation types of all sentences.
    pub schema: Schema,
    /// Training sentences.
    pub train: Vec<Sentence>,
    /// Sentences for choosing the epoch. If empty, the last epoch is kept.
    pub dev: Vec<Sentence>,
    /// Test sentences. If empty, nothing is tested.
    pub test: Vec<Sentence>,
    /// What the files contain beyond these sentences.
    pub left_out: LeftOut,
}

/// Number of records that are left out of the data because they are invalid or because entities overlap, as the settings
/// say. Scores on the rest are not scores on the whole file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Of the training data.
    pub train: usize,
    /// Of the dev data.
    pub dev: usize,
    /// Of the test data.
    pub test: usize,
}

impl LeftOut {
    /// Whether nothing is left out.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

impl From<Splits> for RunData {
    fn from(Splits { train, dev, test, schema }: Splits) -> Self {
        let count = |corpus: &Option<Corpus>| corpus.as_ref().map_or(0, |corpus| corpus.report.left_out());
        let left_out = LeftOut { train: train.report.left_out(), dev: count(&dev), test: count(&test) };
        let sentences = |corpus: Option<Corpus>| corpus.map(|corpus| corpus.sentences).unwrap_or_default();
        Self { schema, train: train.sentences, dev: sentences(dev), test: sentences(test), left_out }
    }
}

impl RunData {
    /// The data that a learner reads.
    pub fn training(&self) -> TrainingData<'_> {
        TrainingData { schema: &self.schema, train: &self.train, dev: &self.dev }
    }

    /// The data as the protocol divides them.
    pub fn by(mut self, protocol: Protocol) -> Self {
        if protocol == Protocol::TrainDev {
            self.train.append(&mut self.dev);
            self.left_out.train += std::mem::take(&mut self.left_out.dev);
        }
        self
    }
}

/// The environment of a run: files and device.
#[derive(Clone, Copy, Debug)]
pub struct RunPlace<'a> {
    /// The folder of the log and, until the run is finished, of the checkpoint. Only its writer may train.
    pub lock: &'a FolderLock,
    /// A file of word vectors.
    pub vectors: Option<&'a Path>,
    /// The device, without autodiff.
    pub device: &'a Device,
    /// Time between checkpoints within an epoch. There is always one after an epoch.
    pub checkpoint_every: Duration,
    /// Whether to resume from an existing checkpoint. If false, it is removed.
    pub resume: bool,
    /// How much memory the run may take.
    pub max_memory: MemoryLimit,
}

impl RunPlace<'_> {
    /// The checkpoints of the run. [`train_and_test`] keeps the last one; the caller [clears](Checkpoints::clear) it
    /// after writing the results.
    pub fn checkpoints(&self) -> Checkpoints {
        Checkpoints::new(self.lock.folder().join("checkpoint"), self.checkpoint_every)
    }
}

/// A trained model with its scores on the test sentences.
#[derive(Clone, Debug)]
pub struct Tested {
    /// The model and its epoch.
    pub trained: Trained,
    /// Facts known before training.
    pub facts: RunFacts,
    /// What decided the result.
    pub identity: RunIdentity,
    /// The scores on test, if there are test sentences.
    pub test: Option<TestReport>,
    /// Seconds of the test.
    pub test_seconds: f64,
}

/// The scores of a model on test sentences.
#[derive(Clone, Debug)]
pub struct TestReport {
    /// Scores on all sentences.
    pub all: Evaluation,
    /// Scores with and without the sentences that also occur in the training data.
    pub leakage: LeakageScores,
}

/// Trains, from new weights or the last checkpoint, and scores the test sentences. Every epoch is reported to the log
/// in the folder of the run and to `observer`.
///
/// # Errors
/// As [`Learner::new`], [`Learner::with_checkpoints`] and [`Learner::run`]; a test sentence with a type that is not in
/// the schema.
pub fn train_and_test(
    config: Config,
    data: &RunData,
    place: &RunPlace,
    observer: &mut dyn Observer,
) -> Result<Tested, TrainError> {
    let learner = Learner::within(config, data.training(), place.vectors, place.device, place.max_memory)?;
    learner.check_prediction("test", &data.test, EVALUATION_BATCH)?;
    let learner = learner.with_checkpoints(place.checkpoints(), place.resume)?;
    let log = match learner.epochs_done() {
        0 => EpochLog::create(place.lock.folder())?,
        done => EpochLog::resume(place.lock.folder(), done)?,
    };
    let (facts, identity) = (learner.facts().clone(), learner.identity().clone());
    let trained = learner.run(&mut Logged { log, observer })?;
    let start = Instant::now();
    let test = if data.test.is_empty() { None } else { Some(test(&trained, data)?) };
    Ok(Tested { trained, facts, identity, test, test_seconds: start.elapsed().as_secs_f64() })
}

fn test(trained: &Trained, data: &RunData) -> Result<TestReport, TrainError> {
    let all = evaluate(&trained.model, &data.test, EVALUATION_BATCH, false)?;
    let leakage = score_leakage(&data.train, &data.test, &all.predicted, &data.schema)?;
    Ok(TestReport { all, leakage })
}

/// Writes the log and forwards every report.
struct Logged<'a> {
    log: EpochLog,
    observer: &'a mut dyn Observer,
}

impl Observer for Logged<'_> {
    fn start(&mut self, facts: &RunFacts) {
        self.observer.start(facts);
    }

    fn epoch_start(&mut self, epoch: usize, batches: usize) {
        self.observer.epoch_start(epoch, batches);
    }

    fn batch(&mut self, batch: usize, loss: f64) {
        self.observer.batch(batch, loss);
    }

    fn wants_stop(&mut self) -> bool {
        self.observer.wants_stop()
    }

    fn epoch(&mut self, report: &EpochReport) -> Result<(), TrainError> {
        self.log.write(report)?;
        self.observer.epoch(report)
    }
}
