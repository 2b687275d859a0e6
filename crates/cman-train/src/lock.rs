//! One writer per folder.
//!
//! The lock is the operating system's advisory lock on the file `.lock` in the folder. The system releases it when the
//! process ends, however it ends, so a file that a killed process left behind locks nothing. The file names its holder
//! for the messages of other processes.

use std::{
    fs::{self, File, TryLockError},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

use crate::{error::TrainError, lock_holder::LockHolder};

/// The file that is locked.
pub const LOCK: &str = ".lock";
/// Attempts to lock a folder whose lock file is removed again and again.
const ATTEMPTS: usize = 1000;

/// The right to write to a folder. Dropping it removes the lock file, and the folders that the lock made if nothing was
/// written to them.
#[derive(Debug)]
pub struct FolderLock {
    folder: PathBuf,
    /// The open file holds the lock.
    file: File,
    /// The folders that did not exist before: this one first, then those above it.
    made: Vec<PathBuf>,
    unsupported: Option<io::Error>,
}

impl FolderLock {
    /// Locks a folder, which is created if it does not exist.
    ///
    /// A file system without locks is no error: see [`unsupported`](Self::unsupported).
    ///
    /// # Errors
    /// [`TrainError::Locked`] if another process holds the lock, or another `FolderLock` of this process; a folder that
    /// cannot be written.
    pub fn acquire(folder: &Path) -> Result<Self, TrainError> {
        let path = folder.join(LOCK);
        let (mut made, mut last) = (Vec::new(), ErrorKind::NotFound.into());
        for _ in 0..ATTEMPTS {
            let missing = missing(folder);
            if !missing.is_empty() {
                made = missing;
            }
            let file = match fs::create_dir_all(folder).and_then(|()| open(&path)) {
                Ok(file) => file,
                // The last holder has just removed a folder that it had made.
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    last = error;
                    continue;
                }
                Err(source) => return Err(TrainError::io(folder, source)),
            };
            let unsupported = match file.try_lock() {
                Ok(()) => None,
                Err(TryLockError::WouldBlock) => {
                    return Err(TrainError::Locked { path: folder.into(), holder: LockHolder::read(&path) });
                }
                Err(TryLockError::Error(error)) => Some(error),
            };
            // The last holder may have removed the file after it was opened here. Others would then lock a new file.
            if is_at(&file, &path) {
                let mut lock = Self { folder: folder.into(), file, made, unsupported };
                lock.name_holder().map_err(|source| TrainError::io(folder, source))?;
                return Ok(lock);
            }
        }
        Err(TrainError::io(folder, last))
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Why the folder is not locked: the error of a file system without locks. Nothing then keeps other processes out.
    pub fn unsupported(&self) -> Option<&io::Error> {
        self.unsupported.as_ref()
    }

    fn name_holder(&mut self) -> io::Result<()> {
        let holder = serde_json::to_vec(&LockHolder::this_process())?;
        self.file.set_len(0)?;
        self.file.write_all(&holder)
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        // Elsewhere an open file cannot be compared with the file at its path, so the lock file has to stay.
        if cfg!(unix) {
            _ = fs::remove_file(self.folder.join(LOCK));
        }
        // A folder with files cannot be removed.
        _ = self.made.iter().try_for_each(fs::remove_dir);
    }
}

/// A folder and those above it, as far as they do not exist.
fn missing(folder: &Path) -> Vec<PathBuf> {
    let is_missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
    folder.ancestors().take_while(is_missing).map(Path::to_owned).collect()
}

/// Opens the lock file. Its content stays until the lock is held.
fn open(path: &Path) -> io::Result<File> {
    File::options().read(true).write(true).create(true).truncate(false).open(path)
}

/// Whether the open file is the one at `path`.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |data: fs::Metadata| (data.dev(), data.ino());
    let [opened, named] = [file.metadata(), fs::metadata(path)].map(|data| data.map(identity).ok());
    opened.is_some() && opened == named
}

/// Whether the open file is the one at `path`. It is, since lock files are not removed.
#[cfg(not(unix))]
fn is_at(_file: &File, _path: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use std::{
        process,
        sync::atomic::{AtomicUsize, Ordering},
        thread,
    };

    use super::*;

    #[test]
    fn a_second_writer_is_told_who_holds_the_lock() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("new/model");
        let lock = FolderLock::acquire(&folder).unwrap();
        assert!(lock.unsupported().is_none());
        let Err(TrainError::Locked { path, holder: Some(holder) }) = FolderLock::acquire(&folder) else {
            panic!("expected a lock with a holder")
        };
        assert!(path == folder && holder.is_this_process() && !holder.host.is_empty(), "{holder}");
        let message = TrainError::Locked { path, holder: Some(holder) }.to_string();
        let expected = format!("{}: process {} on host ", folder.display(), process::id());
        assert!(message.starts_with(&expected) && message.ends_with(" UTC"), "{message}");
        drop(lock);
        assert!(!root.path().join("new").exists(), "nothing was written");
        fs::create_dir_all(&folder).unwrap();
        drop(FolderLock::acquire(&folder).unwrap());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    }

    #[test]
    fn the_file_of_a_process_that_ended_locks_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let ended = r#"{"process": 1, "host": "a", "since": "2026-11-28 06:30:12 UTC", "and": "more text than ours"}"#;
        fs::write(folder.path().join(LOCK), ended.repeat(9)).unwrap();
        let _lock = FolderLock::acquire(folder.path()).unwrap();
        let holder = LockHolder::read(&folder.path().join(LOCK)).unwrap();
        assert_eq!(holder.process, process::id());
    }

    #[test]
    fn there_is_one_holder_at_a_time_though_lock_files_and_folders_come_and_go() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("model");
        let (holders, held) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..300 {
                        match FolderLock::acquire(&folder) {
                            Ok(_lock) => {
                                assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0);
                                held.fetch_add(1, Ordering::SeqCst);
                                thread::yield_now();
                                holders.fetch_sub(1, Ordering::SeqCst);
                            }
                            Err(TrainError::Locked { .. }) => thread::yield_now(),
                            Err(error) => panic!("{error}"),
                        }
                    }
                });
            }
        });
        // A folder stays if the next holder came before its maker could remove it.
        assert!(held.into_inner() > 0 && !folder.join(LOCK).exists());
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        fs::write(&file, "").unwrap();
        let error = FolderLock::acquire(&file).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{}: ", file.display())), "{error}");
    }
}
