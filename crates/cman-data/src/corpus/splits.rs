//! A corpus in its usual parts.

use std::path::Path;

use super::{Corpus, CorpusDir, ReaderBuilder};
use crate::{DataError, Schema};

/// Training, dev and test data over the same types.
#[derive(Clone, Debug)]
pub struct Splits {
    /// Sentences to learn from.
    pub train: Corpus,
    /// Sentences to choose by.
    pub dev: Option<Corpus>,
    /// Sentences to report on.
    pub test: Option<Corpus>,
    /// The types: those of the types file, else those that occur in the training data.
    pub schema: Schema,
}

impl Splits {
    /// Reads a folder with files of the usual names (`*train*.json`, `train.txt`, ...) as `options` say; their types
    /// are those of the folder's types file, if there is one.
    ///
    /// # Errors
    /// A folder without training data or with several, a bad file, dev or test data of a type that training does not
    /// know.
    pub fn read_dir(folder: &Path, options: &ReaderBuilder) -> Result<Self, DataError> {
        let files = CorpusDir::find(folder)?;
        let Some(train) = files.train else { return Err(DataError::NoCorpus { path: folder.into() }) };
        Self::read(&train, files.dev.as_deref(), files.test.as_deref(), files.types.as_deref(), options)
    }

    /// Reads these files as `options` say; their types are those of the file `types`, if it is given.
    ///
    /// # Errors
    /// A bad file, dev or test data of a type that training does not know.
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
