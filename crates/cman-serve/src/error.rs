//! The error type of the crate.

use std::{io, path::PathBuf};

/// An error of setting up or running a service.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// A setting that is out of range.
    #[error("{field}: expected {expected}, found {found}")]
    Setting {
        /// The setting, such as `max_batch_tokens`.
        field: &'static str,
        /// What is allowed.
        expected: String,
        /// What was given.
        found: String,
    },
    /// A name of a model that is empty, or that two models have.
    #[error("model `{name}`: expected {expected}")]
    ModelName {
        /// The name.
        name: String,
        /// What is allowed.
        expected: &'static str,
    },
    /// A key that clients could not send.
    #[error("{place}: expected {expected}", place = path.as_ref().map_or("API key".into(), |path| path.display().to_string()))]
    Key {
        /// The file of the key.
        path: Option<PathBuf>,
        /// What is allowed.
        expected: &'static str,
    },
    /// A file that cannot be read.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The threads of the worker cannot be started.
    #[error("cannot start the threads that run the model: {reason}")]
    Threads {
        /// Why.
        reason: String,
    },
}
