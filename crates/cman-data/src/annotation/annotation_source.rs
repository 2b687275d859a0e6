//! What annotation is read from: a file, a folder, or the bytes of a file.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
};

use super::tree::{files, read_text};
use crate::{
    error::{DataError, Location},
    file::open,
    source::text,
};

/// A file or folder, or the bytes of a file.
#[derive(Clone, Copy)]
pub(super) enum AnnotationSource<'a> {
    Path(&'a Path),
    Bytes { name: &'a Path, bytes: &'a [u8] },
}

impl<'a> AnnotationSource<'a> {
    /// The path, or the name for messages.
    pub(super) fn name(&self) -> &'a Path {
        match self {
            Self::Path(path) | Self::Bytes { name: path, .. } => path,
        }
    }

    /// The location of the whole.
    pub(super) fn location(&self) -> Location {
        Location::file(self.name())
    }

    /// Opens the file.
    pub(super) fn open(&self) -> Result<Box<dyn BufRead + 'a>, DataError> {
        match *self {
            Self::Bytes { bytes, .. } => Ok(Box::new(bytes)),
            Self::Path(path) if path.is_dir() => Err(DataError::invalid(self.location(), "", "a file", "a directory")),
            Self::Path(path) => Ok(Box::new(BufReader::new(open(path)?))),
        }
    }

    /// Whether the file can be opened again, unlike a pipe.
    pub(super) fn is_repeatable(&self) -> bool {
        match self {
            Self::Path(path) => path.metadata().is_ok_and(|metadata| !metadata.is_dir() && metadata.is_file()),
            Self::Bytes { .. } => true,
        }
    }

    /// The files with one of these extensions, in natural order: of a folder tree, or the file itself.
    pub(super) fn files(&self, extensions: &[&str]) -> Result<Vec<PathBuf>, DataError> {
        match self {
            Self::Path(path) => files(path, extensions),
            Self::Bytes { name, .. } => Ok(vec![name.to_path_buf()]),
        }
    }

    /// The text of one of the [`files`](Self::files).
    pub(super) fn text(&self, file: &Path) -> Result<String, DataError> {
        match self {
            Self::Path(_) => read_text(file),
            Self::Bytes { bytes, .. } => text(bytes, Location::file(file).with_line(1)).map(str::to_owned),
        }
    }
}
