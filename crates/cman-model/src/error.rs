//! The crate's one error type.

use std::{io, path::PathBuf};

use cman_core::model::ConfigError;
use cman_data::DataError;
use cman_encoder::EncoderError;

#[cfg(feature = "hub")]
use crate::HubError;

/// Everything that can go wrong between a configuration or a model directory and predictions.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A corpus, vocabulary or vector file, or a sentence.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A setting of the network outside of its range.
    #[error("configuration: {0}")]
    Network(#[from] ConfigError),
    /// Another setting outside of its range.
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
    #[cfg(feature = "hub")]
    #[error(transparent)]
    Hub(#[from] HubError),
    /// A name on the hub, in a build that does not know the hub.
    #[error("{name}: no such folder: give a folder, or build with `--features hub` to fetch this name")]
    NoHub {
        /// The name.
        name: String,
    },
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
    /// A file that cannot be read or written.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A model directory that is not what this library writes.
    #[error("{path}: {reason}", path = path.display())]
    Directory {
        /// The file that is wrong.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

impl ModelError {
    pub(crate) fn io(path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::Io { path: path.into(), source }
    }

    pub(crate) fn directory(path: impl Into<PathBuf>, reason: impl Into<String>) -> Self {
        Self::Directory { path: path.into(), reason: reason.into() }
    }
}
