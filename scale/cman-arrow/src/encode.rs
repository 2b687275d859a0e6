//! Documents as a column.

use std::sync::Arc;

use arrow_array::{StructArray, cast::AsArray};
use arrow_json::ReaderBuilder;
use arrow_schema::{ArrowError, Field, Schema};
use cman_model::{Document, DocumentEntity, DocumentSentence, ExtractedRelation};
use serde::Serialize;

use crate::schema::{data_type, fields};

/// What became of a row: a document, or why it could not be read; `None` for a null.
pub type Row<'a> = Option<Result<&'a Document, &'a str>>;

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
pub fn encode<'a>(rows: impl IntoIterator<Item = Row<'a>>) -> Result<StructArray, ArrowError> {
    let records: Vec<_> = rows.into_iter().map(|row| Record { found: row.map(found) }).collect();
    if records.is_empty() {
        return Ok(StructArray::new_null(fields(), 0));
    }
    let schema = Schema::new(vec![Field::new("found", data_type(), true)]);
    let mut decoder = ReaderBuilder::new(Arc::new(schema)).with_batch_size(records.len()).build_decoder()?;
    decoder.serialize(&records)?;
    let batch = decoder.flush()?.expect("as many rows as a batch has");
    Ok(batch.column(0).as_struct().clone())
}

fn found<'a>(row: Result<&'a Document, &'a str>) -> Found<'a> {
    match row {
        Ok(Document { sentences, entities, relations }) => Found { sentences, entities, relations, error: None },
        Err(error) => Found { error: Some(error), ..Found::default() },
    }
}
