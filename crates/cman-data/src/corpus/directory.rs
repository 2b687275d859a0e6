//! Finds the files of a corpus in a folder.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use super::role::{Kind, Role, role, without_numbers};
use crate::error::{DataError, UnusedFile};

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
    /// All files that have no role, `others` among them, with the reason. Sorted.
    pub unused: Vec<UnusedFile>,
}

impl CorpusDir {
    /// Finds the files by their usual names.
    ///
    /// A file name is split at every character that is not a letter or digit. A part gives the role: `train`,
    /// `training`, `dev`, `val`, `valid`, `validation`, `test`, also with `set`, `data` or a number at the end. The
    /// files are `.json`, `.jsonl`, `.txt`, `.conll` or `.parquet` files. A `.json` file with `types` in its name is the types
    /// file. If files differ only in numbers (`split_0`, `split_1`), they are folds; they go to `others`, and so do
    /// files with several roles and `.json` and `.jsonl` files without a role. Hidden files and folders are ignored.
    ///
    /// # Errors
    /// [`DataError::Ambiguous`] if several files have the same role, [`DataError::NoCorpus`] if there is no corpus
    /// file, [`DataError::Io`] if the folder cannot be read.
    pub fn find(folder: impl AsRef<Path>) -> Result<Self, DataError> {
        let folder = folder.as_ref();
        Self::of(folder, file_names(folder)?, false)
    }

    /// Finds files as [`find`](Self::find) does, and also annotation: `.tsv` files, and folders of brat or WebAnno with a
    /// role in their names, such as `train`.
    ///
    /// # Errors
    /// As [`find`](Self::find).
    #[cfg(feature = "annotation")]
    pub fn find_any(folder: impl AsRef<Path>) -> Result<Self, DataError> {
        let folder = folder.as_ref();
        let mut names = file_names(folder)?;
        for (name, path) in entries(folder)? {
            if path.is_dir() && crate::recognize_annotations(&path)?.is_some() {
                names.push((name, path));
            }
        }
        names.sort();
        Self::of(folder, names, true)
    }

    /// The roles of these names. `any` tells whether annotation is allowed.
    fn of(folder: &Path, names: Vec<(String, PathBuf)>, any: bool) -> Result<Self, DataError> {
        let mut folds: BTreeMap<String, usize> = BTreeMap::new();
        for (name, _) in &names {
            *folds.entry(without_numbers(name)).or_default() += 1;
        }
        let mut candidates: [Vec<PathBuf>; 4] = Default::default();
        let mut found = Self::default();
        for (name, path) in names {
            let kind = if path.is_dir() {
                Kind::Folder
            } else if any {
                Kind::Annotation
            } else {
                Kind::Corpus
            };
            let role = match role(&name, kind) {
                Role::Part(_) if folds[&without_numbers(&name)] > 1 => Role::Other("one of several numbered files"),
                role => role,
            };
            let reason = match role {
                Role::Part(part) => {
                    candidates[part as usize].push(path);
                    continue;
                }
                Role::Other(reason) => {
                    found.others.push(path.clone());
                    reason
                }
                Role::None(reason) => reason,
            };
            found.unused.push(UnusedFile { path, reason: reason.into() });
        }
        if found.others.is_empty() && candidates[..3].iter().all(Vec::is_empty) {
            return Err(DataError::NoCorpus { path: folder.into(), expected: CORPUS, unused: found.unused });
        }
        let at_most_one = |part: &'static str, mut paths: Vec<PathBuf>| {
            if paths.len() > 1 {
                return Err(DataError::Ambiguous { path: folder.to_owned(), part, candidates: paths });
            }
            Ok(paths.pop())
        };
        let [train, dev, test, types] = candidates;
        found.train = at_most_one("train", train)?;
        found.dev = at_most_one("dev", dev)?;
        found.test = at_most_one("test", test)?;
        found.types = at_most_one("types", types)?;
        Ok(found)
    }

    /// The training file.
    ///
    /// # Errors
    /// [`DataError::NoCorpus`] with the files of `folder` if there is none.
    pub fn training(&self, folder: &Path) -> Result<&Path, DataError> {
        self.train.as_deref().ok_or_else(|| {
            let used = [&self.dev, &self.test, &self.types].into_iter().flatten();
            let mut unused = self.unused.clone();
            unused.extend(used.map(|path| UnusedFile { path: path.clone(), reason: "not for training".into() }));
            unused.sort_by(|a, b| a.path.cmp(&b.path));
            DataError::NoCorpus { path: folder.into(), expected: TRAINING, unused }
        })
    }
}

const CORPUS: &str = "corpus files such as train.json, dev.json and test.json";
const TRAINING: &str = "one training file such as train.json";

/// The names and paths of the files in a folder, sorted, without hidden files.
fn file_names(folder: &Path) -> Result<Vec<(String, PathBuf)>, DataError> {
    let mut names = entries(folder)?;
    names.retain(|(_, path)| path.is_file());
    Ok(names)
}

/// The names and paths of what is in a folder, sorted, without what is hidden.
fn entries(folder: &Path) -> Result<Vec<(String, PathBuf)>, DataError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(|source| DataError::io(folder, source))? {
        let path = entry.map_err(|source| DataError::io(folder, source))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            names.push((name, path));
        }
    }
    names.sort();
    Ok(names)
}
