//! What a run tells while it trains.

use cman_data::EncoderIdentity;
use cman_score::Scores;
use serde::Serialize;

use crate::TrainError;

/// Listens to a training run; every method has an empty default.
pub trait Observer {
    /// Before the first epoch.
    fn start(&mut self, _facts: &RunFacts) {}
    /// Before an epoch (from 1) of so many batches.
    fn epoch_start(&mut self, _epoch: usize, _batches: usize) {}
    /// After a batch (from 1), with the mean loss a sentence so far in this epoch.
    fn batch(&mut self, _batch: usize, _loss: f64) {}
    /// After a batch: whether training shall stop here, with a checkpoint where they are kept.
    fn wants_stop(&mut self) -> bool {
        false
    }
    /// After an epoch.
    ///
    /// # Errors
    /// Whatever keeps the report from being written down; it ends the run.
    fn epoch(&mut self, _report: &EpochReport) -> Result<(), TrainError> {
        Ok(())
    }
}

/// Listens to nothing.
impl Observer for () {}

/// What is known before training.
#[derive(Clone, Debug, Serialize)]
pub struct RunFacts {
    /// Epochs that were done before, from whose checkpoint the run goes on.
    pub epochs_done: usize,
    /// Training sentences.
    pub sentences: usize,
    /// Dev sentences.
    pub dev_sentences: usize,
    /// Words with a trained vector.
    pub trained_words: usize,
    /// Of these, words that the vector file knows.
    pub pretrained_words: usize,
    /// All words the model can look up.
    pub words: usize,
    /// Characters.
    pub characters: usize,
    /// Numbers of the network, but for the vectors of words that do not occur in training.
    pub parameters: usize,
    /// The contextual encoder.
    pub encoder: Option<EncoderIdentity>,
    /// Trained numbers of it; 0 where it is frozen.
    pub encoder_parameters: usize,
    /// Gold entities of the training data that BIO tags cannot hold.
    pub unrepresentable_entities: usize,
    /// Gold relations of the training data that hang on them.
    pub unrepresentable_relations: usize,
}

/// What an epoch brought.
#[derive(Clone, Debug, Serialize)]
pub struct EpochReport {
    /// Epoch, from 1.
    pub epoch: usize,
    /// Mean loss of the tags a sentence, with dropout (eq. 11).
    pub ner_loss: f64,
    /// Mean loss of the relations a sentence, with dropout (eq. 12).
    pub re_loss: f64,
    /// Learning rate of the last batch.
    pub learning_rate: f64,
    /// Scores on dev, where there is one.
    pub dev: Option<Scores>,
    /// Whether dev was never better.
    pub best: bool,
    /// Seconds of training.
    pub train_seconds: f64,
    /// Seconds of evaluation.
    pub dev_seconds: f64,
}

impl EpochReport {
    /// What the best epoch is chosen by: (entity F1 + relation F1) / 2, strict micro, on dev.
    pub fn criterion(&self) -> Option<f64> {
        self.dev.as_ref().map(criterion)
    }
}

/// (entity F1 + relation F1) / 2, strict micro.
pub fn criterion(scores: &Scores) -> f64 {
    (scores.entities.strict.micro.f1 + scores.relations.strict.micro.f1) / 2.0
}
