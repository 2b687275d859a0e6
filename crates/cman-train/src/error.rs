//! The crate's one error type.

use std::{io, path::PathBuf};

use cman_core::GoldError;
use cman_data::DataError;
use cman_model::ModelError;
use cman_score::ScoreError;

/// Everything that can go wrong between a configuration and a trained model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A configuration, an encoder or a model directory.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A corpus, vocabulary or vector file.
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
        /// What the system said.
        source: io::Error,
    },
    /// A checkpoint that is damaged, of another format or of another run.
    #[error("{path}: {reason}", path = path.display())]
    Checkpoint {
        /// The file that is wrong.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Training without entity types or without relation types.
    #[error("training data: no {part}")]
    NoTypes {
        /// Which types.
        part: &'static str,
    },
    /// Training without sentences.
    #[error("{part}: no sentence to {purpose}")]
    NoSentences {
        /// Which data.
        part: &'static str,
        /// What they were wanted for.
        purpose: &'static str,
    },
    /// A training sentence without annotation.
    #[error(transparent)]
    Gold(#[from] GoldError),
    /// The observer wanted to stop.
    #[error("stopped in epoch {epoch} after batch {batch}")]
    Stopped {
        /// Epoch, from 1.
        epoch: usize,
        /// Batches of it that are done.
        batch: usize,
    },
    /// The loss or a gradient is no finite number any more.
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
