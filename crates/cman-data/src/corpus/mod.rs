//! Readers and writers for the corpus formats of the field.

mod acceptance;
mod columns;
mod directory;
mod duplicates;
mod elements;
mod json_records;
mod multihead;
mod multihead_writer;
mod options;
mod reader;
mod record;
mod report;
mod role;
mod spert;
mod spert_writer;
mod splits;
mod types;

use std::path::Path;

pub(crate) use columns::tagged_columns;
pub use directory::CorpusDir;
pub(crate) use json_records::JsonRecords;
pub use multihead_writer::write_multihead;
pub use options::{Format, OnError, OverlapPolicy};
pub use reader::{Reader, ReaderBuilder};
pub use report::Report;
pub use spert_writer::{write_json_lines, write_spert};
pub use splits::{SplitFiles, Splits};
pub use types::write_types;

#[cfg(feature = "annotation")]
pub(crate) use self::{
    acceptance::Acceptance, duplicates::merge, options::named, record::Record, spert_writer::write_error,
};
use crate::{error::DataError, labels::Schema, sentence::Sentence};

/// A corpus file in memory.
///
/// ```no_run
/// use cman_data::{Corpus, ReaderBuilder, Schema};
///
/// # fn main() -> Result<(), cman_data::DataError> {
/// let schema = Schema::read("conll04_types.json")?;
/// let train = Corpus::read("conll04_train.json", &ReaderBuilder::new().schema(schema))?;
/// println!("{} sentences\n{}", train.sentences.len(), train.report);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Corpus {
    /// The sentences, in the order of the file.
    pub sentences: Vec<Sentence>,
    /// The types of the types file, or the types that occur in this file.
    pub schema: Schema,
    /// Anomalies in the file.
    pub report: Report,
}

impl Corpus {
    /// Reads a complete corpus file.
    ///
    /// # Errors
    /// The errors of [`ReaderBuilder::from_path`] and of the [`Reader`].
    pub fn read(path: impl AsRef<Path>, options: &ReaderBuilder) -> Result<Self, DataError> {
        let mut reader = options.from_path(path)?;
        let sentences = reader.by_ref().collect::<Result<_, _>>()?;
        let (schema, report) = reader.into_parts();
        Ok(Self { sentences, schema, report })
    }
}

impl<'a> IntoIterator for &'a Corpus {
    type Item = &'a Sentence;
    type IntoIter = std::slice::Iter<'a, Sentence>;

    fn into_iter(self) -> Self::IntoIter {
        self.sentences.iter()
    }
}
