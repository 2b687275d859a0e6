//! Parser for the records of SpERT's JSON.

use std::{fmt, ops::Range};

use serde::{
    Deserialize, Deserializer,
    de::{Error, Unexpected, Visitor},
};
use serde_json::{Value, value::RawValue};

use super::record::Record;
use crate::{
    error::{DataError, Location},
    id::Id,
    sentence::{Entity, Relation, Sentence, Token},
};

/// One element of the array. Other keys are ignored.
#[derive(Deserialize)]
struct RawRecord<'a> {
    tokens: Vec<String>,
    entities: Option<Vec<RawEntity>>,
    relations: Option<Vec<RawRelation>>,
    orig_id: Option<Id>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    text: Option<Value>,
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
/// A sentence without `orig_id` has its `id`, or else its record number. A `text` is kept if the tokens are in it: `cman predict`
/// writes one.
pub(crate) fn parse(json: &str, at: &Location) -> Result<Record, DataError> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let record: RawRecord = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| DataError::json_path(at.clone(), &error))?;
    let annotated = record.entities.is_some();
    // An `id` may be anything; one that is no id is ignored like every other key.
    let id = || serde_json::from_str::<Id>(record.id?.get()).ok();
    let id = record.orig_id.or_else(id).unwrap_or_else(|| at.record.unwrap_or_default().into());
    let entities = record.entities.unwrap_or_default().into_iter();
    let relations = record.relations.unwrap_or_default().into_iter();
    let text = record.text.as_ref().and_then(Value::as_str);
    let found = text.and_then(|text| Some((text.to_owned(), places(&record.tokens, text)?)));
    let mut tokens: Vec<Token> = record.tokens.into_iter().map(Token::new).collect();
    let text = found.map(|(text, places)| {
        tokens.iter_mut().zip(places).for_each(|(token, chars)| token.chars = Some(chars));
        text
    });
    let sentence = Sentence {
        id,
        text,
        tokens,
        entities: entities.map(|raw| Entity { kind: raw.kind, start: raw.start.0, end: raw.end.0 }).collect(),
        relations: relations.map(|raw| Relation { kind: raw.kind, head: raw.head.0, tail: raw.tail.0 }).collect(),
    };
    Ok(Record { sentence, annotated, orphans: 0, lines: None })
}

/// The characters of each token, if the text is the tokens with nothing but white space between them.
fn places(tokens: &[String], text: &str) -> Option<Vec<Range<usize>>> {
    let (mut rest, mut at) = (text, 0);
    let mut places = Vec::with_capacity(tokens.len());
    for token in tokens {
        let trimmed = rest.trim_start();
        at += rest[..rest.len() - trimmed.len()].chars().count();
        rest = trimmed.strip_prefix(token.as_str())?;
        let start = at;
        at += token.chars().count();
        places.push(start..at);
    }
    rest.trim_start().is_empty().then_some(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_original_one_or_any() {
        let id = |keys: &str| {
            let json = format!(r#"{{"tokens": ["a"]{keys}}}"#);
            parse(&json, &Location::default().with_record(7)).unwrap().sentence.id
        };
        assert_eq!(id(r#", "id": "rep-7", "orig_id": 3"#), Id::from("3"));
        assert_eq!(id(r#", "id": "rep-7""#), Id::name("rep-7"));
        assert_eq!([id(r#", "id": {"x": 1}"#), id(r#", "id": null"#), id("")], [7, 7, 7].map(Id::from));
    }

    #[test]
    fn a_text_is_kept_if_the_tokens_are_in_it() {
        let read = |text: &str| {
            let json = format!(r#"{{"tokens": ["Zoë", "left", "."], "text": {text}}}"#);
            parse(&json, &Location::default()).unwrap().sentence
        };
        let sentence = read(r#"" Zoë  left.\n""#);
        assert_eq!(sentence.text.as_deref(), Some(" Zoë  left.\n"));
        let places: Vec<_> = sentence.tokens.iter().map(|token| token.chars.clone().unwrap()).collect();
        assert_eq!(places, [1..4, 6..10, 10..11]);
        for other in ["7", "null", r#""Zoë left""#, r#""Zoë has left.""#, r#""Zoë left. Ann too.""#] {
            let sentence = read(other);
            assert!(sentence.text.is_none() && sentence.tokens.iter().all(|token| token.chars.is_none()), "{other}");
        }
    }
}
