//! What can be wrong with the files of an encoder.

use std::{io, path::PathBuf};

/// An encoder that cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncoderError {
    /// A file that cannot be read or written.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file that is damaged or of another format.
    #[error("{path}: {reason}", path = path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Weights that the options announce and the file does not hold.
    #[error("{path}: no tensor '{tensor}'", path = path.display())]
    MissingTensor {
        /// The file.
        path: PathBuf,
        /// The name that was looked for.
        tensor: String,
    },
    /// Weights of another shape than the options announce.
    #[error("{path}: tensor '{tensor}': expected shape {expected:?}, found {found:?}", path = path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// Its shape by the options.
        expected: Vec<usize>,
        /// Its shape in the file.
        found: Vec<usize>,
    },
    /// An option that is missing, out of range or not supported.
    #[error("{path}: {field}: expected {expected}, found {found}", path = path.display())]
    Options {
        /// The file.
        path: PathBuf,
        /// The option.
        field: String,
        /// What is allowed.
        expected: String,
        /// What the file says.
        found: String,
    },
}
