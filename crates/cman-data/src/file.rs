//! Files that are there whole or not at all: a killed program leaves nothing that misleads it later.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// A file that is written beside its place, under the hidden name `.NAME.part`, and gets its name when it is complete.
///
/// A draft that is dropped is removed. One that a killed program left is overwritten the next time.
#[derive(Debug)]
pub struct Draft {
    place: PathBuf,
    part: PathBuf,
}

impl Draft {
    /// A draft of the file `place`. Nothing is written yet.
    pub fn of(place: impl Into<PathBuf>) -> Self {
        let place = place.into();
        let mut name = OsString::from(".");
        name.push(place.file_name().unwrap_or_default());
        name.push(".part");
        Self { part: place.with_file_name(name), place }
    }

    /// The path to write to.
    pub fn path(&self) -> &Path {
        &self.part
    }

    /// Starts the file, empty.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn create(&self) -> io::Result<File> {
        File::create(&self.part)
    }

    /// Waits until the content is on the disk, then gives the file its name; a file of that name is replaced.
    ///
    /// # Errors
    /// If the draft was not written, cannot be synced or cannot be renamed.
    pub fn publish(self) -> io::Result<()> {
        File::options().append(true).open(&self.part)?.sync_all()?;
        fs::rename(&self.part, &self.place)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After `publish` there is no such file any more.
        _ = fs::remove_file(&self.part);
    }
}

/// Replaces the content of a file, or makes one.
///
/// # Errors
/// If it cannot be written; a file that was there stays as it was then.
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
    fn a_file_is_replaced_only_by_a_whole_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        replace(&path, b"old").unwrap();
        let draft = Draft::of(&path);
        draft.create().unwrap().write_all(b"half").unwrap();
        assert_eq!((fs::read(&path).unwrap(), draft.path().is_file()), (b"old".to_vec(), true));
        drop(draft);
        assert_eq!(names(folder.path()), ["a.json"], "no draft stays");
        replace(&path, b"new").unwrap();
        assert_eq!((fs::read(&path).unwrap(), names(folder.path()).len()), (b"new".to_vec(), 1));
    }

    #[test]
    fn what_a_killed_program_left_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(folder.path().join(".a.part"), "a longer text than the new one").unwrap();
        replace(&path, b"new").unwrap();
        assert_eq!((fs::read(&path).unwrap(), names(folder.path()).len()), (b"new".to_vec(), 1));
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none/a");
        assert_eq!(replace(&path, b"").unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(Draft::of(&path).publish().unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
