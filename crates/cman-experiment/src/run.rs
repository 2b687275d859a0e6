//! One run: train, evaluate, write down.
//!
//! Its folder holds `run.json` once it is finished, the predictions `dev.jsonl` and `test.jsonl`, the log, the
//! configuration, and until then a checkpoint.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use burn::tensor::Device;
use cman_data::Sentence;
use cman_score::{Prf, Scores};
use cman_train::{EVALUATION_BATCH, Evaluation, Observer, RunPlace, TrainError, Trained, evaluate, train_and_test};
use serde::{Deserialize, Serialize};

use crate::{
    ExperimentError, RunSpec,
    analysis::{Errors, Group, by_distance, by_length, errors},
    plan::encoder_config,
    predictions::write_predictions,
    storage,
};

/// Between checkpoints within an epoch; there is one after every epoch.
const CHECKPOINT: Duration = Duration::from_secs(600);
/// What makes a run finished.
pub(crate) const RUN: &str = "run.json";
/// What a failed run leaves.
pub(crate) const ERROR: &str = "error.txt";

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
pub(crate) struct Place<'a> {
    pub folder: &'a Path,
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

/// Trains from new weights or the last checkpoint to the end, evaluates and writes the outcome; `epochs`: for so many
/// of them, in place of the configuration's.
pub(crate) fn run(
    spec: &RunSpec,
    place: &Place,
    epochs: Option<usize>,
    observer: &mut dyn Observer,
) -> Result<(), ExperimentError> {
    let folder = place.folder;
    let data = spec.source.read(place.root, spec.fold, spec.config.data.overlap)?.by(spec.protocol);
    let mut config = spec.config.clone();
    config.train.epochs = epochs.unwrap_or(config.train.epochs);
    fs::create_dir_all(folder).map_err(|source| ExperimentError::io(folder, source))?;
    storage::replace(&folder.join("config.toml"), config.to_toml().as_bytes())?;
    config.encoder = encoder_config(place.root, &config.encoder);
    let (vectors, device) = (place.vectors, place.device);
    let place = RunPlace { folder, vectors, device, checkpoint_every: CHECKPOINT, resume: true };
    let tested = train_and_test(config, &data, &place, observer)?;
    let Some(test) = tested.test else {
        return Err(TrainError::NoSentences { part: "test data", purpose: "report on" }.into());
    };

    let start = Instant::now();
    write_predictions(&folder.join("test.jsonl"), &data.test, &test.all.predicted)?;
    let (mut dev, mut distance, mut length) = (None, Vec::new(), Vec::new());
    if !data.dev.is_empty() {
        let Evaluation { scores, predicted } = evaluate(&tested.trained.model, &data.dev, EVALUATION_BATCH, false)?;
        write_predictions(&folder.join("dev.jsonl"), &data.dev, &predicted)?;
        distance = by_distance(&data.dev, &predicted);
        length = by_length(&data.dev, &predicted, &data.schema)?;
        dev = Some(scores);
    }
    let test_gold_labels = with_gold_labels(&tested.trained, &data.test)?;
    let log = read_log(&folder.join("log.jsonl"))?;
    let seconds: f64 = log.iter().map(|epoch| epoch.train_seconds + epoch.dev_seconds).sum();
    let outcome = Outcome {
        epoch: tested.trained.epoch,
        parameters: tested.facts.parameters,
        train_sentences: data.train.len(),
        dev_sentences: data.dev.len(),
        test_sentences: data.test.len(),
        leaked_test_sentences: test.leakage.leaked.len(),
        dev,
        test: test.all.scores,
        test_without_leaked: Headline::from(&test.leakage.new),
        test_gold_labels,
        distance,
        length,
        errors: errors(&data.test, &test.all.predicted),
        curve: log.iter().map(Point::from).collect(),
        seconds: seconds + tested.test_seconds + start.elapsed().as_secs_f64(),
    };
    storage::replace_json(&folder.join(RUN), &outcome)?;
    Ok(place.checkpoints().clear()?)
}

/// The scores with gold labels, of a network whose relations see labels.
fn with_gold_labels(trained: &Trained, test: &[Sentence]) -> Result<Option<Headline>, ExperimentError> {
    if trained.model.network().labels.is_none() {
        return Ok(None);
    }
    Ok(Some(Headline::from(&evaluate(&trained.model, test, EVALUATION_BATCH, true)?.scores)))
}

impl From<&Epoch> for Point {
    fn from(epoch: &Epoch) -> Self {
        Self {
            epoch: epoch.epoch,
            loss: epoch.ner_loss + epoch.re_loss,
            entities: epoch.dev.as_ref().map(|dev| dev.entities.strict.micro.f1),
            relations: epoch.dev.as_ref().map(|dev| dev.relations.strict.micro.f1),
        }
    }
}

fn read_log(path: &Path) -> Result<Vec<Epoch>, ExperimentError> {
    let text = fs::read_to_string(path).map_err(|source| ExperimentError::io(path, source))?;
    let epoch = |(i, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|source| ExperimentError::Record { path: path.into(), line: i + 1, source })
    };
    text.lines().enumerate().map(epoch).collect()
}
