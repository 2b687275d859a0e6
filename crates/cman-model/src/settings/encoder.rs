//! Settings of the contextual encoder.

use cman_encoder::Pooling;
use serde::{Deserialize, Deserializer, Serialize};

use super::{Schedule, ScheduleKind};
use crate::ModelError;

/// Kinds of encoders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EncoderKind {
    /// No contextual vectors.
    #[default]
    None,
    /// BERT, RoBERTa or DistilBERT.
    Bert,
    /// ELMo, always frozen.
    Elmo,
    /// A file of precomputed vectors, of any encoder.
    Cache,
}

impl EncoderKind {
    /// The name in a configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Bert => "bert",
            Self::Elmo => "elmo",
            Self::Cache => "cache",
        }
    }

    /// The kind of this name, of those that make vectors.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        [Self::Bert, Self::Elmo].into_iter().find(|kind| kind.name() == name)
    }
}

/// Which encoder gives the contextual vectors, and what is done with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EncoderConfig {
    /// What it is.
    pub kind: EncoderKind,
    /// Its folder, the name of a BERT on the hub (`org/name` or `org/name@revision`), or the file of precomputed vectors.
    pub path: String,
    /// The layers that the model sees, 0 the embeddings; none named: all.
    pub layers: Vec<usize>,
    /// How word pieces become words; the default where there are none (ELMo).
    pub pooling: Pooling,
    /// Whether its weights are trained too.
    pub fine_tune: bool,
    /// Epochs at the start in which they stay as they are, so that the network has learned something before it moves
    /// them. (Named in a configuration only where there are some: runs are named by their configuration.)
    #[serde(skip_serializing_if = "is_zero")]
    pub frozen_epochs: usize,
    /// How many of its layers, the embeddings first, are never trained. (Named only where there are some, as above.)
    #[serde(skip_serializing_if = "is_zero")]
    pub frozen_layers: usize,
    /// Learning rate of its weights.
    pub learning_rate: f64,
    /// How that rate changes, from the first epoch that trains them.
    #[serde(deserialize_with = "part_of_schedule")]
    pub schedule: Schedule,
    /// Decoupled weight decay (Loshchilov and Hutter 2019) of its weights; biases and normalisations have none.
    pub weight_decay: f64,
}

impl Default for EncoderConfig {
    fn default() -> Self {
        Self {
            kind: EncoderKind::None,
            path: String::new(),
            layers: Vec::new(),
            pooling: Pooling::default(),
            fine_tune: false,
            frozen_epochs: 0,
            frozen_layers: 0,
            learning_rate: 5e-5,
            schedule: Schedule { kind: ScheduleKind::Linear, warmup_epochs: 1.0, decay: 1.0 },
            weight_decay: 0.01,
        }
    }
}

/// A schedule of which a file names a part: the rest is the encoder's default, not that of the network.
fn part_of_schedule<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Schedule, D::Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Part {
        kind: Option<ScheduleKind>,
        warmup_epochs: Option<f64>,
        decay: Option<f64>,
    }
    let Part { kind, warmup_epochs, decay } = Part::deserialize(deserializer)?;
    let default = EncoderConfig::default().schedule;
    Ok(Schedule {
        kind: kind.unwrap_or(default.kind),
        warmup_epochs: warmup_epochs.unwrap_or(default.warmup_epochs),
        decay: decay.unwrap_or(default.decay),
    })
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde wants it so
fn is_zero(n: &usize) -> bool {
    *n == 0
}

impl EncoderConfig {
    /// Whether an epoch trains the weights, when so many are done.
    pub fn is_trained_after(&self, epochs: usize) -> bool {
        self.fine_tune && epochs >= self.frozen_epochs
    }

    /// The learning rate of the weights when `at` epochs (with fractions) of `epochs` are done.
    pub fn rate(&self, at: f64, epochs: f64) -> f64 {
        let frozen = self.frozen_epochs as f64;
        self.learning_rate * self.schedule.factor((at - frozen).max(0.0), (epochs - frozen).max(0.0))
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// The first setting outside of its range.
    pub fn validate(&self) -> Result<(), ModelError> {
        let fail = |field, expected, found: String| Err(ModelError::Setting { field, expected, found });
        if self.kind != EncoderKind::None && self.path.is_empty() {
            return fail("encoder.path", "a folder, a file or a name on the hub", "nothing".into());
        }
        if self.fine_tune && self.kind != EncoderKind::Bert {
            return fail("encoder.fine_tune", "false (only an encoder of kind bert is trained)", "true".into());
        }
        for (field, value) in
            [("encoder.frozen_epochs", self.frozen_epochs), ("encoder.frozen_layers", self.frozen_layers)]
        {
            if value > 0 && !self.fine_tune {
                return fail(field, "0 without encoder.fine_tune", value.to_string());
            }
        }
        if self.kind == EncoderKind::Elmo && self.pooling != Pooling::default() {
            return fail(
                "encoder.pooling",
                "first, the default (an ELMo reads whole words)",
                self.pooling.name().into(),
            );
        }
        if !(self.learning_rate.is_finite() && self.learning_rate > 0.0) {
            return fail("encoder.learning_rate", "a number above 0", self.learning_rate.to_string());
        }
        let decay = self.schedule.decay;
        if !(decay > 0.0 && decay <= 1.0) {
            return fail("encoder.schedule.decay", "a factor in (0, 1]", decay.to_string());
        }
        for (field, value) in [
            ("encoder.weight_decay", self.weight_decay),
            ("encoder.schedule.warmup_epochs", self.schedule.warmup_epochs),
        ] {
            if !(value.is_finite() && value >= 0.0) {
                return fail(field, "a number not below 0", value.to_string());
            }
        }
        if !self.layers.windows(2).all(|pair| pair[0] < pair[1]) {
            return fail("encoder.layers", "layers in rising order", format!("{:?}", self.layers));
        }
        Ok(())
    }
}
