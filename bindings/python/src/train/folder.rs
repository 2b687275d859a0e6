//! The folder that a run writes: new, with an interrupted run, or with a finished model.

use std::{fs, io, path::Path};

use cman_train::{Checkpoints, FolderLock, LOCK, RunIdentity, TrainError};

use super::Failure;

/// The file that identifies a model directory.
const MANIFEST: &str = "model.json";
/// The file that names the run of a finished model.
const IDENTITY: &str = "identity.json";

/// What to do with a folder that is not new.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// Refuse it.
    New,
    /// Replace its content.
    Replace,
    /// Continue its run.
    Resume,
}

impl Start {
    pub(super) fn of(resume: bool, force: bool) -> Self {
        match (resume, force) {
            (true, _) => Self::Resume,
            (_, true) => Self::Replace,
            _ => Self::New,
        }
    }
}

/// Locks the folder. Nothing in it may be looked at before.
pub(super) fn lock(folder: &Path) -> Result<FolderLock, Failure> {
    if folder.exists() && !folder.is_dir() {
        return Err(Failure::Message(format!("{}: expected a directory, found a file", folder.display())));
    }
    Ok(FolderLock::acquire(folder)?)
}

/// Checks whether the run may start.
pub(super) fn check(folder: &Path, start: Start, checkpoints: &Checkpoints) -> Result<(), Failure> {
    let (name, model) = (folder.display(), folder.join(MANIFEST).exists());
    let refuse = |message: String| Err(Failure::Message(message));
    match start {
        Start::Resume if checkpoints.exists() => return Ok(()),
        Start::Resume => return refuse(format!("{name}: no checkpoint to resume")),
        Start::New if checkpoints.exists() && !folder.join(IDENTITY).exists() => {
            return refuse(format!(
                "{name}: contains an interrupted run: resume=True continues it, force=True starts a new one"
            ));
        }
        Start::New if model => {
            return refuse(format!("{name}: already contains a model: force=True overwrites it"));
        }
        Start::New | Start::Replace => {}
    }
    let entries = fs::read_dir(folder).map_err(|source| file_error(folder, source))?;
    let is_empty = entries.flatten().all(|entry| entry.file_name() == LOCK);
    // A run without a checkpoint leaves only its log.
    if model || is_empty || folder.join("log.csv").exists() {
        return Ok(());
    }
    refuse(format!("{name}: neither empty nor a model directory"))
}

/// Marks the folder as unfinished.
pub(super) fn mark_unfinished(folder: &Path) -> Result<(), Failure> {
    let path = folder.join(IDENTITY);
    match fs::remove_file(&path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(file_error(&path, source)),
        _ => Ok(()),
    }
}

/// Marks the folder as the finished model of a run.
pub(super) fn mark_finished(folder: &Path, identity: &RunIdentity) -> Result<(), Failure> {
    Ok(identity.save(&folder.join(IDENTITY))?)
}

fn file_error(path: &Path, source: io::Error) -> Failure {
    Failure::of(TrainError::Io { path: path.into(), source })
}
