//! The crate's one error type.

use std::{io, path::PathBuf};

use cman_data::DataError;
use cman_model::ModelError;
use cman_score::ScoreError;
use cman_train::TrainError;

/// Everything that can go wrong with an experiment or its report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExperimentError {
    /// A run.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// A configuration, an experiment file or an encoder.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A corpus.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Predictions that cannot be scored.
    #[error(transparent)]
    Score(#[from] ScoreError),
    /// An experiment that leaves nothing to run, or contradicts itself or what the caller chooses.
    #[error("{place}: {message}")]
    Config {
        /// The experiment file, or the choice.
        place: String,
        /// What is wrong.
        message: String,
    },
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
    /// A folder that lacks what an experiment needs, or holds what it would overwrite.
    #[error("{path}: {reason}", path = path.display())]
    Folder {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

impl ExperimentError {
    pub(crate) fn io(path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::Io { path: path.into(), source }
    }
}
