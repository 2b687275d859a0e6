//! Errors in the files of an encoder.

use std::{
    io,
    path::{Path, PathBuf},
};

/// Why an encoder cannot be loaded, saved or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncoderError {
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A file has another format than its name says, or is damaged.
    #[error("{}: {reason}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The weights lack a tensor that the options require.
    #[error("{}: there is no tensor '{tensor}'", path.display())]
    MissingTensor {
        /// The file of the weights.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
    },
    /// A tensor has another shape than the options require.
    #[error("{}: tensor '{tensor}': expected shape {expected:?}, found {found:?}", path.display())]
    Shape {
        /// The file of the weights.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// The shape that the options require.
        expected: Vec<usize>,
        /// The shape in the file.
        found: Vec<usize>,
    },
    /// An option has an invalid value, or contradicts the weights.
    #[error("{}: '{field}': expected {expected}, found {found}", path.display())]
    Options {
        /// The file of the options.
        path: PathBuf,
        /// Name of the option.
        field: String,
        /// The values that it may have.
        expected: String,
        /// The value that it has.
        found: String,
    },
}

impl EncoderError {
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.into(), source }
    }

    pub(crate) fn format(path: &Path, reason: impl ToString) -> Self {
        Self::Format { path: path.into(), reason: reason.to_string() }
    }

    pub(crate) fn options(path: &Path, field: &str, expected: &str, found: impl ToString) -> Self {
        let (field, expected, found) = (field.into(), expected.into(), found.to_string());
        Self::Options { path: path.into(), field, expected, found }
    }
}
