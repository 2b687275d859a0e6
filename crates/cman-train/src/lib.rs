//! Training of the Cross-Modal Attention Network.
//!
//! A [`Learner`] is made of a [`Config`](cman_model::Config) and [`TrainingData`]; its run returns a [`Trained`] model.
//! [`train_and_test`] is the protocol of a whole run: train with a log and checkpoints, score the test sentences, and
//! score them again without those that also occur in the training data. It writes to a folder whose [`FolderLock`] the
//! caller holds. [`evaluate`] scores any model.
//! [`batch_gradients`] and [`Trainable`] are for custom training loops.

pub mod checksum;

mod adam;
mod adversarial;
mod batch_gradients;
mod batches;
mod calibration;
mod checkpoint;
mod contextual_cache;
mod error;
mod evaluate;
mod gradients;
mod identity;
mod learner;
mod lock;
mod lock_holder;
mod log;
mod memory;
mod observer;
mod protocol;
mod trainable;
mod word_vectors;

pub use adam::Adam;
pub use adversarial::{BatchLoss, StepBatch};
pub use batch_gradients::{BatchGradients, BatchShard, LearningRates, batch_gradients, batch_shards};
pub use calibration::JudgedPredictions;
pub use checkpoint::Checkpoints;
/// The evaluation step of a custom training loop.
pub use cman_model::{Batching, predict};
pub use error::TrainError;
pub use evaluate::{EVALUATION_BATCH, Evaluation, evaluate};
pub use identity::RunIdentity;
pub use learner::{Learner, Trained, TrainingData};
pub use lock::{FolderLock, LOCK};
pub use lock_holder::LockHolder;
pub use log::EpochLog;
pub use observer::{EpochReport, Observer, RunFacts, selection_metric};
pub use protocol::{LeftOut, Protocol, RunData, RunPlace, TestReport, Tested, train_and_test};
pub use trainable::Trainable;
pub use word_vectors::WordVectors;
