//! The crate's one error type.

use std::{io, path::PathBuf};

use cman_core::{encoder::EncoderError, model::ConfigError};
use cman_data::DataError;

use crate::{HubError, scoring::ScoreError};

/// Everything that can go wrong between a configuration and a trained model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A corpus, vocabulary or vector file.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A setting of the network outside of its range.
    #[error("configuration: {0}")]
    Model(#[from] ConfigError),
    /// A setting of the training outside of its range.
    #[error("configuration: {field}: expected {expected}, found {found}")]
    Setting {
        /// The key, such as `train.batch_size`.
        field: &'static str,
        /// What is allowed.
        expected: &'static str,
        /// What was given.
        found: String,
    },
    /// A configuration file or `--set` that is no TOML, or has unknown keys or values of another type.
    #[error("{place}: {message}")]
    Config {
        /// The file and line, or the assignment.
        place: String,
        /// What is wrong.
        message: String,
    },
    /// Files of an encoder that cannot be read.
    #[error(transparent)]
    EncoderFiles(#[from] EncoderError),
    /// An encoder that the hub does not give.
    #[error(transparent)]
    Hub(#[from] HubError),
    /// Another encoder, or other vectors, than are needed.
    #[error("{path}: expected {expected}, found {found}", path = path.display())]
    Encoder {
        /// The file or folder.
        path: PathBuf,
        /// What is needed.
        expected: String,
        /// What is there.
        found: String,
    },
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
    /// A line of a file of results or predictions that is not what this library writes.
    #[error("{path}: line {line}: {source}", path = path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// An experiment that needs something that is not there, or would overwrite something that is.
    #[error("{path}: {reason}", path = path.display())]
    Experiment {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A model directory that is not what this library writes.
    #[error("{path}: {reason}", path = path.display())]
    ModelDirectory {
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

    pub(crate) fn directory(path: impl Into<PathBuf>, reason: impl Into<String>) -> Self {
        Self::ModelDirectory { path: path.into(), reason: reason.into() }
    }
}
