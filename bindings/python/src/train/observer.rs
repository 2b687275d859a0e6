//! Reports of a run to Python.

use std::sync::atomic::{AtomicBool, Ordering};

use cman_train::{EpochReport, Observer, TrainError};
use pyo3::prelude::*;

use crate::errors::CmanError;

/// Calls a function after each epoch. The run stops when the function raises, or when `stop` is set.
pub(super) struct PythonObserver<'a> {
    on_epoch: Option<Py<PyAny>>,
    stop: &'a AtomicBool,
    raised: Option<PyErr>,
}

impl<'a> PythonObserver<'a> {
    pub(super) fn new(on_epoch: Option<Py<PyAny>>, stop: &'a AtomicBool) -> Self {
        Self { on_epoch, stop, raised: None }
    }

    /// What was raised.
    pub(super) fn raised(self) -> Option<PyErr> {
        self.raised
    }
}

impl Observer for PythonObserver<'_> {
    fn wants_stop(&mut self) -> bool {
        self.raised.is_some() || self.stop.load(Ordering::Relaxed)
    }

    fn epoch(&mut self, report: &EpochReport) -> Result<(), TrainError> {
        let Some(on_epoch) = &self.on_epoch else { return Ok(()) };
        let called = Python::attach(|py| {
            let json = serde_json::to_string(report).map_err(|error| CmanError::new_err(error.to_string()))?;
            on_epoch.call1(py, (py.import("json")?.call_method1("loads", (json,))?,)).map(drop)
        });
        self.raised = called.err();
        Ok(())
    }
}
