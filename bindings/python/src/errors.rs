//! Errors as exceptions.

use std::{error::Error, fmt, io::ErrorKind};

use cman_arrow::ColumnError;
use cman_model::ModelError;
use cman_train::TrainError;
use pyo3::{
    create_exception,
    exceptions::{PyFileExistsError, PyFileNotFoundError, PyMemoryError, PyOSError, PyPermissionError, PyValueError},
    prelude::*,
};

create_exception!(cman, CmanError, PyValueError, "A model, a setting or a text that cannot be used.");

/// The exception for an error of the library, with its text.
pub(crate) fn exception(error: &(dyn Error + 'static)) -> PyErr {
    raise(error, error.to_string())
}

/// The exception for the text with this number, from 0.
pub(crate) fn exception_at(number: usize, error: &(dyn Error + 'static)) -> PyErr {
    raise(error, format!("text {number}: {error}"))
}

fn raise(error: &(dyn Error + 'static), message: String) -> PyErr {
    match file_error(error) {
        Some(ErrorKind::NotFound) => return PyFileNotFoundError::new_err(message),
        Some(ErrorKind::PermissionDenied) => return PyPermissionError::new_err(message),
        Some(ErrorKind::AlreadyExists) => return PyFileExistsError::new_err(message),
        // The content of a file is wrong.
        Some(ErrorKind::InvalidData | ErrorKind::UnexpectedEof) | None => {}
        Some(_) => return PyOSError::new_err(message),
    }
    match model_error(error) {
        Some(ModelError::NotFound { .. }) => PyFileNotFoundError::new_err(message),
        Some(ModelError::Memory { .. }) => PyMemoryError::new_err(message),
        None if error.is::<StartError>() => PyOSError::new_err(message),
        _ => CmanError::new_err(message),
    }
}

/// The error of the model that this error is or contains.
fn model_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a ModelError> {
    match (error.downcast_ref::<ColumnError>(), error.downcast_ref::<TrainError>()) {
        (Some(ColumnError::Model(error)), _) | (_, Some(TrainError::Model(error))) => Some(error),
        _ => error.downcast_ref(),
    }
}

/// The kind of the operating system's error among the causes.
fn file_error(error: &(dyn Error + 'static)) -> Option<ErrorKind> {
    let mut causes = std::iter::successors(Some(error), |error| (*error).source());
    causes.find_map(|cause| cause.downcast_ref::<std::io::Error>()).map(std::io::Error::kind)
}

/// The system starts no more threads.
#[derive(Debug)]
pub(crate) struct StartError(pub rayon::ThreadPoolBuildError);

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "threads cannot be started: {}", self.0)
    }
}

impl Error for StartError {}
