//! Training settings.

use serde::{Deserialize, Serialize};

use super::{AdversarialConfig, Schedule};
use crate::error::ModelError;

/// Training settings (section 3.5 and "Implementation Details").
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainConfig {
    /// Passes over the training data.
    pub epochs: usize,
    /// Most sentences per batch.
    pub batch_size: usize,
    /// Most tokens per batch, padding included; 0: no limit. A longer sentence is a batch of its own.
    pub batch_tokens: usize,
    /// Number of batches whose sentences are sorted by length together; 1: no bucketing.
    pub bucket: usize,
    /// Learning rate of Adam.
    pub learning_rate: f64,
    /// Schedule of the learning rate.
    pub schedule: Schedule,
    /// Largest global norm of the gradient; 0: no clipping.
    pub clip_norm: f64,
    /// Epochs without a better selection metric before training stops; 0: no early stopping.
    pub patience: usize,
    /// Probability that a word with one occurrence in the training data is replaced by the unknown word.
    pub rare_unknown: f64,
    /// Probability in the last epoch that the relations of a sentence see predicted tags. It increases linearly from 0
    /// in the first epoch. 0: always gold tags, as in the paper.
    pub predicted_labels: f64,
    /// Whether the loss of a batch is the mean over its sentences, not the sum.
    pub mean_loss: bool,
    /// Adversarial training.
    pub adversarial: AdversarialConfig,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            epochs: 180,
            batch_size: 16,
            batch_tokens: 0,
            bucket: 8,
            learning_rate: 5e-4,
            schedule: Schedule::default(),
            clip_norm: 0.0,
            patience: 0,
            rare_unknown: 0.5,
            predicted_labels: 0.0,
            mean_loss: true,
            adversarial: AdversarialConfig::default(),
        }
    }
}

impl TrainConfig {
    /// The learning rate after `at` (fractional) epochs.
    pub fn rate(&self, at: f64) -> f64 {
        self.learning_rate * self.schedule.factor(at, self.epochs as f64)
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// The first setting that is out of range.
    pub(crate) fn validate(&self) -> Result<(), ModelError> {
        let check = |ok: bool, field: &'static str, expected: &'static str, found: String| {
            if ok { Ok(()) } else { Err(ModelError::Setting { field, expected, found }) }
        };
        for (field, value) in
            [("train.epochs", self.epochs), ("train.batch_size", self.batch_size), ("train.bucket", self.bucket)]
        {
            check(value > 0, field, "at least 1", value.to_string())?;
        }
        let positive = |x: f64| x.is_finite() && x > 0.0;
        let rate = self.learning_rate;
        check(positive(rate), "train.learning_rate", "a number above 0", rate.to_string())?;
        for (field, value) in [
            ("train.clip_norm", self.clip_norm),
            ("train.adversarial.alpha", self.adversarial.alpha),
            ("train.schedule.warmup_epochs", self.schedule.warmup_epochs),
        ] {
            check(value.is_finite() && value >= 0.0, field, "a number of at least 0", value.to_string())?;
        }
        let decay = self.schedule.decay;
        check(decay > 0.0 && decay <= 1.0, "train.schedule.decay", "a factor in (0, 1]", decay.to_string())?;
        for (field, value) in
            [("train.rare_unknown", self.rare_unknown), ("train.predicted_labels", self.predicted_labels)]
        {
            check((0.0..=1.0).contains(&value), field, "a probability in [0, 1]", value.to_string())?;
        }
        Ok(())
    }
}
