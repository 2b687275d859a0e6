//! Errors of columns.

use arrow_schema::{ArrowError, DataType};
use cman_model::ModelError;

/// Why a column cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ColumnError {
    /// The batch has no column of this name.
    #[error("no column '{name}'; the columns are {found}")]
    Missing {
        /// The name.
        name: String,
        /// The columns that there are.
        found: String,
    },
    /// The batch already has a column with the name of the result.
    #[error("the column '{0}' exists already")]
    Exists(String),
    /// The column is neither text nor tokens.
    #[error("expected a column of texts or of lists of tokens, found {0}")]
    Type(DataType),
    /// The model failed.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Arrow failed.
    #[error(transparent)]
    Arrow(#[from] ArrowError),
}
