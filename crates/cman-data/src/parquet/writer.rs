//! Writing of Parquet files.

use std::{
    borrow::Borrow,
    io::{self, Write},
    sync::Arc,
};

use arrow_json::ReaderBuilder;
use arrow_schema::{DataType, Field, Fields, Schema};
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    file::properties::WriterProperties,
};
use serde::Serialize;

use crate::{
    corpus::write_error,
    error::{DataError, Location},
    id::Id,
    sentence::{Entity, Relation, Sentence},
    validate::validate_annotation,
};

/// Number of sentences that are encoded together.
const ROWS: usize = 1024;

#[derive(Serialize)]
struct Row<'a> {
    tokens: Vec<&'a str>,
    entities: &'a [Entity],
    relations: &'a [Relation],
    orig_id: RowId<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum RowId<'a> {
    Number(i64),
    Name(&'a str),
}

/// Writes sentences as Parquet, compressed with zstd, with the columns of SpERT's JSON: `tokens`, a list of strings;
/// `entities`, a list of `{type: string, start: int64, end: int64}`; `relations`, a list of `{type: string, head: int64,
/// tail: int64}`; `orig_id`, int64 if all ids are such numbers, else strings.
///
/// The format cannot store [`Sentence::text`] and [`Token::chars`](crate::Token::chars). The file is in memory until it is
/// complete.
///
/// ```
/// use cman_data::{Entity, Sentence, write_parquet};
///
/// # fn main() -> Result<(), cman_data::DataError> {
/// let mut sentence = Sentence::from_tokens("7", ["Ann", "left"]);
/// sentence.entities.push(Entity::new("Peop", 0..1));
/// let mut file = Vec::new();
/// write_parquet(&[sentence], &mut file)?;
/// assert!(file.starts_with(b"PAR1"));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`DataError::Invalid`] for an invalid sentence, [`DataError::Io`] if writing fails.
pub fn write_parquet<S: Borrow<Sentence>>(sentences: &[S], mut writer: impl Write) -> Result<(), DataError> {
    let numbers = sentences.iter().all(|sentence| number(&sentence.borrow().id).is_some());
    let bytes = encode(sentences, numbers)?;
    writer.write_all(&bytes).and_then(|()| writer.flush()).map_err(write_error)
}

fn encode<S: Borrow<Sentence>>(sentences: &[S], numbers: bool) -> Result<Vec<u8>, DataError> {
    let schema = Arc::new(schema(if numbers { DataType::Int64 } else { DataType::Utf8 }));
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
    let mut file = ArrowWriter::try_new(Vec::new(), Arc::clone(&schema), Some(properties)).map_err(other)?;
    for (i, part) in sentences.chunks(ROWS).enumerate() {
        let rows = part.iter().zip(i * ROWS + 1..).map(|(sentence, record)| row(sentence.borrow(), record, numbers));
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        let builder = ReaderBuilder::new(Arc::clone(&schema)).with_batch_size(ROWS);
        let mut decoder = builder.build_decoder().map_err(other)?;
        decoder.serialize(&rows).map_err(other)?;
        if let Some(batch) = decoder.flush().map_err(other)? {
            file.write(&batch).map_err(other)?;
        }
    }
    file.into_inner().map_err(other)
}

fn row(sentence: &Sentence, record: usize, numbers: bool) -> Result<Row<'_>, DataError> {
    validate_annotation(sentence).map_err(|fault| fault.at(Location::default().with_record(record)))?;
    let orig_id = number(&sentence.id).filter(|_| numbers).map_or(RowId::Name(sentence.id.as_str()), RowId::Number);
    let (tokens, entities, relations) = (sentence.words().collect(), &sentence.entities[..], &sentence.relations[..]);
    Ok(Row { tokens, entities, relations, orig_id })
}

/// The id as a number, if that is how it is written.
fn number(id: &Id) -> Option<i64> {
    let number: i64 = id.as_str().parse().ok()?;
    (id.is_number() && number.to_string() == id.as_str()).then_some(number)
}

fn schema(orig_id: DataType) -> Schema {
    let list = |item| DataType::List(Arc::new(Field::new("item", item, false)));
    let objects = |indices: [&str; 2]| {
        let indices = indices.map(|name| Field::new(name, DataType::Int64, false));
        let kind = Field::new("type", DataType::Utf8, false);
        list(DataType::Struct([kind].into_iter().chain(indices).collect::<Fields>()))
    };
    Schema::new(vec![
        Field::new("tokens", list(DataType::Utf8), false),
        Field::new("entities", objects(["start", "end"]), false),
        Field::new("relations", objects(["head", "tail"]), false),
        Field::new("orig_id", orig_id, false),
    ])
}

/// An error of a library. None is known for these rows.
fn other(error: impl ToString) -> DataError {
    write_error(io::Error::other(error.to_string()))
}
