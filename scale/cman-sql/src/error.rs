//! The error type of the crate.

use std::{io, path::PathBuf};

use cman_model::ModelError;
use datafusion::error::DataFusionError;

/// An error of a query, a model or an output.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SqlError {
    /// A query that cannot be planned.
    #[error("{}", message(.0))]
    Plan(DataFusionError),
    /// A query that failed while it ran.
    #[error("{}", message(.0))]
    Run(DataFusionError),
    /// A model that cannot be loaded.
    #[error("model '{name}': {source}")]
    Model {
        /// Its path, or `demo`.
        name: String,
        /// Why.
        source: Box<ModelError>,
    },
    /// A device that cannot be opened.
    #[error(transparent)]
    Device(#[from] burn_ragged::DeviceError),
    /// An output whose name says no format.
    #[error("{}: the name must end with .parquet, .jsonl or .ndjson, or be that of a folder", path.display())]
    Format {
        /// The output.
        path: PathBuf,
    },
    /// An output that must not be overwritten.
    #[error("{}: the folder is not empty", path.display())]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// An output that cannot be written.
    #[error("{}: {source}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No statement.
    #[error("no SQL statement was given")]
    Empty,
}

/// The message of an error of DataFusion, in one line and without a backtrace.
fn message(error: &DataFusionError) -> String {
    let text = error.strip_backtrace();
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.join(" ")
}
