//! Where a model comes from and where it runs: what is needed to load it again in another process.

use std::{io, path::PathBuf, sync::Arc};

use burn_ragged::DeviceKind;
use cman_model::{ExtractOptions, LoadOptions, Model};
use pyo3::{exceptions::PyFileNotFoundError, prelude::*};

use crate::{errors::exception, threads::Threads};

/// A model, its device and its threads.
#[derive(Clone)]
pub(crate) struct Source {
    /// A model directory or a package; `None` is the demo model.
    pub path: Option<PathBuf>,
    /// The folder of the encoder, if it is not where the model says.
    pub encoder: Option<PathBuf>,
    /// The device.
    pub device: DeviceKind,
    /// The threads that compute.
    pub threads: Arc<Threads>,
}

impl Source {
    /// A source by the arguments of Python.
    pub(crate) fn new(
        path: Option<PathBuf>,
        encoder: Option<PathBuf>,
        device: &str,
        threads: Option<u16>,
    ) -> PyResult<Self> {
        let device = device.parse().map_err(|error: burn_ragged::DeviceError| exception(&error))?;
        Ok(Self { path, encoder, device, threads: Threads::of(threads)? })
    }

    /// The same source, with paths that hold in every working directory.
    pub(crate) fn absolute(&self) -> io::Result<Self> {
        let absolute = |path: &Option<PathBuf>| path.as_ref().map(std::path::absolute).transpose();
        Ok(Self { path: absolute(&self.path)?, encoder: absolute(&self.encoder)?, ..self.clone() })
    }

    /// Loads the model.
    pub(crate) fn load(&self, py: Python<'_>, options: &ExtractOptions) -> PyResult<cman_model::Extractor> {
        if let Some(path) = self.path.as_ref().filter(|path| !path.exists()) {
            let message = format!("{}: no such model directory or package", path.display());
            return Err(PyFileNotFoundError::new_err(message));
        }
        let device = self.device.device().map_err(|error| exception(&error))?;
        let load = LoadOptions { encoder: self.encoder.clone(), ..LoadOptions::default() };
        let loaded = self.threads.detached(py, || {
            let model = match &self.path {
                Some(path) => Model::load_with(path, &device, &load)?,
                None => Model::from_package(cman_demo::PACKAGE, &device, &load)?,
            };
            cman_model::Extractor::new(model).with_options(options.clone())
        })?;
        loaded.map_err(|error| exception(&error))
    }
}
