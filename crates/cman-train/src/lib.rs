//! Training, scoring and model directories for the Cross-Modal Attention Network.
//!
//! A [`Config`] and [`TrainingData`] make a [`Learner`]; its run gives a [`Trained`] model, whose [`Model`] predicts,
//! evaluates and goes to and from a directory. [`scoring`] says what predictions are worth, [`experiment`] runs many
//! trainings.

pub mod experiment;
pub mod scoring;

mod adam;
mod adversarial;
mod batches;
mod checkpoint;
mod checksum;
mod config;
mod encoder;
mod error;
mod gradients;
mod inference;
mod learner;
mod log;
mod model;
mod observer;
mod report;
mod schedule;
mod step;
mod trainable;
mod vectors;

pub use adam::Adam;
pub use adversarial::{BatchLoss, StepBatch};
pub use checkpoint::Checkpoints;
pub use config::{AdversarialConfig, Config, DataConfig, Keep, Scope, TrainConfig, VectorConfig};
pub use encoder::{Encoder, EncoderConfig, EncoderKind, Hub, HubError};
pub use error::TrainError;
pub use inference::{Contextual, annotate, predict};
pub use learner::{Learner, Trained, TrainingData};
pub use log::EpochLog;
pub use model::Model;
pub use observer::{EpochReport, Observer, RunFacts, criterion};
pub use report::write_report;
pub use schedule::{Schedule, ScheduleKind};
pub use step::{BatchGradients, batch_gradients};
pub use trainable::Trainable;
pub use vectors::WordVectors;
