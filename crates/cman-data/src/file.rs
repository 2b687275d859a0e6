//! Files: opened by what they contain, and written so that a killed program leaves no partial file under the final name.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::error::DataError;

/// Opens a file of records. With the feature `parquet`, the rows of a Parquet file are read as JSON lines; they lie in a
/// temporary file.
///
/// # Errors
/// [`DataError::Io`] if the file cannot be read, [`DataError::Invalid`] for a damaged Parquet file.
pub fn open(path: &Path) -> Result<File, DataError> {
    #[cfg(feature = "parquet")]
    return crate::parquet::open(path);
    #[cfg(not(feature = "parquet"))]
    File::open(path).map_err(|source| DataError::io(path, source))
}

/// A file that is written next to its destination as `.NAME.part` and renamed when it is complete.
///
/// Dropping a draft removes it. A draft left by a killed program is overwritten by the next write.
#[derive(Debug)]
pub struct Draft {
    destination: PathBuf,
    part: PathBuf,
}

impl Draft {
    /// A draft of the file `destination`. This writes nothing yet.
    pub fn of(destination: impl Into<PathBuf>) -> Self {
        let destination = destination.into();
        let mut name = OsString::from(".");
        name.push(destination.file_name().unwrap_or_default());
        name.push(".part");
        Self { part: destination.with_file_name(name), destination }
    }

    /// The path to write to.
    pub fn path(&self) -> &Path {
        &self.part
    }

    /// Creates the draft as an empty file.
    ///
    /// # Errors
    /// If the file cannot be created.
    pub fn create(&self) -> io::Result<File> {
        File::create(&self.part)
    }

    /// Syncs the content to disk, then renames the draft to its destination and replaces an existing file.
    ///
    /// # Errors
    /// If the draft was not created, or cannot be synced or renamed.
    pub fn publish(self) -> io::Result<()> {
        File::options().append(true).open(&self.part)?.sync_all()?;
        fs::rename(&self.part, &self.destination)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After `publish` the draft no longer exists.
        _ = fs::remove_file(&self.part);
    }
}

/// Creates a file or replaces its content.
///
/// # Errors
/// If writing fails. An existing file is then unchanged.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let draft = Draft::of(path);
    draft.create()?.write_all(content)?;
    draft.publish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<OsString> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    }

    #[test]
    fn only_a_complete_file_replaces_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        replace(&path, b"old").unwrap();
        let draft = Draft::of(&path);
        draft.create().unwrap().write_all(b"half").unwrap();
        assert_eq!((fs::read(&path).unwrap(), draft.path().is_file()), (b"old".to_vec(), true));
        drop(draft);
        assert_eq!(names(folder.path()), ["a.json"], "the draft is removed");
        replace(&path, b"new").unwrap();
        assert_eq!((fs::read(&path).unwrap(), names(folder.path()).len()), (b"new".to_vec(), 1));
    }

    #[test]
    fn a_leftover_draft_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(folder.path().join(".a.part"), "a longer text than the new one").unwrap();
        replace(&path, b"new").unwrap();
        assert_eq!((fs::read(&path).unwrap(), names(folder.path()).len()), (b"new".to_vec(), 1));
    }

    #[test]
    fn a_missing_folder_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none/a");
        assert_eq!(replace(&path, b"").unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(Draft::of(&path).publish().unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
