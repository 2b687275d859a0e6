//! The data of a run: the files of a corpus or fold, and their checksums.

use std::path::{Path, PathBuf};

use burn_ragged::Key;
use cman_data::{ReaderBuilder, Sentence, SplitFiles, Splits};
use cman_train::{RunData, TrainError, checksum};
use serde::{Deserialize, Serialize};

use crate::error::ExperimentError;

/// Placeholder for the fold number in file names.
const FOLD: &str = "{fold}";

/// The files of a corpus. Paths are relative to the data folder.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorpusSource {
    /// Name in the report.
    pub name: String,
    /// Folder with files of the usual names. Excludes the four keys below.
    pub folder: Option<PathBuf>,
    /// Training data.
    pub train: Option<String>,
    /// Dev data.
    pub dev: Option<String>,
    /// Test data.
    pub test: Option<String>,
    /// Types file.
    pub types: Option<String>,
    /// Number of folds. With `{fold}` in the names above, each fold has its own files, numbered from 0. Otherwise the
    /// training data is shuffled, independently of the seed, and split into this number of test sets.
    pub folds: Option<usize>,
    /// Fraction of the training data that becomes dev data if the corpus has none. The sample does not depend on the
    /// seed.
    #[serde(default)]
    pub dev_share: f64,
}

/// A data file and its checksum.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DataFile {
    /// `train`, `dev`, `test`, `types`, `vectors` or `encoder`.
    pub part: String,
    /// The path, as in the experiment file.
    pub path: String,
    /// SHA-256 of the content; the hash of an encoder.
    pub sha256: String,
}

impl CorpusSource {
    pub(crate) fn validate(&self) -> Result<(), String> {
        let fail = |message: &str| Err(format!("corpora: `{}`: {message}", self.name));
        let files = [&self.train, &self.dev, &self.test, &self.types];
        match (&self.folder, &self.train) {
            (Some(_), _) if files.iter().any(|file| file.is_some()) => fail("expected `folder` or files, found both"),
            (None, None) => fail("expected `folder` or `train`, found neither"),
            _ if !(0.0..1.0).contains(&self.dev_share) => fail("dev_share: expected a fraction in [0, 1)"),
            _ if self.folds.is_some_and(|folds| folds < 2) => fail("folds: expected at least 2"),
            _ if self.folds.is_none() && self.has_fold_files() => fail("`{fold}` requires `folds`"),
            _ if self.folds.is_some() && self.test.is_some() && !self.has_fold_files() => {
                fail("`folds` takes the test data from `train`: expected no `test`, or `{fold}` in the names")
            }
            _ => Ok(()),
        }
    }

    /// The folds; a single `None` for a corpus without folds.
    pub(crate) fn folds(&self) -> Vec<Option<usize>> {
        self.folds.map_or_else(|| vec![None], |folds| (0..folds).map(Some).collect())
    }

    fn has_fold_files(&self) -> bool {
        [&self.train, &self.dev, &self.test, &self.types].into_iter().flatten().any(|name| name.contains(FOLD))
    }

    /// The files of a fold under `root`, the data folder.
    fn files(&self, root: &Path, fold: Option<usize>) -> Result<SplitFiles, ExperimentError> {
        if let Some(folder) = &self.folder {
            return Ok(SplitFiles::find(&root.join(folder))?);
        }
        let number = fold.map(|fold| fold.to_string()).unwrap_or_default();
        let path = |name: &Option<String>| name.as_ref().map(|name| root.join(name.replace(FOLD, &number)));
        let [train, dev, test, types] = [&self.train, &self.dev, &self.test, &self.types].map(path);
        let train = train.expect("a corpus without a folder has a training file");
        Ok(SplitFiles { train, dev, test, types, ..SplitFiles::default() })
    }

    /// The checksums of a fold's files.
    pub(crate) fn checksums(&self, root: &Path, fold: Option<usize>) -> Result<Vec<DataFile>, ExperimentError> {
        let files = self.files(root, fold)?;
        let parts = [("train", Some(files.train)), ("dev", files.dev), ("test", files.test), ("types", files.types)];
        let parts = parts.into_iter().filter_map(|(part, path)| Some((part, path?)));
        parts.map(|(part, path)| DataFile::new(part, root, &path)).collect()
    }

