//! One run: train, evaluate, write down.
//!
//! Its folder holds `run.json` once it is finished, the predictions `dev.jsonl` and `test.jsonl`, the log, the
//! configuration, and until then a checkpoint.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use burn::tensor::Device;
use cman_data::Sentence;
use serde::{Deserialize, Serialize};

use super::{
    Protocol, RunSpec,
    analysis::{Errors, Group, by_distance, by_length, errors},
    corpus::Data,
    plan::encoder_config,
    predictions::write_predictions,
    storage,
};
use crate::{
    Checkpoints, Config, EpochLog, EpochReport, Learner, Model, Observer, RunFacts, TrainError, TrainingData,
    scoring::{Prf, Scores, score_leakage},
};

/// Sentences that go through the network together when they are evaluated.
const BATCH: usize = 32;
/// Between checkpoints within an epoch; there is one after every epoch.
const CHECKPOINT: Duration = Duration::from_secs(600);
/// What makes a run finished.
pub(super) const RUN: &str = "run.json";
/// What a failed run leaves.
pub(super) const ERROR: &str = "error.txt";

/// What a run brought.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The kept epoch.
    pub epoch: usize,
    /// Numbers of the network, but for the vectors of words that do not occur in training.
    pub parameters: usize,
    /// Sentences trained on.
    pub train_sentences: usize,
    /// Sentences the epoch was chosen by.
    pub dev_sentences: usize,
    /// Sentences reported on.
    pub test_sentences: usize,
    /// Test sentences that also occur in the training data.
    pub leaked_test_sentences: usize,
    /// Scores on dev, where there is one.
    pub dev: Option<Scores>,
    /// Scores on test.
    pub test: Scores,
    /// Scores without the test sentences that also occur in the training data.
    pub test_without_leaked: Headline,
    /// Scores when the relations see the gold labels of the entities (Table 3); none where they see no labels.
    pub test_gold_labels: Option<Headline>,
    /// Dev scores by entity distance (figure 4).
    pub distance: Vec<Group>,
    /// Dev scores by sentence length (figure 5).
    pub length: Vec<Group>,
    /// Errors on test.
    pub errors: Errors,
    /// The epochs.
    pub curve: Vec<Point>,
    /// Seconds of training and evaluation, interruptions left out.
    pub seconds: f64,
}

/// The two figures that papers print: strict, all types together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Headline {
    /// Entities.
    pub entities: Prf,
    /// Relations.
    pub relations: Prf,
}

impl From<&Scores> for Headline {
    fn from(scores: &Scores) -> Self {
        Self { entities: scores.entities.strict.micro, relations: scores.relations.strict.micro }
    }
}

/// An epoch of a learning curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Epoch, from 1.
    pub epoch: usize,
    /// Mean tag and relation loss a sentence, together.
    pub loss: f64,
    /// Strict micro F1 of the entities of dev, where there is one.
    pub entities: Option<f64>,
    /// The same for relations.
    pub relations: Option<f64>,
}

/// Where and on what a run takes place.
pub(super) struct Place<'a> {
    pub folder: PathBuf,
    pub root: &'a Path,
    pub vectors: Option<&'a Path>,
    pub device: &'a Device,
}

/// What is read back of an epoch's line in the log.
#[derive(Deserialize)]
struct Epoch {
    epoch: usize,
    ner_loss: f64,
    re_loss: f64,
    dev: Option<Scores>,
    train_seconds: f64,
    dev_seconds: f64,
}

