//! The error type of the crate.

use std::{io, path::PathBuf};

use cman_core::GoldError;
use cman_data::DataError;
use cman_model::ModelError;
use cman_score::ScoreError;

use crate::lock_holder::LockHolder;

/// An error of training or evaluation.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// An error of a configuration, an encoder or a model directory.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// An error of a corpus, vocabulary or vector file.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Predictions that cannot be scored.
    #[error(transparent)]
    Score(#[from] ScoreError),
    /// A file that cannot be read or written.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A checkpoint that is damaged, of another format or of another run.
    #[error("{path}: {reason}", path = path.display())]
    Checkpoint {
        /// The file that is wrong.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A checkpoint or a finished model of a run with other settings or other data.
    #[error("{path}: of another run: {differences}", path = path.display(), differences = differences.join("; "))]
    OtherRun {
        /// The file that names the other run.
        path: PathBuf,
        /// Each difference, such as `train.batch_size: 16 in the checkpoint, 8 now`.
        differences: Vec<String>,
    },
    /// Another process writes to the folder.
    #[error("{path}: {writer}", path = path.display(), writer = writer(holder.as_ref()))]
    Locked {
        /// The folder.
        path: PathBuf,
        /// The process, if it could be read.
        holder: Option<LockHolder>,
    },
    /// No entity types.
    #[error("training data: no entity types")]
    NoTypes,
    /// No sentences.
    #[error("{part}: no sentence to {purpose}")]
    NoSentences {
        /// The empty data.
        part: &'static str,
        /// What the sentences are needed for.
        purpose: &'static str,
    },
    /// A training sentence without annotation.
    #[error(transparent)]
    Gold(#[from] GoldError),
    /// The observer stopped the run.
    #[error("stopped in epoch {epoch} after batch {batch}")]
    Stopped {
        /// Epoch, from 1.
        epoch: usize,
        /// Completed batches of the epoch.
        batch: usize,
    },
    /// The loss or a gradient is not finite.
    #[error("epoch {epoch}, batch {batch}: the {what} is not finite (sentences {sentences})")]
    NotFinite {
        /// Epoch, from 1.
        epoch: usize,
        /// Batch of the epoch, from 1.
        batch: usize,
        /// Loss or gradient.
        what: &'static str,
        /// The ids of the batch's sentences.
        sentences: String,
    },
}

impl TrainError {
    pub(crate) fn io(path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::Io { path: path.into(), source }
    }

    pub(crate) fn checkpoint(path: impl Into<PathBuf>, reason: impl Into<String>) -> Self {
        Self::Checkpoint { path: path.into(), reason: reason.into() }
    }
}

/// The process that writes to a locked folder.
fn writer(holder: Option<&LockHolder>) -> String {
    holder.map_or_else(|| "another process is writing here".into(), LockHolder::to_string)
}
