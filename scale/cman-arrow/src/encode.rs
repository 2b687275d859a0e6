//! Documents as a column.

use std::sync::Arc;

use arrow_array::{StructArray, cast::AsArray};
use arrow_json::ReaderBuilder;
use arrow_schema::{ArrowError, Field, Schema};
use cman_model::{Document, DocumentEntity, DocumentSentence, ExtractedRelation};
use serde::Serialize;

use crate::schema::{data_type, fields};

/// What became of a row: a document, or why it could not be read; `None` for a null.
pub type Row = Option<Result<Document, String>>;

#[derive(Serialize)]
struct Record<'a> {
    found: Option<Found<'a>>,
}

#[derive(Default, Serialize)]
struct Found<'a> {
    sentences: &'a [DocumentSentence],
    entities: &'a [DocumentEntity],
    relations: &'a [ExtractedRelation],
    error: Option<&'a str>,
}

/// Rows as a column of the type [`data_type`].
///
/// # Errors
/// Arrow's, if a list has more than 2^31 items.
pub fn encode(rows: &[Row]) -> Result<StructArray, ArrowError> {
    if rows.is_empty() {
        return Ok(StructArray::new_null(fields(), 0));
    }
    let schema = Schema::new(vec![Field::new("found", data_type(), true)]);
    let mut decoder = ReaderBuilder::new(Arc::new(schema)).with_batch_size(rows.len()).build_decoder()?;
    let record = |row: &'_ Row| Record { found: row.as_ref().map(found) };
    decoder.serialize(&rows.iter().map(record).collect::<Vec<_>>())?;
    let batch = decoder.flush()?.expect("as many rows as a batch has");
    Ok(batch.column(0).as_struct().clone())
}

fn found(row: &Result<Document, String>) -> Found<'_> {
    match row {
        Ok(Document { sentences, entities, relations }) => Found { sentences, entities, relations, error: None },
        Err(error) => Found { error: Some(error), ..Found::default() },
    }
}
