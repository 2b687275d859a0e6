//! Files: opened by what they contain, and written so that a killed program leaves no partial file under the final name.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use flate2::bufread::MultiGzDecoder;

use crate::error::DataError;

/// The first bytes of a file that gzip wrote.
const GZIP: &[u8] = b"\x1F\x8B";
/// The first bytes of a file that zstd wrote.
#[cfg(feature = "zstd")]
const ZSTD: &[u8] = b"\x28\xB5\x2F\xFD";

/// Opens a file of records, by what it contains: what gzip compressed is decompressed. With the feature `zstd`, so is what
/// zstd compressed; with the feature `parquet`, the rows of a Parquet file are read as JSON lines.
///
/// # Errors
/// [`DataError::Io`] if the file cannot be read, [`DataError::Invalid`] for a damaged Parquet file. Damage that is found
/// later is an error of the reader.
pub fn open(path: &Path) -> Result<Box<dyn Read + Send>, DataError> {
    open_counted(path, &Arc::default())
}

/// Opens a file as [`open`] does. `read` counts the bytes of the file that are read; for Parquet, the share of its rows.
///
/// # Errors
/// Those of [`open`].
pub fn open_counted(path: &Path, read: &Arc<AtomicU64>) -> Result<Box<dyn Read + Send>, DataError> {
    let io = |source| DataError::io(path, source);
    let file = File::open(path).map_err(io)?;
    #[cfg(feature = "parquet")]
    if crate::parquet::is_parquet(&file).map_err(io)? {
        return crate::parquet::open(file, path, read);
    }
    let mut file = BufReader::with_capacity(1 << 16, Counted { file, read: Arc::clone(read) });
    let start = file.fill_buf().map_err(io)?;
    if start.starts_with(GZIP) {
        return Ok(Box::new(MultiGzDecoder::new(file)));
    }
    #[cfg(feature = "zstd")]
    if start.starts_with(ZSTD) {
        return Ok(Box::new(zstd::Decoder::with_buffer(file).map_err(io)?));
    }
    Ok(Box::new(file))
}

/// A file whose bytes are counted.
struct Counted {
    file: File,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
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

    #[test]
    fn what_gzip_compressed_is_decompressed_and_counted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gz");
        let mut bytes = Vec::new();
        // A file may be several compressed ones, one after another.
        for part in ["one\n", "two\n"] {
            let mut encoder = flate2::write::GzEncoder::new(&mut bytes, flate2::Compression::fast());
            encoder.write_all(part.as_bytes()).unwrap();
            encoder.finish().unwrap();
        }
        fs::write(&path, &bytes).unwrap();
        let (mut text, read) = (String::new(), Arc::default());
        open_counted(&path, &read).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!((text.as_str(), read.load(Ordering::Relaxed)), ("one\ntwo\n", bytes.len() as u64));
        fs::write(&path, &bytes[..bytes.len() - 12]).unwrap();
        assert!(open(&path).unwrap().read_to_string(&mut text).is_err(), "a truncated file");
        fs::write(&path, "one").unwrap();
        text.clear();
        open(&path).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "one");
    }

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
