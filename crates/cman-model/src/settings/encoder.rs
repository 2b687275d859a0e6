//! Settings of the contextual encoder.

use cman_encoder::Pooling;
use serde::{Deserialize, Deserializer, Serialize};

use super::{Schedule, ScheduleKind};
use crate::error::ModelError;

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
    /// A file of contextual vectors of any encoder.
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

    /// The kind of this name, if it computes contextual vectors.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        [Self::Bert, Self::Elmo].into_iter().find(|kind| kind.name() == name)
    }
}

/// Settings of the contextual encoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EncoderConfig {
    /// Its kind.
    pub kind: EncoderKind,
    /// Its folder, the name of a BERT on the hub (`org/name` or `org/name@revision`), or the file of contextual
    /// vectors.
    pub path: String,
    /// The layers that the model uses, 0 being the embeddings; empty: all.
    pub layers: Vec<usize>,
    /// How word pieces are pooled into words; must be the default for ELMo, which reads whole words.
    pub pooling: Pooling,
    /// Whether its weights are trained.
    pub fine_tune: bool,
    /// Epochs at the start during which its weights are frozen. (Serialized only if not 0: run names are derived from
    /// the configuration.)
    #[serde(skip_serializing_if = "is_zero")]
    pub frozen_epochs: usize,
    /// Number of its lowest layers, the embeddings included, that are never trained. (Serialized only if not 0.)
    #[serde(skip_serializing_if = "is_zero")]
    pub frozen_layers: usize,
    /// Learning rate of its weights.
    pub learning_rate: f64,
    /// Schedule of that rate, from the first epoch that trains its weights.
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

/// Reads a schedule. Missing fields get the default of the encoder, not that of the network.
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

#[allow(clippy::trivially_copy_pass_by_ref)] // required by serde
fn is_zero(n: &usize) -> bool {
    *n == 0
}

impl EncoderConfig {
    /// Whether the weights are trained after `epochs` epochs.
    pub fn is_trained_after(&self, epochs: usize) -> bool {
        self.fine_tune && epochs >= self.frozen_epochs
    }

    /// The learning rate after `at` (fractional) of `epochs` epochs.
    pub fn rate(&self, at: f64, epochs: f64) -> f64 {
        let frozen = self.frozen_epochs as f64;
        self.learning_rate * self.schedule.factor((at - frozen).max(0.0), (epochs - frozen).max(0.0))
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// The first setting that is out of range.
    pub fn validate(&self) -> Result<(), ModelError> {
        let fail = |field, expected, found: String| Err(ModelError::Setting { field, expected, found });
        if self.kind != EncoderKind::None && self.path.is_empty() {
            return fail("encoder.path", "a folder, a file or a name on the hub", "nothing".into());
        }
        if self.fine_tune && self.kind != EncoderKind::Bert {
            return fail("encoder.fine_tune", "false (only an encoder of kind bert can be trained)", "true".into());
        }
        for (field, value) in
            [("encoder.frozen_epochs", self.frozen_epochs), ("encoder.frozen_layers", self.frozen_layers)]
        {
            if value > 0 && !self.fine_tune {
                return fail(field, "0 without encoder.fine_tune", value.to_string());
            }
        }
        if self.kind == EncoderKind::Elmo && self.pooling != Pooling::default() {
            return fail("encoder.pooling", "first, the default (ELMo reads whole words)", self.pooling.name().into());
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
                return fail(field, "a number of at least 0", value.to_string());
            }
        }
        if !self.layers.windows(2).all(|pair| pair[0] < pair[1]) {
            return fail("encoder.layers", "layers in increasing order", format!("{:?}", self.layers));
        }
        Ok(())
    }
}
