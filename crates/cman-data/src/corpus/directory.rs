//! Finds the files of a corpus in a folder.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::error::DataError;

/// The files of a corpus.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CorpusDir {
    /// Training sentences.
    pub train: Option<PathBuf>,
    /// Sentences for model selection.
    pub dev: Option<PathBuf>,
    /// Sentences for the final scores.
    pub test: Option<PathBuf>,
    /// The types file.
    pub types: Option<PathBuf>,
    /// Other corpus files, sorted: combined splits such as `train_dev`, numbered folds, complete corpora.
    pub others: Vec<PathBuf>,
}

impl CorpusDir {
    /// Finds the files by their usual names.
    ///
    /// A file name is split at every character that is not a letter or digit. A part that equals `val` or starts with
    /// `train`, `dev`, `valid` or `test` gives the role of a `.json` or `.txt` file. A `.json` file with `types` in its
    /// name is the types file. Files with several roles or a fold number (`split_0`, `fold3`, `7`) and `.json` files
    /// without a role go to `others`. Hidden files and folders are ignored.
    ///
    /// # Errors
    /// [`DataError::Ambiguous`] if several files have the same role, [`DataError::NoCorpus`] if there is no corpus
    /// file, [`DataError::Io`] if the folder cannot be read.
    pub fn find(folder: impl AsRef<Path>) -> Result<Self, DataError> {
        let folder = folder.as_ref();
        let mut candidates: [Vec<PathBuf>; 5] = Default::default();
        for entry in fs::read_dir(folder).map_err(|source| DataError::io(folder, source))? {
            let path = entry.map_err(|source| DataError::io(folder, source))?.path();
            if let Some(role) = path.file_name().and_then(|name| role(&name.to_string_lossy()))
                && path.is_file()
            {
                candidates[role as usize].push(path);
            }
        }
        candidates.iter_mut().for_each(|paths| paths.sort());
        let [train, dev, test, types, others] = candidates;
        if [&train, &dev, &test, &others].iter().all(|paths| paths.is_empty()) {
            return Err(DataError::NoCorpus { path: folder.to_owned() });
        }
        let at_most_one = |part: &'static str, mut paths: Vec<PathBuf>| {
            if paths.len() > 1 {
                return Err(DataError::Ambiguous { path: folder.to_owned(), part, candidates: paths });
            }
            Ok(paths.pop())
        };
        Ok(Self {
            train: at_most_one("train", train)?,
            dev: at_most_one("dev", dev)?,
            test: at_most_one("test", test)?,
            types: at_most_one("types", types)?,
            others,
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Role {
    Train,
    Dev,
    Test,
    Types,
    Other,
}

/// The role of a file with this name; `None` if it is not a corpus file.
fn role(name: &str) -> Option<Role> {
    let name = name.to_lowercase();
    let (stem, extension) = name.rsplit_once('.')?;
    let json = extension == "json";
    if stem.is_empty() || stem.starts_with('.') || !(json || extension == "txt") {
        return None;
    }
    if json && stem.contains("types") {
        return Some(Role::Types);
    }
    let parts: Vec<&str> = stem.split(|char: char| !char.is_alphanumeric()).collect();
    let has = |prefixes: &[&str]| parts.iter().any(|part| prefixes.iter().any(|prefix| part.starts_with(prefix)));
    let mut roles = Vec::new();
    if has(&["train"]) {
        roles.push(Role::Train);
    }
    if has(&["dev", "valid"]) || parts.contains(&"val") {
        roles.push(Role::Dev);
    }
    if has(&["test"]) {
        roles.push(Role::Test);
    }
    match roles[..] {
        [role] if !parts.iter().any(|part| is_fold(part)) => Some(role),
        [] if !json => None,
        _ => Some(Role::Other),
    }
}

/// Whether a part of a name is a fold number: one or two digits, alone or after `split` or `fold`.
fn is_fold(part: &str) -> bool {
    let number = part.strip_prefix("split").or_else(|| part.strip_prefix("fold")).unwrap_or(part);
    matches!(number.len(), 1 | 2) && number.bytes().all(|byte| byte.is_ascii_digit())
}
