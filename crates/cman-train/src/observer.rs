//! Reports of a run during training.

use cman_data::{EncoderIdentity, TokenizerAgreement};
use cman_score::Scores;
use serde::Serialize;

use crate::error::TrainError;

/// Receives reports of a training run. Every method has an empty default.
pub trait Observer {
    /// Called before the first epoch.
    fn start(&mut self, _facts: &RunFacts) {}
    /// Called before an epoch (from 1), with its number of batches.
    fn epoch_start(&mut self, _epoch: usize, _batches: usize) {}
    /// Called after a batch (from 1), with the mean loss per sentence of the epoch so far.
    fn batch(&mut self, _batch: usize, _loss: f64) {}
    /// Called after a batch. Returning true stops training after writing a checkpoint, if checkpoints are on.
    fn wants_stop(&mut self) -> bool {
        false
    }
    /// Called after an epoch.
    ///
    /// # Errors
    /// Any error of handling the report. It ends the run.
    fn epoch(&mut self, _report: &EpochReport) -> Result<(), TrainError> {
        Ok(())
    }
}

/// Ignores all reports.
impl Observer for () {}

/// Facts known before training.
#[derive(Clone, Debug, Serialize)]
pub struct RunFacts {
    /// Epochs that were completed before the run resumed.
    pub epochs_done: usize,
    /// Training sentences.
    pub sentences: usize,
    /// Dev sentences.
    pub dev_sentences: usize,
    /// The tokenizer of the model, and its agreement with the training data.
    pub tokenizer: TokenizerAgreement,
    /// Words with a trained vector.
    pub trained_words: usize,
    /// Of these, words with a vector in the vector file.
    pub pretrained_words: usize,
    /// Words in the vocabulary.
    pub words: usize,
    /// Characters in the vocabulary.
    pub characters: usize,
    /// Parameters of the network, without the vectors of words outside of the training data.
    pub parameters: usize,
    /// The contextual encoder.
    pub encoder: Option<EncoderIdentity>,
    /// Trained parameters of the encoder; 0 if it is frozen.
    pub encoder_parameters: usize,
    /// Gold entities of the training data that BIO tags cannot represent.
    pub unrepresentable_entities: usize,
    /// Gold relations of the training data with such an entity.
    pub unrepresentable_relations: usize,
}

/// The results of an epoch.
#[derive(Clone, Debug, Serialize)]
pub struct EpochReport {
    /// Epoch, from 1.
    pub epoch: usize,
    /// Tag loss with dropout (eq. 11), averaged over sentences.
    pub ner_loss: f64,
    /// Relation loss with dropout (eq. 12), averaged over sentences.
    pub re_loss: f64,
    /// Learning rate of the network at the last batch.
    pub learning_rate: f64,
    /// Scores on dev, if there is dev data.
    pub dev: Option<Scores>,
    /// Whether the selection metric is the best so far.
    pub best: bool,
    /// Seconds of training.
    pub train_seconds: f64,
    /// Seconds of evaluation.
    pub dev_seconds: f64,
}

impl EpochReport {
    /// The [selection metric](selection_metric) on dev.
    pub fn selection_metric(&self) -> Option<f64> {
        self.dev.as_ref().map(selection_metric)
    }
}

/// The metric that selects the best epoch: (entity F1 + relation F1) / 2, strict micro.
pub fn selection_metric(scores: &Scores) -> f64 {
    (scores.entities.strict.micro.f1 + scores.relations.strict.micro.f1) / 2.0
}
