//! Training of the Cross-Modal Attention Network.
//!
//! A [`Config`](cman_model::Config) and [`TrainingData`] make a [`Learner`]; its run gives a [`Trained`] model.
//! [`train_and_test`] is the protocol of a whole run: train with a log and checkpoints, score the test sentences, and
//! score them again without those that the training data holds too. [`evaluate`] scores any model.
//! [`batch_gradients`] and [`Trainable`] are for training loops of one's own.

mod adam;
mod adversarial;
mod batch_gradients;
mod batches;
mod checkpoint;
mod error;
mod evaluate;
mod gradients;
mod kept_vectors;
mod learner;
mod log;
mod observer;
mod protocol;
mod trainable;
mod vectors;

pub use adam::Adam;
pub use adversarial::{BatchLoss, StepBatch};
pub use batch_gradients::{BatchGradients, batch_gradients};
pub use checkpoint::Checkpoints;
/// The evaluation step of a training loop of one's own.
pub use cman_model::predict;
pub use error::TrainError;
pub use evaluate::{EVALUATION_BATCH, Evaluation, evaluate};
pub use learner::{Learner, Trained, TrainingData};
pub use log::EpochLog;
pub use observer::{EpochReport, Observer, RunFacts, criterion};
pub use protocol::{Protocol, RunData, RunPlace, TestReport, Tested, train_and_test};
pub use trainable::Trainable;
pub use vectors::WordVectors;
