//! The error type of the crate.

use std::{io, path::PathBuf};

use cman_data::DataError;
use cman_model::ModelError;
use cman_score::ScoreError;
use cman_train::TrainError;

/// An error of an experiment or its report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExperimentError {
    /// Training failed or was stopped.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The experiment was stopped while it waited for another process.
    #[error("stopped while waiting for runs of another process")]
    Stopped,
    /// A configuration, an experiment file or an encoder is invalid.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A corpus is invalid.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Predictions cannot be scored.
    #[error(transparent)]
    Score(#[from] ScoreError),
    /// An experiment has no runs, or contradicts itself or the caller's options.
    #[error("{place}: {message}")]
    Config {
        /// The experiment file or the option.
        place: String,
        /// What was expected and what was found.
        message: String,
    },
    /// A file cannot be read or written.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A line of a file of results, runs or predictions is invalid.
    #[error("{path}: line {line}: {source}", path = path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The error of the JSON parser.
        source: serde_json::Error,
    },
    /// A folder lacks a required file, or holds files that would be overwritten.
    #[error("{path}: {reason}", path = path.display())]
    Folder {
        /// The file or folder.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
}

impl ExperimentError {
    pub(crate) fn io(path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::Io { path: path.into(), source }
    }

    pub(crate) fn record(path: impl Into<PathBuf>, line: usize, source: serde_json::Error) -> Self {
        Self::Record { path: path.into(), line, source }
    }
}
