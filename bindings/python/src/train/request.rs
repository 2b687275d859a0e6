//! What is trained on what.

use std::path::{Path, PathBuf};

use burn_ragged::DeviceKind;
use cman_data::{AnnotationOptions, SplitFiles, Splits, sample};
use cman_model::{Config, EncoderKind, SearchPath};
use cman_train::Protocol;
use pyo3::{prelude::*, types::PyDict};

use super::{Failure, folder::Start};

/// The arguments of `train`.
pub(super) struct Request {
    /// The folder of the corpus; `None` for the sample corpus.
    pub corpus: Option<PathBuf>,
    pub out: PathBuf,
    pub vectors: Option<PathBuf>,
    pub config: Option<PathBuf>,
    /// Settings as TOML, `key=value`.
    pub settings: Vec<String>,
    pub epochs: Option<usize>,
    pub seed: Option<u64>,
    pub protocol: Protocol,
    pub start: Start,
    pub device: DeviceKind,
}

impl Request {
    /// The configuration with all that the arguments change.
    pub(super) fn configuration(&self) -> Result<Config, Failure> {
        let mut config = Config::load(self.config.as_deref(), &self.settings).map_err(Failure::of)?;
        if config.encoder.kind != EncoderKind::None {
            // A relative path in the file is relative to the file, one among the settings to the working directory.
            let is_set = self.settings.iter().any(|setting| setting.starts_with("encoder.path"));
            let folder = self.config.as_deref().and_then(Path::parent).filter(|_| !is_set).map(Path::to_owned);
            let path = SearchPath::new(folder).find_encoder(&config.encoder.path).map_err(Failure::of)?;
            config.encoder.path = path.to_string_lossy().into_owned();
        }
        config.seed = self.seed.unwrap_or(config.seed);
        config.train.epochs = self.epochs.unwrap_or(config.train.epochs);
        config.check().map_err(Failure::of)?;
        Ok(config)
    }

    /// The sentences.
    pub(super) fn splits(&self, config: &Config) -> Result<Splits, Failure> {
        let Some(folder) = &self.corpus else { return sample::corpus().map_err(Failure::of) };
        let mut files = SplitFiles::find_any(folder).map_err(Failure::of)?;
        files.dev_types = self.protocol == Protocol::TrainDev;
        let annotation = AnnotationOptions { tokenizer: config.data.tokenizer, ..AnnotationOptions::default() };
        let (splits, _losses) = Splits::read_any(&files, &config.data.reader(), &annotation).map_err(Failure::of)?;
        Ok(splits)
    }
}

/// Settings as TOML. The values that JSON and TOML share are written alike.
pub(super) fn assignments(settings: Option<&Bound<'_, PyDict>>) -> PyResult<Vec<String>> {
    let Some(settings) = settings else { return Ok(Vec::new()) };
    let dumps = settings.py().import("json")?.getattr("dumps")?;
    settings.iter().map(|(key, value)| Ok(format!("{key}={}", dumps.call1((value,))?))).collect()
}