/// Trains from new weights or the last checkpoint to the end; `epochs`: for so many of them, on train and dev.
pub(super) fn train(
    spec: &RunSpec,
    place: &Place,
    epochs: Option<usize>,
    observer: &mut dyn Observer,
) -> Result<(), TrainError> {
    let folder = place.folder.as_path();
    let mut data = spec.source.read(place.root, spec.fold, spec.config.data.overlap)?;
    let mut config = spec.config.clone();
    if spec.protocol == Protocol::TrainDev {
        data.train.append(&mut data.dev);
    }
    if let Some(epochs) = epochs {
        config.train.epochs = epochs;
    }
    fs::create_dir_all(folder).map_err(|source| TrainError::io(folder, source))?;
    storage::replace(&folder.join("config.toml"), config.to_toml().as_bytes())?;
    config.encoder = encoder_config(place.root, &config.encoder);
    let (log, learner) = learner(config, &data, place)?;
    let mut logged = Logged { log, observer, parameters: 0 };
    let trained = learner.run(&mut logged)?;
    let parameters = logged.parameters;

    let start = Instant::now();
    let model = &trained.model;
    let mut dev = None;
    let (mut distance, mut length) = (Vec::new(), Vec::new());
    if !data.dev.is_empty() {
        let (scores, predicted) = evaluate(model, &data.dev, &folder.join("dev.jsonl"))?;
        distance = by_distance(&data.dev, &predicted);
        length = by_length(&data.dev, &predicted, &data.schema)?;
        dev = Some(scores);
    }
    let (test, predicted) = evaluate(model, &data.test, &folder.join("test.jsonl"))?;
    let leakage = score_leakage(&data.train, &data.test, &predicted, &data.schema)?;
    let test_gold_labels = match model.network.labels {
        Some(_) => Some(Headline::from(&model.evaluate(&data.test, BATCH, true)?.0)),
        None => None,
    };
    let epochs = read_log(&folder.join("log.jsonl"))?;
    let point = |epoch: &Epoch| Point {
        epoch: epoch.epoch,
        loss: epoch.ner_loss + epoch.re_loss,
        entities: epoch.dev.as_ref().map(|dev| dev.entities.strict.micro.f1),
        relations: epoch.dev.as_ref().map(|dev| dev.relations.strict.micro.f1),
    };
    let seconds: f64 = epochs.iter().map(|epoch| epoch.train_seconds + epoch.dev_seconds).sum();
    let outcome = Outcome {
        epoch: trained.epoch,
        parameters,
        train_sentences: data.train.len(),
        dev_sentences: data.dev.len(),
        test_sentences: data.test.len(),
        leaked_test_sentences: leakage.leaked.len(),
        dev,
        test,
        test_without_leaked: Headline::from(&leakage.new),
        test_gold_labels,
        distance,
        length,
        errors: errors(&data.test, &predicted),
        curve: epochs.iter().map(point).collect(),
        seconds: seconds + start.elapsed().as_secs_f64(),
    };
    storage::replace_json(&folder.join(RUN), &outcome)?;
    checkpoints(folder).clear()
}

fn checkpoints(folder: &Path) -> Checkpoints {
    Checkpoints::new(folder.join("checkpoint"), CHECKPOINT)
}

/// A learner that stands where its last checkpoint was, and its log.
fn learner(config: Config, data: &Data, place: &Place) -> Result<(EpochLog, Learner), TrainError> {
    let folder = place.folder.as_path();
    let training = TrainingData { schema: &data.schema, train: &data.train, dev: &data.dev };
    let learner = Learner::new(config, training, place.vectors, place.device)?;
    let learner = learner.with_checkpoints(checkpoints(folder), true)?;
    let log = match learner.epochs_done() {
        0 => EpochLog::create(folder)?,
        done => EpochLog::resume(folder, done)?,
    };
    Ok((log, learner))
}

/// The scores of the model; the predictions go to a file.
fn evaluate(model: &Model, gold: &[Sentence], path: &Path) -> Result<(Scores, Vec<Sentence>), TrainError> {
    let (scores, predicted) = model.evaluate(gold, BATCH, false)?;
    write_predictions(path, gold, &predicted)?;
    Ok((scores, predicted))
}

fn read_log(path: &Path) -> Result<Vec<Epoch>, TrainError> {
    let text = fs::read_to_string(path).map_err(|source| TrainError::io(path, source))?;
    let epoch = |(i, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|source| TrainError::Record { path: path.into(), line: i + 1, source })
    };
    text.lines().enumerate().map(epoch).collect()
}

/// Writes the log, and passes everything on.
struct Logged<'a> {
    log: EpochLog,
    observer: &'a mut dyn Observer,
    parameters: usize,
}

impl Observer for Logged<'_> {
    fn start(&mut self, facts: &RunFacts) {
        self.parameters = facts.parameters;
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
