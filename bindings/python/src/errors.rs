//! Errors as exceptions.

use std::path::Path;

use cman_model::ModelError;
use pyo3::{
    create_exception,
    exceptions::{PyFileNotFoundError, PyMemoryError, PyValueError},
    prelude::*,
};

create_exception!(cman, CmanError, PyValueError, "A model, a setting or a text that cannot be used.");

/// The exception for an error of the library, with its text.
pub(crate) fn exception(error: &ModelError) -> PyErr {
    match error {
        ModelError::Memory { .. } => PyMemoryError::new_err(error.to_string()),
        _ => CmanError::new_err(error.to_string()),
    }
}

/// Refuses a path where nothing is.
pub(crate) fn exists(path: &Path) -> PyResult<()> {
    if path.exists() {
        return Ok(());
    }
    Err(PyFileNotFoundError::new_err(format!("{}: no such model directory or package", path.display())))
}
