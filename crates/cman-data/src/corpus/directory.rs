//! Finding the files of a corpus in a folder.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::DataError;

/// The files of a corpus.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CorpusDir {
    /// Training sentences.
    pub train: Option<PathBuf>,
    /// Sentences to choose by.
    pub dev: Option<PathBuf>,
    /// Sentences to report on.
    pub test: Option<PathBuf>,
    /// The types file.
    pub types: Option<PathBuf>,
    /// Other corpus files, sorted: joined splits such as `train_dev`, numbered folds, whole corpora.
    pub others: Vec<PathBuf>,
}

impl CorpusDir {
    /// Finds the files by their usual names.
    ///
    /// A name is taken apart at everything that is no letter or digit. A part that starts with `train`, `dev`, `valid`
    /// or `test`, or is `val`, tells the role of a `.json` or `.txt` file, and `types` in a name that of a `.json`
    /// file. Names with several roles, or with the number of a fold (`split_0`, `fold3`, `7`), are `others`, and so are
    /// `.json` files without a role. Hidden files and folders are passed over.
    ///
    /// # Errors
    /// [`DataError::Ambiguous`] if several files could play one part, [`DataError::NoCorpus`] if there is no corpus
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
        let one = |part: &'static str, mut paths: Vec<PathBuf>| {
            if paths.len() > 1 {
                return Err(DataError::Ambiguous { path: folder.to_owned(), part, candidates: paths });
            }
            Ok(paths.pop())
        };
        Ok(Self {
            train: one("train", train)?,
            dev: one("dev", dev)?,
            test: one("test", test)?,
            types: one("types", types)?,
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

/// The role of a file with this name, if it is a corpus file at all.
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

/// Whether a part of a name is the number of a fold: at most two digits, alone or behind `split` or `fold`.
fn is_fold(part: &str) -> bool {
    let number = part.strip_prefix("split").or_else(|| part.strip_prefix("fold")).unwrap_or(part);
    matches!(number.len(), 1 | 2) && number.bytes().all(|byte| byte.is_ascii_digit())
}
