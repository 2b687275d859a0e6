//! Writer for SpERT's JSON.

use std::{
    borrow::Borrow,
    io::{self, Write},
};

use serde::Serialize;

use crate::{
    error::{DataError, Location},
    sentence::{Entity, Relation, Sentence},
    validate::validate,
};

#[derive(Serialize)]
struct Record<'a> {
    tokens: Vec<&'a str>,
    entities: &'a [Entity],
    relations: &'a [Relation],
    orig_id: Id<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Id<'a> {
    Number(i64),
    Name(&'a str),
}

/// Writes sentences as [`Format::Spert`](crate::Format::Spert): a JSON array with one sentence per line.
///
/// An integer id is written as a JSON number. The format cannot store [`Sentence::text`] and
/// [`Token::chars`](crate::Token::chars).
///
/// # Errors
/// [`DataError::Invalid`] for an invalid sentence, [`DataError::Io`] if writing fails.
pub fn write_spert<S: Borrow<Sentence>>(
    sentences: impl IntoIterator<Item = S>,
    mut writer: impl Write,
) -> Result<(), DataError> {
    let mut before = "[\n";
    for (record, sentence) in (1..).zip(sentences) {
        let sentence = sentence.borrow();
        validate(sentence, None).map_err(|fault| fault.at(Location::default().with_record(record)))?;
        let number = sentence.id.parse().ok().filter(|number: &i64| number.to_string() == sentence.id);
        let json = serde_json::to_string(&Record {
            tokens: sentence.words().collect(),
            entities: &sentence.entities,
            relations: &sentence.relations,
            orig_id: number.map_or(Id::Name(&sentence.id), Id::Number),
        })
        .expect("strings and numbers serialise");
        write!(writer, "{before}{json}").map_err(write_error)?;
        before = ",\n";
    }
    let end: &[u8] = if before == "[\n" { b"[]\n" } else { b"\n]\n" };
    writer.write_all(end).and_then(|()| writer.flush()).map_err(write_error)
}

/// A write error of a writer without a file name.
pub(crate) fn write_error(source: io::Error) -> DataError {
    DataError::Io { at: Box::default(), source }
}
