//! Where finished runs are found: in a folder of runs, or else in an archive.

use std::path::{Path, PathBuf};

use crate::{archive::Archive, error::ExperimentError, outcome::Outcome, run::RUN, storage};

/// A folder of runs, and an archive of further finished runs.
#[derive(Clone, Debug)]
pub struct RunStore {
    folder: PathBuf,
    archive: Archive,
}

impl RunStore {
    /// Opens a folder of runs, which need not exist, and reads the archive.
    ///
    /// # Errors
    /// Those of [`Archive::load`].
    pub fn open(folder: &Path, archive: Option<&Path>) -> Result<Self, ExperimentError> {
        let archive = archive.map(Archive::load).transpose()?.unwrap_or_default();
        Ok(Self { folder: folder.into(), archive })
    }

    /// Whether a run is finished.
    pub fn is_finished(&self, id: &str) -> bool {
        self.run(id).join(RUN).exists() || self.archive.get(id).is_some()
    }

    /// The outcome of a run, if it is finished.
    ///
    /// # Errors
    /// A `run.json` that cannot be read.
    pub fn outcome(&self, id: &str) -> Result<Option<Outcome>, ExperimentError> {
        let path = self.run(id).join(RUN);
        if path.exists() { storage::read_json(&path).map(Some) } else { Ok(self.archive.get(id).cloned()) }
    }

    /// The folder of all runs.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder of one run.
    pub(crate) fn run(&self, id: &str) -> PathBuf {
        self.folder.join(id)
    }
}
