//! The files of an ELMo: the published ones, and those of [`Elmo::convert`].

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{Elmo, options::Options, weights::Weights};
use crate::{error::EncoderError, hash::hash_files};

const OPTIONS: &str = "options.json";
const HDF5_WEIGHTS: &str = "weights.hdf5";
const CONVERTED_WEIGHTS: &str = "weights.safetensors";

impl Elmo {
    /// The options and the weights of the model in a directory. The options are `options.json`, or else the only file
    /// whose name ends in `options.json`. The weights are `weights.safetensors`, or else the only file whose name ends
    /// in `weights.hdf5`.
    ///
    /// # Errors
    /// If there is no such file, or more than one.
    pub fn files(dir: &Path) -> Result<[PathBuf; 2], EncoderError> {
        // A converted model may lie beside the published files. Its names are looked up first.
        let exact = |name: &str| Some(dir.join(name)).filter(|path| path.is_file());
        let options = exact(OPTIONS).map_or_else(|| only_file(dir, OPTIONS), Ok)?;
        let weights = exact(CONVERTED_WEIGHTS).map_or_else(|| only_file(dir, HDF5_WEIGHTS), Ok)?;
        Ok([options, weights])
    }

    /// A hash of the [`files`](Self::files) in `dir`. Equal files have equal hashes. [Converting](Self::convert) the
    /// weights changes the hash.
    ///
    /// # Errors
    /// Those of [`files`](Self::files), or if a file cannot be read.
    pub fn hash_dir(dir: &Path) -> Result<String, EncoderError> {
        hash_files(&Self::files(dir)?)
    }

    /// Writes a model to the directory `dir` as `options.json` and `weights.safetensors`, which
    /// [`load_dir`](Self::load_dir) reads. Names, shapes and values of the tensors do not change.
    ///
    /// # Errors
    /// Those of [`load`](Self::load), or if the directory cannot be written.
    pub fn convert(options: &Path, weights: &Path, dir: &Path) -> Result<(), EncoderError> {
        let (parsed, weights) = open(options, weights)?;
        // The options are read before anything is written, because `dir` may contain them.
        let text = fs::read(options).map_err(|source| EncoderError::io(options, source))?;
        fs::create_dir_all(dir).map_err(|source| EncoderError::io(dir, source))?;
        weights.save_safetensors(&parsed, &dir.join(CONVERTED_WEIGHTS))?;
        let path = dir.join(OPTIONS);
        fs::write(&path, text).map_err(|source| EncoderError::io(&path, source))
    }
}

/// The options, and the weights that agree with them.
pub(super) fn open(options: &Path, weights: &Path) -> Result<(Options, Weights), EncoderError> {
    let parsed = Options::read(options)?;
    let weights = Weights::open(weights)?;
    parsed.check(options, &weights)?;
    Ok((parsed, weights))
}

/// The file in `dir` whose name ends in `ending`.
fn only_file(dir: &Path, ending: &str) -> Result<PathBuf, EncoderError> {
    let io = |source| EncoderError::io(dir, source);
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(io)? {
        let path = entry.map_err(io)?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(ending)) {
            found.push(path);
        }
    }
    let count = match &mut found[..] {
        [path] => return Ok(std::mem::take(path)),
        [] => "none",
        _ => "several",
    };
    let reason = format!("expected one file whose name ends in '{ending}', found {count}");
    Err(EncoderError::format(dir, reason))
}
