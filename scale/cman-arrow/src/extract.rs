//! From a column to a column.

use std::sync::Arc;

use arrow_array::{Array, RecordBatch, StructArray};
use arrow_schema::{Field, Schema};
use cman_model::{Document, Extractor};

use crate::{column::Column, encode::encode, error::ColumnError, schema::data_type};

/// Number of rows that are read together.
const ROWS: usize = 256;

/// Extracts from each row of a column of texts, or of lists of tokens. Offsets of a list of tokens are those in its tokens
/// joined by spaces. The row of a null is null.
///
/// A row that the model refuses, such as one with a token above
/// [`ExtractOptions::max_characters`](cman_model::ExtractOptions::max_characters), has an `error`; the others are read.
///
/// # Errors
/// [`ColumnError::Type`] for another column; [`ColumnError::Model`] if the model fails.
pub fn extract(extractor: &Extractor, column: &dyn Array) -> Result<StructArray, ColumnError> {
    let column = Column::of(column)?;
    let mut rows: Vec<Option<Result<Document, String>>> = Vec::with_capacity(column.len());
    for start in (0..column.len()).step_by(ROWS) {
        let part = start..column.len().min(start + ROWS);
        let texts: Vec<_> = part.map(|row| column.tokenize(row, extractor)).collect();
        let accepted: Vec<_> = texts.iter().flatten().flatten().collect();
        let mut found = extractor.extract_tokenized(&accepted)?.into_iter();
        rows.extend(texts.iter().map(|text| {
            text.as_ref().map(|text| match text {
                Ok(_) => Ok(found.next().expect("a document for each text")),
                Err(error) => Err(error.clone()),
            })
        }));
    }
    Ok(encode(rows.iter().map(|row| row.as_ref().map(|row| row.as_ref().map_err(String::as_str))))?)
}

/// Extracts from the column `input` of a batch. The result is the batch with one more column, `output`.
///
/// # Errors
/// [`ColumnError::Missing`] without a column `input`, [`ColumnError::Exists`] with a column `output`, and those of
/// [`extract`].
pub fn extract_batch(
    extractor: &Extractor,
    batch: &RecordBatch,
    input: &str,
    output: &str,
) -> Result<RecordBatch, ColumnError> {
    let schema = batch.schema_ref();
    let column = batch.column_by_name(input).ok_or_else(|| {
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        ColumnError::Missing { name: input.into(), found: names.join(", ") }
    })?;
    if batch.column_by_name(output).is_some() {
        return Err(ColumnError::Exists(output.into()));
    }
    let found = extract(extractor, column)?;
    let fields = schema.fields().iter().cloned().chain([Arc::new(Field::new(output, data_type(), true))]);
    let schema = Schema::new_with_metadata(fields.collect::<Vec<_>>(), schema.metadata().clone());
    let columns = batch.columns().iter().cloned().chain([Arc::new(found) as _]).collect();
    Ok(RecordBatch::try_new(Arc::new(schema), columns)?)
}
