//! The files to read.

use std::{
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use anyhow::{Context, Result, anyhow, bail};
use cman_data::files_in;
use serde::{Deserialize, Serialize};

use crate::hint::hinted;

/// Extensions of the files of a folder that are read.
const EXTENSIONS: [&str; 8] = ["txt", "json", "jsonl", "ndjson", "conll", "parquet", "gz", "zst"];

/// A file to read, and what tells whether it is still the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputFile {
    /// As it was named, or found in a folder that was named.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// When it was written, in seconds since 1970.
    pub modified: u64,
}

/// The files of the inputs: files in their order, and those of folders in natural order.
pub fn find(inputs: &[PathBuf]) -> Result<Vec<InputFile>> {
    let mut files = Vec::new();
    for input in inputs {
        if !input.exists() {
            let error = anyhow!("{}: no such file or folder", input.display());
            let is_pattern = input.as_os_str().as_encoded_bytes().iter().any(|byte| b"*?[".contains(byte));
            let hint = "the shell expands a pattern that is not in quotes; a folder stands for its files";
            return Err(if is_pattern { hinted(error, hint) } else { error });
        }
        let mut found = files_in(input, &EXTENSIONS)?;
        if input.is_dir() {
            // Such as the manifest of another extraction.
            found.retain(|path| !path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"_")));
        }
        if found.is_empty() {
            bail!("{}: expected files with the extensions {}, found none", input.display(), EXTENSIONS.join(", "));
        }
        for path in found {
            files.push(InputFile::of(&path)?);
        }
    }
    Ok(files)
}

impl InputFile {
    fn of(path: &Path) -> Result<Self> {
        let metadata = path.metadata().with_context(|| path.display().to_string())?;
        if !metadata.is_file() {
            let error = anyhow!("{}: expected a file, found a pipe or device", path.display());
            return Err(hinted(error, "`cman predict` reads streams"));
        }
        let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Ok(Self { path: path.into(), bytes: metadata.len(), modified: modified.map_or(0, |time| time.as_secs()) })
    }
}
