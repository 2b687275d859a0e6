//! Training, scoring and model directories for the Cross-Modal Attention Network.
//!
//! A [`Config`] and [`TrainingData`] make a [`Learner`]; its run gives a [`Trained`] model, whose [`Model`] predicts,
//! evaluates and goes to and from a directory. [`scoring`] says what predictions are worth, [`experiment`] runs many
//! trainings.

pub mod experiment;
pub mod scoring;

mod adversarial;
mod batches;
mod checkpoint;
mod config;
mod error;
mod gradients;
mod inference;
mod learner;
mod log;
mod model;
mod observer;
mod report;
mod schedule;
mod vectors;

pub use adversarial::{BatchLoss, gradients as batch_gradients};
pub use checkpoint::Checkpoints;
pub use config::{AdversarialConfig, Config, DataConfig, Keep, Scope, TrainConfig, VectorConfig};
pub use error::TrainError;
pub use inference::{annotate, predict};
pub use learner::{Learner, Trained, TrainingData};
pub use log::EpochLog;
pub use model::Model;
pub use observer::{EpochReport, Observer, RunFacts, criterion};
pub use report::write_report;
pub use schedule::{Schedule, ScheduleKind};
pub use vectors::WordVectors;
