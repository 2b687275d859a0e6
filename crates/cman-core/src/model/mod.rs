//! The whole network (section 3.3, Figure 2) and its settings.

mod cman;
mod config;
mod label_interaction;
mod memory;
mod operations;
mod predict;
mod size;

pub use cman::{Cman, Sizes};
pub use config::{CheckedModelConfig, ConfigError, DropoutConfig, LabelConfig, LabelKind, ModelConfig};
pub use label_interaction::{LabelFusion, LabelInteraction};
pub use memory::{BatchSize, DistinctWords};
pub use operations::{Workload, train_operations};
pub use predict::{Given, PredictOptions, Prediction, ScoredEntity, TagSequence};
