//! Writer for SpERT's JSON.

use std::{
    borrow::Borrow,
    io::{self, Write},
};

use serde::Serialize;

use crate::{
    error::{DataError, Location},
    id::Id,
    sentence::{Entity, Relation, Sentence},
    validate::validate_annotation,
};

#[derive(Serialize)]
struct Record<'a> {
    tokens: Vec<&'a str>,
    entities: &'a [Entity],
    relations: &'a [Relation],
    orig_id: &'a Id,
}

/// Writes sentences as [`Format::Spert`](crate::Format::Spert): a JSON array with one sentence per line.
///
/// The format cannot store [`Sentence::text`] and
/// [`Token::chars`](crate::Token::chars).
///
/// # Errors
/// [`DataError::Invalid`] for an invalid sentence, [`DataError::Io`] if writing fails.
pub fn write_spert<S: Borrow<Sentence>>(
    sentences: impl IntoIterator<Item = S>,
    mut writer: impl Write,
) -> Result<(), DataError> {
    let mut before = "[\n";
    for (number, sentence) in (1..).zip(sentences) {
        write!(writer, "{before}{}", record(sentence.borrow(), number)?).map_err(write_error)?;
        before = ",\n";
    }
    let end: &[u8] = if before == "[\n" { b"[]\n" } else { b"\n]\n" };
    writer.write_all(end).and_then(|()| writer.flush()).map_err(write_error)
}

/// Writes sentences as [`Format::JsonLines`](crate::Format::JsonLines), with the limits of [`write_spert`].
///
/// # Errors
/// As [`write_spert`].
pub fn write_json_lines<S: Borrow<Sentence>>(
    sentences: impl IntoIterator<Item = S>,
    mut writer: impl Write,
) -> Result<(), DataError> {
    for (number, sentence) in (1..).zip(sentences) {
        writeln!(writer, "{}", record(sentence.borrow(), number)?).map_err(write_error)?;
    }
    writer.flush().map_err(write_error)
}

/// The record of a sentence, on one line.
fn record(sentence: &Sentence, number: usize) -> Result<String, DataError> {
    validate_annotation(sentence).map_err(|fault| fault.at(Location::default().with_record(number)))?;
    let record = Record {
        tokens: sentence.words().collect(),
        entities: &sentence.entities,
        relations: &sentence.relations,
        orig_id: &sentence.id,
    };
    Ok(serde_json::to_string(&record).expect("strings and numbers serialise"))
}

/// A write error of a writer without a file name.
pub(crate) fn write_error(source: io::Error) -> DataError {
    DataError::Io { at: Box::default(), source }
}
