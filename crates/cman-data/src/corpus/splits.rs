//! A corpus with its training, dev and test splits.

use std::path::Path;

use super::{Corpus, CorpusDir, ReaderBuilder};
use crate::{error::DataError, labels::Schema};

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

impl Splits {
    /// Reads a folder with the file names of [`CorpusDir::find`] (`*train*.json`, `train.txt`, ...). The types come
    /// from the folder's types file, if it has one.
    ///
    /// # Errors
    /// If the folder has no training file or several, if a file is invalid, or if dev or test data has a type that is
    /// not in the schema.
    pub fn read_dir(folder: &Path, options: &ReaderBuilder) -> Result<Self, DataError> {
        let files = CorpusDir::find(folder)?;
        let Some(train) = files.train else { return Err(DataError::NoCorpus { path: folder.into() }) };
        Self::read(&train, files.dev.as_deref(), files.test.as_deref(), files.types.as_deref(), options)
    }

    /// Reads these files. The types come from the file `types`, if it is given.
    ///
    /// # Errors
    /// If a file is invalid, or if dev or test data has a type that is not in the schema.
    pub fn read(
        train: &Path,
        dev: Option<&Path>,
        test: Option<&Path>,
        types: Option<&Path>,
        options: &ReaderBuilder,
    ) -> Result<Self, DataError> {
        let train = match types {
            Some(types) => Corpus::read(train, &options.clone().schema(Schema::read(types)?))?,
            None => Corpus::read(train, options)?,
        };
        let schema = train.schema.clone();
        let options = options.clone().schema(schema.clone());
        let read = |path: Option<&Path>| path.map(|path| Corpus::read(path, &options)).transpose();
        Ok(Self { dev: read(dev)?, test: read(test)?, train, schema })
    }
}
