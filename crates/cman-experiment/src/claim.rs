//! Which process trains a run: the one that holds the lock of its folder.

use cman_train::{FolderLock, Protocol};

use crate::{error::ExperimentError, plan::RunSpec, store::RunStore};

/// The runs to train for the outcome of `spec`, in order, each with the lock of its folder. A finished run needs none. A
/// run on train and dev needs the run on train first, which selects its number of epochs.
///
/// # Errors
/// [`TrainError::Locked`](cman_train::TrainError::Locked) if another process, or another job of this one, trains a run
/// that is needed. Nothing is locked then.
pub(crate) fn claim(spec: &RunSpec, store: &RunStore) -> Result<Vec<(RunSpec, FolderLock)>, ExperimentError> {
    if store.is_finished(&spec.id) {
        return Ok(Vec::new());
    }
    let mut runs = match spec.protocol {
        Protocol::Train => Vec::new(),
        Protocol::TrainDev => claim(&spec.with_protocol(Protocol::Train), store)?,
    };
    let lock = FolderLock::acquire(&store.run(&spec.id))?;
    // The last holder of the lock may have finished the run.
    if store.is_finished(&spec.id) {
        return Ok(Vec::new());
    }
    runs.push((spec.clone(), lock));
    Ok(runs)
}
