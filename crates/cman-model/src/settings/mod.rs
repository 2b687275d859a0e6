//! One typed configuration for data, network and training. The defaults are the paper's for CoNLL04.

mod adversarial;
mod data;
mod encoder;
mod loading;
mod schedule;
mod train;

use cman_core::{CheckedModelConfig, ModelConfig};
use serde::{Deserialize, Serialize};

pub use adversarial::{AdversarialConfig, Scope};
pub use data::{DataConfig, Keep, VectorConfig};
pub use encoder::{EncoderConfig, EncoderKind};
pub use loading::read_toml;
pub use schedule::{Schedule, ScheduleKind};
pub use train::TrainConfig;

use crate::ModelError;

/// All settings of a run. `docs/DESIGN.md` gives the reason of every default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Seed of everything random.
    pub seed: u64,
    /// How corpora are read.
    pub data: DataConfig,
    /// Pretrained word vectors.
    pub vectors: VectorConfig,
    /// The contextual encoder; `model.contextual.width` and `layers` follow from it.
    pub encoder: EncoderConfig,
    /// The network.
    pub model: ModelConfig,
    /// The training.
    pub train: TrainConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            seed: 1,
            data: DataConfig::default(),
            vectors: VectorConfig::default(),
            encoder: EncoderConfig::default(),
            model: ModelConfig::default(),
            train: TrainConfig::default(),
        }
    }
}

impl Config {
    /// Checks every setting and returns those of the network, which are then known to be in their ranges.
    ///
    /// # Errors
    /// The first setting outside of its range.
    pub fn check(&self) -> Result<CheckedModelConfig, ModelError> {
        let model = self.model.check()?;
        self.encoder.validate()?;
        if self.seed > i64::MAX as u64 {
            let (expected, found) = ("at most 2^63 - 1", self.seed.to_string());
            return Err(ModelError::Setting { field: "seed", expected, found });
        }
        self.train.validate()?;
        Ok(model)
    }
}
