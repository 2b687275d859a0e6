//! Files of a folder tree.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::natural_order::natural_order;
use crate::{
    corpus::ReaderBuilder,
    error::{DataError, Location},
    source::text,
};

/// Maximum size of a file in bytes.
const LIMIT: usize = ReaderBuilder::MAX_RECORD_BYTES;
/// Deepest folder that is searched.
const MAX_DEPTH: usize = 64;

/// The files with one of these extensions, in natural order: of a folder and its folders, or the file itself. Hidden files, and
/// folders behind links, are not searched.
///
/// # Errors
/// A folder that cannot be read, or one of more than 64 folders in each other.
pub fn files(path: &Path, extensions: &[&str]) -> Result<Vec<PathBuf>, DataError> {
    let mut files = Vec::new();
    if path.is_dir() {
        collect(path, extensions, 0, &mut files)?;
    } else {
        files.push(path.to_owned());
    }
    files.sort_by(|a, b| natural_order(a, b));
    Ok(files)
}

fn collect(folder: &Path, extensions: &[&str], depth: usize, files: &mut Vec<PathBuf>) -> Result<(), DataError> {
    if depth > MAX_DEPTH {
        let (expected, at) = (format!("at most {MAX_DEPTH} folders in each other"), Location::file(folder));
        return Err(DataError::invalid(at, "", expected, "more"));
    }
    for entry in fs::read_dir(folder).map_err(|source| DataError::io(folder, source))? {
        let entry = entry.map_err(|source| DataError::io(folder, source))?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(|source| DataError::io(entry.path(), source))?);
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let has_extension = path.extension().is_some_and(|own| extensions.iter().any(|extension| own == *extension));
        if kind.is_dir() {
            collect(&path, extensions, depth + 1, files)?;
        } else if has_extension && path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

/// The content of a file, of at most 16 MiB.
pub(super) fn read_text(path: &Path) -> Result<String, DataError> {
    let size = fs::metadata(path).map_err(|source| DataError::io(path, source))?.len();
    if size > LIMIT as u64 {
        return Err(DataError::TooLarge { at: Box::new(Location::file(path)), limit: LIMIT });
    }
    let bytes = fs::read(path).map_err(|source| DataError::io(path, source))?;
    text(&bytes, Location::file(path).with_line(1)).map(str::to_owned)
}
