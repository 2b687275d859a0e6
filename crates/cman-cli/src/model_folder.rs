//! The folder that `cman train` writes: new, with an interrupted run, or with a finished model.

use std::{fs, path::Path};

use anyhow::{Context, Result, anyhow, bail};
use cman_train::{Checkpoints, FolderLock, LOCK, RunIdentity, TrainError};
use serde::Deserialize;

use crate::{
    args::MANIFEST,
    hint::{OTHER_RUN, hinted},
    notes::note_unlocked,
};

/// The file that names the run of a finished model.
const IDENTITY: &str = "identity.json";
/// The file that names the kept epoch.
const SCORES: &str = "scores.json";

/// What to do with a folder that is not new.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Refuse it.
    New,
    /// Replace its content.
    Replace,
    /// Continue its run.
    Resume,
}

/// Locks the folder. Nothing in it may be looked at before.
pub fn lock(folder: &Path) -> Result<FolderLock> {
    if folder.exists() && !folder.is_dir() {
        bail!("{}: expected a directory, found a file", folder.display());
    }
    let lock = FolderLock::acquire(folder)?;
    if let Some(reason) = lock.unsupported() {
        note_unlocked(folder, reason);
    }
    Ok(lock)
}

/// Checks whether the run may start.
pub fn check(folder: &Path, start: Start, checkpoints: &Checkpoints) -> Result<()> {
    let (name, model) = (folder.display(), folder.join(MANIFEST).exists());
    let interrupted = checkpoints.exists() && !is_finished(folder);
    match start {
        Start::Resume if checkpoints.exists() || is_finished(folder) => return Ok(()),
        Start::Resume => {
            let error = anyhow!("{name}: no checkpoint to resume");
            return Err(hinted(error, "the same command without `--resume` starts a new run"));
        }
        Start::New if interrupted => {
            let error = anyhow!("{name}: contains an interrupted run");
            return Err(hinted(error, "`--resume` continues the run, `--force` starts a new one"));
        }
        Start::New if model => {
            return Err(hinted(anyhow!("{name}: already contains a model"), "`--force` overwrites it"));
        }
        Start::New | Start::Replace => {}
    }
    let entries = fs::read_dir(folder).with_context(|| name.to_string())?;
    let is_empty = entries.flatten().all(|entry| entry.file_name() == LOCK);
    // A run without a checkpoint leaves only its log.
    if !(model || is_empty || folder.join("log.csv").exists()) {
        bail!("{name}: neither empty nor a model directory");
    }
    Ok(())
}

/// The kept epoch, if the run is resumed and the folder holds its finished model. `now` is the identity of the run.
///
/// # Errors
/// A finished model of another run, or of fewer epochs, that has no checkpoint to continue from.
pub fn resume_finished(
    folder: &Path,
    start: Start,
    checkpoints: &Checkpoints,
    now: impl FnOnce() -> Result<RunIdentity, TrainError>,
) -> Result<Option<usize>> {
    if start != Start::Resume || !is_finished(folder) {
        return Ok(None);
    }
    let path = folder.join(IDENTITY);
    let (earlier, now) = (RunIdentity::load(&path)?, now()?);
    if now == earlier {
        return kept_epoch(folder).map(Some);
    }
    // The checkpoint may be of the run `now`, and is compared when it is read.
    if checkpoints.exists() {
        return Ok(None);
    }
    let differences = now.differences(&earlier, "model");
    if !now.has_only_more_epochs_than(&earlier) {
        return Err(TrainError::OtherRun { path, differences }.into());
    }
    let differences = differences.join("; ");
    let error = anyhow!("{}: finished, and no checkpoint was kept: {differences}", folder.display());
    let hint = format!("`--keep-checkpoint` keeps the last checkpoint for more epochs; {OTHER_RUN}");
    Err(hinted(error, hint))
}

/// Marks the folder as unfinished.
pub fn mark_unfinished(folder: &Path) -> Result<()> {
    let path = folder.join(IDENTITY);
    if path.exists() { fs::remove_file(&path).with_context(|| path.display().to_string()) } else { Ok(()) }
}

/// Marks the folder as the finished model of a run.
pub fn mark_finished(folder: &Path, identity: &RunIdentity) -> Result<()> {
    Ok(identity.save(&folder.join(IDENTITY))?)
}

fn is_finished(folder: &Path) -> bool {
    folder.join(MANIFEST).exists() && folder.join(IDENTITY).exists()
}

fn kept_epoch(folder: &Path) -> Result<usize> {
    #[derive(Deserialize)]
    struct Kept {
        epoch: usize,
    }
    let path = folder.join(SCORES);
    let read = || anyhow::Ok(serde_json::from_slice::<Kept>(&fs::read(&path)?)?.epoch);
    read().with_context(|| path.display().to_string())
}