    /// Reads a fold.
    pub(crate) fn read(
        &self,
        root: &Path,
        fold: Option<usize>,
        options: &ReaderBuilder,
    ) -> Result<RunData, ExperimentError> {
        let missing = |part, purpose| Err(TrainError::NoSentences { part, purpose }.into());
        let splits = Splits::read(&self.files(root, fold)?, options)?;
        let RunData { schema, mut train, mut dev, mut test, left_out } = splits.into();
        let number = fold.unwrap_or_default();
        if let (Some(folds), false) = (self.folds, self.has_fold_files()) {
            (train, test) = split(train, Key::new(0).at("folds"), |i, n| i * folds / n == number);
        }
        if dev.is_empty() && self.dev_share > 0.0 {
            let share = self.dev_share;
            let key = Key::new(0).at("dev").with(number as u64);
            (train, dev) = split(train, key, |i, n| i < (n as f64 * share).round() as usize);
        }
        if test.is_empty() {
            return missing("test data", "report on");
        }
        Ok(RunData { schema, train, dev, test, left_out })
    }
}

impl DataFile {
    /// The file at `path`, which is stored relative to `root`.
    pub(crate) fn new(part: &str, root: &Path, path: &Path) -> Result<Self, ExperimentError> {
        let name = path.strip_prefix(root).unwrap_or(path).display().to_string();
        Ok(Self {
            part: part.into(),
            path: name,
            sha256: checksum::of_file(path).map_err(|source| ExperimentError::io(path, source))?,
        })
    }
}

/// Shuffles `n` sentences and moves those with `select(position, n)` to the second part. Both parts keep the original
/// order.
fn split(sentences: Vec<Sentence>, key: Key, select: impl Fn(usize, usize) -> bool) -> (Vec<Sentence>, Vec<Sentence>) {
    let n = sentences.len();
    let mut is_selected = vec![false; n];
    for (position, sentence) in key.permutation(n).into_iter().enumerate() {
        is_selected[sentence] = select(position, n);
    }
    let (selected, rest): (Vec<_>, Vec<_>) =
        sentences.into_iter().zip(is_selected).partition(|(_, selected)| *selected);
    let sentences = |part: Vec<(Sentence, bool)>| part.into_iter().map(|(sentence, _)| sentence).collect();
    (sentences(rest), sentences(selected))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn source(folds: Option<usize>, dev_share: f64) -> CorpusSource {
        let folder = Some("sample".into());
        let name = "sample".into();
        CorpusSource { name, folder, train: None, dev: None, test: None, types: None, folds, dev_share }
    }

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../cman-data")
    }

    fn ids(sentences: &[Sentence]) -> BTreeSet<&str> {
        sentences.iter().map(|sentence| sentence.id.as_str()).collect()
    }

    #[test]
    fn folds_split_the_training_data_into_test_sets() {
        let source = source(Some(3), 0.0);
        let read = |fold| source.read(&root(), Some(fold), &ReaderBuilder::new()).unwrap();
        let folds = [0, 1, 2].map(read);
        let tests: Vec<&str> = folds.iter().flat_map(|fold| ids(&fold.test)).collect();
        assert_eq!((tests.len(), tests.iter().collect::<BTreeSet<_>>().len()), (855, 855));
        for fold in &folds {
            assert!(ids(&fold.train).is_disjoint(&ids(&fold.test)) && fold.test.len().abs_diff(285) <= 1);
            assert_eq!(fold.dev.len(), 175, "the dev data of the corpus");
        }
        assert_eq!(ids(&folds[1].test), ids(&read(1).test), "the split is deterministic");
    }

    #[test]
    fn dev_data_is_sampled_from_the_training_data_if_missing() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["train.json", "test.json"] {
            std::fs::copy(root().join("sample").join(name), folder.path().join(format!("1_{name}"))).unwrap();
        }
        let mut source = source(Some(2), 0.1);
        (source.folder, source.train, source.test) =
            (None, Some("{fold}_train.json".into()), Some("{fold}_test.json".into()));
        let data = source.read(folder.path(), Some(1), &ReaderBuilder::new()).unwrap();
        assert_eq!((data.train.len(), data.dev.len(), data.test.len()), (769, 86, 175));
        assert!(ids(&data.train).is_disjoint(&ids(&data.dev)));
        let files = source.checksums(folder.path(), Some(1)).unwrap();
        assert_eq!(files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["1_train.json", "1_test.json"]);
        assert!(source.checksums(folder.path(), Some(0)).unwrap_err().to_string().contains("0_train.json"));
    }

    #[test]
    fn test_data_that_folds_would_ignore_is_an_error() {
        let mut source = source(Some(2), 0.1);
        (source.folder, source.train, source.test) = (None, Some("train.json".into()), Some("test.json".into()));
        assert!(source.validate().unwrap_err().contains("expected no `test`, or `{fold}` in the names"));
        source.test = None;
        source.validate().unwrap();
        source.test = Some("test_{fold}.json".into());
        source.validate().unwrap();
        source.folds = None;
        assert!(source.validate().unwrap_err().contains("`{fold}` requires `folds`"));
    }
}
