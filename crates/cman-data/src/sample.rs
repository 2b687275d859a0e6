//! The bundled sample corpus: a few hundred sentences written for this library, with the types of CoNLL04.
//!
//! Training takes about a minute, and the test set is large enough for meaningful scores. See `datasets/README.md`.

use crate::{
    corpus::{Corpus, ReaderBuilder, Splits},
    error::DataError,
    labels::Schema,
};

const TYPES: &str = include_str!("../sample/types.json");
const TRAIN: &str = include_str!("../sample/train.json");
const DEV: &str = include_str!("../sample/dev.json");
const TEST: &str = include_str!("../sample/test.json");

/// The sample corpus.
///
/// # Errors
/// Only if the embedded files are invalid.
pub fn corpus() -> Result<Splits, DataError> {
    let schema = Schema::from_json(TYPES.as_bytes(), "sample/types.json")?;
    let read = |name: &str, text: &str| {
        let options = ReaderBuilder::new().schema(schema.clone());
        let mut reader = options.from_reader(text.as_bytes(), name)?;
        let sentences = reader.by_ref().collect::<Result<_, _>>()?;
        let (schema, report) = reader.into_parts();
        Ok::<_, DataError>(Corpus { sentences, schema, report })
    };
    Ok(Splits {
        train: read("sample/train.json", TRAIN)?,
        dev: Some(read("sample/dev.json", DEV)?),
        test: Some(read("sample/test.json", TEST)?),
        schema,
    })
}
