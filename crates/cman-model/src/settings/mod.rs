//! The typed configuration of data, network and training. The defaults are the paper's for CoNLL04.

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

use crate::error::ModelError;

/// All settings of a run. `docs/DESIGN.md` explains every default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Seed of all random draws.
    pub seed: u64,
    /// Corpora.
    pub data: DataConfig,
    /// Pretrained word vectors.
    pub vectors: VectorConfig,
    /// The contextual encoder. It determines `model.contextual.width` and `layers`.
    pub encoder: EncoderConfig,
    /// The network.
    pub model: ModelConfig,
    /// Training.
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
    /// Checks every setting and returns the checked settings of the network.
    ///
    /// # Errors
    /// The first setting that is out of range.
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
