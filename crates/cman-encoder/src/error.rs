//! What can be wrong with an encoder's files.

use std::{io, path::PathBuf};

/// An encoder that cannot be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncoderError {
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file is not what its name says, or is damaged.
    #[error("{}: {reason}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The weights lack a tensor that the options ask for.
    #[error("{}: there is no tensor '{tensor}'", path.display())]
    MissingTensor {
        /// The file of the weights.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
    },
    /// A tensor has another shape than the options ask for.
    #[error("{}: tensor '{tensor}': expected shape {expected:?}, found {found:?}", path.display())]
    Shape {
        /// The file of the weights.
        path: PathBuf,
        /// Name of the tensor.
        tensor: String,
        /// The shape the options ask for.
        expected: Vec<usize>,
        /// The shape it has.
        found: Vec<usize>,
    },
    /// A setting of the encoder that cannot be, or that contradicts the weights.
    #[error("{}: '{field}': expected {expected}, found {found}", path.display())]
    Options {
        /// The file of the options.
        path: PathBuf,
        /// The setting.
        field: String,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
}
