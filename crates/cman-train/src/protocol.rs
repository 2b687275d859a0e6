//! The protocol of a run: train, score the test sentences, score them again without those that were trained on.

use std::{
    fmt,
    path::Path,
    time::{Duration, Instant},
};

use burn::tensor::Device;
use cman_data::{Schema, Sentence};
use cman_model::Config;
use cman_score::{LeakageScores, score_leakage};
use serde::{Deserialize, Serialize};

use crate::{
    Checkpoints, EVALUATION_BATCH, EpochLog, EpochReport, Evaluation, Learner, Observer, RunFacts, TrainError, Trained,
    TrainingData, evaluate,
};

/// What a model is trained on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Protocol {
    /// The training data; the epoch is the best on dev.
    #[serde(rename = "train")]
    Train,
    /// Training and dev data together, from new weights, for all epochs.
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

/// Sentences to learn from, to choose the epoch by and to report on.
#[derive(Clone, Debug)]
pub struct RunData {
    /// The types; every sentence keeps to them.
    pub schema: Schema,
    /// Sentences to learn from.
    pub train: Vec<Sentence>,
    /// Sentences to choose the epoch by; none: the last epoch is kept.
    pub dev: Vec<Sentence>,
    /// Sentences to report on; none: nothing is reported.
    pub test: Vec<Sentence>,
}

impl RunData {
    /// The same data as a protocol uses them.
    pub fn by(mut self, protocol: Protocol) -> Self {
        if protocol == Protocol::TrainDev {
            self.train.append(&mut self.dev);
        }
        self
    }
}

/// Where and with what a run takes place.
#[derive(Clone, Copy, Debug)]
pub struct RunPlace<'a> {
    /// The folder for the log and, until the run is finished, the checkpoint.
    pub folder: &'a Path,
    /// A file of word vectors.
    pub vectors: Option<&'a Path>,
    /// The device, without autodiff.
    pub device: &'a Device,
    /// Time between checkpoints within an epoch; there is one after every epoch.
    pub checkpoint_every: Duration,
    /// Whether to go on from the checkpoint, if there is one; else it is removed.
    pub resume: bool,
}

impl RunPlace<'_> {
    /// The checkpoints of the run. [`train_and_test`] leaves the last one: its caller removes it by
    /// [`clear`](Checkpoints::clear) after the results are written.
    pub fn checkpoints(&self) -> Checkpoints {
        Checkpoints::new(self.folder.join("checkpoint"), self.checkpoint_every)
    }
}

/// A trained model with its scores on the test sentences.
#[derive(Clone, Debug)]
pub struct Tested {
    /// The model, and how it came about.
    pub trained: Trained,
    /// What was known before training.
    pub facts: RunFacts,
    /// The scores on test, where there is one.
    pub test: Option<TestReport>,
    /// Seconds that the scoring took.
    pub test_seconds: f64,
}

/// The scores of a model on test sentences.
#[derive(Clone, Debug)]
pub struct TestReport {
    /// All sentences.
    pub all: Evaluation,
    /// With and without the sentences that the training data holds too.
    pub leakage: LeakageScores,
}

/// Trains, from new weights or the last checkpoint, and scores the test sentences. Every epoch goes to the log in the
/// run's folder and to `observer`.
///
/// # Errors
/// As [`Learner::new`], [`Learner::with_checkpoints`] and [`Learner::run`]; test sentences of a type that the training
/// data does not have.
pub fn train_and_test(
    config: Config,
    data: &RunData,
    place: &RunPlace,
    observer: &mut dyn Observer,
) -> Result<Tested, TrainError> {
    let training = TrainingData { schema: &data.schema, train: &data.train, dev: &data.dev };
    let learner = Learner::new(config, training, place.vectors, place.device)?;
    let learner = learner.with_checkpoints(place.checkpoints(), place.resume)?;
    let log = match learner.epochs_done() {
        0 => EpochLog::create(place.folder)?,
        done => EpochLog::resume(place.folder, done)?,
    };
    let facts = learner.facts().clone();
    let trained = learner.run(&mut Logged { log, observer })?;
    let start = Instant::now();
    let test = if data.test.is_empty() { None } else { Some(test(&trained, data)?) };
    Ok(Tested { trained, facts, test, test_seconds: start.elapsed().as_secs_f64() })
}

fn test(trained: &Trained, data: &RunData) -> Result<TestReport, TrainError> {
    let all = evaluate(&trained.model, &data.test, EVALUATION_BATCH, false)?;
    let leakage = score_leakage(&data.train, &data.test, &all.predicted, &data.schema)?;
    Ok(TestReport { all, leakage })
}

/// Writes the log, and passes everything on.
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
