//! Parser for the records of SpERT's JSON.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, Unexpected, Visitor},
};

use super::record::Record;
use crate::{
    error::{DataError, Location},
    id::Id,
    sentence::{Entity, Relation, Sentence, Token},
};

/// One element of the array. Other keys are ignored.
#[derive(Deserialize)]
struct RawRecord {
    tokens: Vec<String>,
    entities: Option<Vec<RawEntity>>,
    relations: Option<Vec<RawRelation>>,
    orig_id: Option<Id>,
}

#[derive(Deserialize)]
struct RawEntity {
    #[serde(rename = "type")]
    kind: String,
    start: Index,
    end: Index,
}

#[derive(Deserialize)]
struct RawRelation {
    #[serde(rename = "type")]
    kind: String,
    head: Index,
    tail: Index,
}

/// A token or entity index.
struct Index(usize);

impl<'de> Deserialize<'de> for Index {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct IndexVisitor;

        impl Visitor<'_> for IndexVisitor {
            type Value = Index;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a non-negative integer")
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<Index, E> {
                let index = usize::try_from(value);
                index.map(Index).map_err(|_| E::invalid_value(Unexpected::Unsigned(value), &self))
            }
        }

        deserializer.deserialize_u64(IndexVisitor)
    }
}

/// Parses a record that starts at location `at`.
///
/// A sentence without `orig_id` gets its record number as its id.
pub(crate) fn parse(json: &str, at: &Location) -> Result<Record, DataError> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let record: RawRecord = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| DataError::json_path(at.clone(), &error))?;
    let annotated = record.entities.is_some();
    let id = record.orig_id.unwrap_or_else(|| at.record.unwrap_or_default().into());
    let entities = record.entities.unwrap_or_default().into_iter();
    let relations = record.relations.unwrap_or_default().into_iter();
    let sentence = Sentence {
        id,
        text: None,
        tokens: record.tokens.into_iter().map(Token::new).collect(),
        entities: entities.map(|raw| Entity { kind: raw.kind, start: raw.start.0, end: raw.end.0 }).collect(),
        relations: relations.map(|raw| Relation { kind: raw.kind, head: raw.head.0, tail: raw.tail.0 }).collect(),
    };
    Ok(Record { sentence, annotated, orphans: 0, lines: None })
}
