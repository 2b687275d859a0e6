//! A corpus with its training, dev and test splits.

use std::path::{Path, PathBuf};

use super::{Corpus, CorpusDir, ReaderBuilder};
use crate::{
    error::{DataError, UnusedFile},
    labels::Schema,
};

/// Training, dev and test data with the same types.
#[derive(Clone, Debug)]
pub struct Splits {
    /// Training sentences.
    pub train: Corpus,
    /// Sentences for model selection.
    pub dev: Option<Corpus>,
    /// Sentences for the final scores.
    pub test: Option<Corpus>,
    /// The types of the types file, or the types that occur in the training data.
    pub schema: Schema,
}

/// The files of [`Splits`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SplitFiles {
    /// Training data.
    pub train: PathBuf,
    /// Dev data.
    pub dev: Option<PathBuf>,
    /// Test data.
    pub test: Option<PathBuf>,
    /// The types file. Without one, the types are those that occur in the training data.
    pub types: Option<PathBuf>,
    /// Whether types that occur only in the dev data count as well, because both are trained on.
    pub dev_types: bool,
    /// Other files of the folder, and why they are not used.
    pub unused: Vec<UnusedFile>,
}

impl SplitFiles {
    /// The files of a folder, found by [`CorpusDir::find`].
    ///
    /// # Errors
    /// If the folder has no training file, or several files of one role.
    pub fn find(folder: &Path) -> Result<Self, DataError> {
        Self::of(CorpusDir::find(folder)?, folder)
    }

    /// The files and annotated folders of a folder, found by [`CorpusDir::find_any`].
    ///
    /// # Errors
    /// As [`find`](Self::find).
    #[cfg(feature = "annotation")]
    pub fn find_any(folder: &Path) -> Result<Self, DataError> {
        Self::of(CorpusDir::find_any(folder)?, folder)
    }

    fn of(files: CorpusDir, folder: &Path) -> Result<Self, DataError> {
        let train = files.training(folder)?.into();
        Ok(Self { train, dev: files.dev, test: files.test, types: files.types, dev_types: false, unused: files.unused })
    }
}

impl Splits {
    /// Reads the files of a folder, found by [`CorpusDir::find`].
    ///
    /// # Errors
    /// Those of [`SplitFiles::find`] and [`read`](Self::read).
    pub fn read_dir(folder: &Path, options: &ReaderBuilder) -> Result<Self, DataError> {
        Self::read(&SplitFiles::find(folder)?, options)
    }

    /// Reads these files.
    ///
    /// # Errors
    /// If a file is invalid, or if a type occurs that is not in the schema.
    pub fn read(files: &SplitFiles, options: &ReaderBuilder) -> Result<Self, DataError> {
        Self::read_with(files, options, |_, path, options| Corpus::read(path, options))
    }

    /// Reads each part, `train`, `dev` or `test`, with a function.
    pub(crate) fn read_with(
        files: &SplitFiles,
        options: &ReaderBuilder,
        mut read: impl FnMut(&'static str, &Path, &ReaderBuilder) -> Result<Corpus, DataError>,
    ) -> Result<Self, DataError> {
        let train = match &files.types {
            Some(types) => read("train", &files.train, &options.clone().schema(Schema::read(types)?))?,
            None => read("train", &files.train, options)?,
        };
        let mut schema = train.schema.clone();
        let mut part = |name: &'static str, path: &Option<PathBuf>, options: &ReaderBuilder| {
            path.as_ref().map(|path| read(name, path, options)).transpose()
        };
        let dev = if files.dev_types && files.types.is_none() {
            let dev = part("dev", &files.dev, options)?;
            dev.iter().for_each(|dev| schema.extend(&dev.schema));
            dev
        } else {
            part("dev", &files.dev, &options.clone().schema(schema.clone()))?
        };
        let test = part("test", &files.test, &options.clone().schema(schema.clone()))?;
        Ok(Self { train, dev, test, schema })
    }
}
