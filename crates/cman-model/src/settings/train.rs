//! Settings of the training.

use serde::{Deserialize, Serialize};

use super::{AdversarialConfig, Schedule};
use crate::ModelError;

/// Settings of the training (section 3.5 and "Implementation Details").
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainConfig {
    /// Passes over the training data.
    pub epochs: usize,
    /// Sentences a batch, at most.
    pub batch_size: usize,
    /// Tokens a batch, padding counted, at most; 0: any number. A longer sentence is a batch of its own.
    pub batch_tokens: usize,
    /// Batches that are sorted by length together before they are cut; 1: no bucketing.
    pub bucket: usize,
    /// Learning rate of Adam.
    pub learning_rate: f64,
    /// How the learning rate changes.
    pub schedule: Schedule,
    /// Largest norm of all gradients together; 0: no clipping.
    pub clip_norm: f64,
    /// Epochs without a better dev score before training stops; 0: never.
    pub patience: usize,
    /// Probability that a word seen once in training is read as the unknown word.
    pub rare_unknown: f64,
    /// Probability, at the last epoch, that the relations of a sentence see predicted tags in training; it rises
    /// linearly from 0 at the first. 0: always gold tags, as in the paper.
    pub predicted_labels: f64,
    /// Whether a batch's loss is the mean over its sentences, or their sum.
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
    /// The learning rate when `at` epochs (with fractions) are done.
    pub fn rate(&self, at: f64) -> f64 {
        self.learning_rate * self.schedule.factor(at, self.epochs as f64)
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// The first setting outside of its range.
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
            check(value.is_finite() && value >= 0.0, field, "a number not below 0", value.to_string())?;
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
