//! One run: train, evaluate, write `run.json`.
//!
//! The folder of a finished run holds `run.json`, the predictions `dev.jsonl` and `test.jsonl`, the log and the
//! configuration. The folder of an unfinished run also holds a checkpoint.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use burn::tensor::Device;
use cman_data::Sentence;
use cman_model::MemoryLimit;
use cman_score::Scores;
use cman_train::{
    EVALUATION_BATCH, Evaluation, FolderLock, Observer, RunPlace, TrainError, Trained, evaluate, train_and_test,
};
use serde::Deserialize;

use crate::{
    analysis::{by_distance, by_length, errors},
    error::ExperimentError,
    outcome::{Headline, Outcome, Point},
    plan::RunSpec,
    predictions::{DEV, TEST, write_predictions},
    storage,
};

/// Interval between checkpoints within an epoch; every epoch ends with a checkpoint.
const CHECKPOINT: Duration = Duration::from_secs(600);
/// The outcome; a run is finished if its folder holds this file.
pub(crate) const RUN: &str = "run.json";
/// The configuration.
pub(crate) const CONFIG: &str = "config.toml";
/// The reason of a failed run.
pub(crate) const ERROR: &str = "error.txt";

/// Folders, word vectors and device of a run.
pub(crate) struct RunContext<'a> {
    /// The lock of the run's folder.
    pub lock: &'a FolderLock,
    /// The data folder.
    pub root: &'a Path,
    /// The file of word vectors.
    pub vectors: Option<&'a Path>,
    pub device: &'a Device,
    pub max_memory: MemoryLimit,
}

/// The fields of a line of `log.jsonl` that the outcome needs.
#[derive(Deserialize)]
struct Epoch {
    epoch: usize,
    ner_loss: f64,
    re_loss: f64,
    dev: Option<Scores>,
    train_seconds: f64,
    dev_seconds: f64,
}

/// Trains from new weights or from the last checkpoint to the end, evaluates, and writes the outcome. `epochs` replaces
/// the number of epochs of the configuration.
pub(crate) fn run(
    spec: &RunSpec,
    context: &RunContext,
    epochs: Option<usize>,
    observer: &mut dyn Observer,
) -> Result<(), ExperimentError> {
    let RunContext { lock, root, vectors, device, max_memory } = *context;
    let folder = lock.folder();
    let data = spec.source.read(root, spec.fold, &spec.config.data.reader())?.by(spec.protocol);
    let mut config = spec.config.clone();
    config.train.epochs = epochs.unwrap_or(config.train.epochs);
    storage::replace(&folder.join(CONFIG), config.to_toml().as_bytes())?;
    config.encoder.path.clone_from(&spec.encoder_path);
    let place = RunPlace { lock, vectors, device, checkpoint_every: CHECKPOINT, resume: true, max_memory };
    let tested = train_and_test(config, &data, &place, observer)?;
    let Some(test) = tested.test else {
        return Err(TrainError::NoSentences { part: "test data", purpose: "report on" }.into());
    };

    let start = Instant::now();
    write_predictions(&folder.join(TEST), &data.test, &test.all.predicted)?;
    let (mut dev, mut distance, mut length) = (None, Vec::new(), Vec::new());
    if !data.dev.is_empty() {
        let Evaluation { scores, predicted } = evaluate(&tested.trained.model, &data.dev, EVALUATION_BATCH, false)?;
        write_predictions(&folder.join(DEV), &data.dev, &predicted)?;
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
        left_out: data.left_out,
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

/// The scores with gold labels, if the relation scorer reads labels.
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
    let epoch = |(i, line)| serde_json::from_str(line).map_err(|source| ExperimentError::record(path, i + 1, source));
    text.lines().enumerate().map(epoch).collect()
}
