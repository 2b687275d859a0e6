//! The whole network (section 3.3, Figure 2) and its settings.

mod cman;
mod config;
mod labels;
mod operations;
mod predict;
mod size;

pub use cman::{Cman, Losses, Sizes};
pub use config::{ConfigError, DropoutConfig, LabelConfig, LabelKind, ModelConfig};
pub use labels::{LabelFusion, LabelInteraction};
pub use operations::{Workload, train_operations};
pub use predict::{PredictOptions, Prediction, ScoredEntity};
