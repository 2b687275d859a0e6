//! The error type of the crate.

use std::{io, path::PathBuf};

use cman_core::model::ConfigError;
use cman_data::DataError;
use cman_encoder::EncoderError;
#[cfg(feature = "hub")]
use cman_encoder::HubError;

/// An error of a configuration, an encoder, a model directory or a prediction.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A corpus, vocabulary or vector file, or a sentence.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A setting of the network that is out of range.
    #[error("configuration: {0}")]
    Network(#[from] ConfigError),
    /// Another setting that is out of range.
    #[error("configuration: {field}: expected {expected}, found {found}")]
    Setting {
        /// The key, such as `train.batch_size`.
        field: &'static str,
        /// What is allowed.
        expected: &'static str,
        /// What was given.
        found: String,
    },
    /// A configuration file or `--set` that is not TOML, or has unknown keys or values of a wrong type.
    #[error("{place}: {message}")]
    Config {
        /// The file and line, or the assignment.
        place: String,
        /// What is wrong.
        message: String,
    },
    /// Encoder files that cannot be read.
    #[error(transparent)]
    EncoderFiles(#[from] EncoderError),
    /// An encoder that cannot be fetched from the hub.
    #[cfg(feature = "hub")]
    #[error(transparent)]
    Hub(#[from] HubError),
    /// A name on the hub, in a build without the feature `hub`.
    #[error("{name}: no such folder: give a folder, or build with `--features hub` to fetch this name")]
    NoHub {
        /// The name.
        name: String,
    },
    /// A path that exists in none of the places where it is looked for.
    #[error("{path}: no such file or folder{tried}")]
    NotFound {
        /// The path.
        path: String,
        /// The places in parentheses, if there are several.
        tried: String,
    },
    /// An encoder or contextual vectors other than the expected ones.
    #[error("{path}: expected {expected}, found {found}", path = path.display())]
    Encoder {
        /// The file or folder.
        path: PathBuf,
        /// What is needed.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A sentence that is too long to be read.
    #[error("sentence of {tokens} tokens exceeds the maximum of {most} (max_tokens)")]
    LongSentence {
        /// Its tokens.
        tokens: usize,
        /// The limit.
        most: usize,
    },
    /// A token that is too long to be read.
    #[error("token of {characters} characters exceeds the maximum of {most} (max_characters)")]
    LongToken {
        /// Its Unicode scalar values.
        characters: usize,
        /// The limit.
        most: usize,
    },
    /// A given entity that the model cannot read.
    #[error("entities[{index}]: expected {expected}, found {start} to {end}")]
    GivenEntity {
        /// Its place in the list, from 0.
        index: usize,
        /// What is expected.
        expected: String,
        /// Its start.
        start: usize,
        /// Its end.
        end: usize,
    },
    /// A batch that does not fit into memory.
    #[error("{place}: {task} needs about {needed} of memory, {left} are left ({bound})")]
    Memory {
        /// The longest sentence of the batch.
        place: String,
        /// What is done with the batch.
        task: &'static str,
        /// What the batch needs.
        needed: String,
        /// What the process may still take.
        left: String,
        /// What limits it.
        bound: &'static str,
        /// Whether the sentence fits in a batch of its own.
        sentence_fits: bool,
    },
    /// A file that cannot be read or written.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The encoder of a model that is missing, or is another one.
    #[error("{path}: the model needs the encoder {needed}{found}")]
    ModelEncoder {
        /// The file that names the encoder.
        path: PathBuf,
        /// The encoder.
        needed: String,
        /// What there is instead, after a comma or a colon.
        found: String,
    },
    /// A model directory that is damaged or inconsistent.
    #[error("{path}: {reason}", path = path.display())]
    Directory {
        /// The file that is wrong.
        path: PathBuf,
        /// What is wrong.
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
