//! Writer for the multi-head model's table.

use std::{borrow::Borrow, io::Write};

use super::{multihead::NO_RELATION, spert_writer::write_error};
use crate::{
    error::{DataError, Location, Quoted},
    sentence::Sentence,
    validate::{first_overlap, validate_annotation},
};

/// Writes sentences as [`Format::Multihead`](super::Format::Multihead).
///
/// Entities are written in the order of their tokens, relations in the order of their first arguments. The format
/// cannot store [`Sentence::text`] and [`Token::chars`](crate::Token::chars).
///
/// # Errors
/// [`DataError::Inexpressible`] for overlapping entities, for ids, tokens and types that contain separators of the
/// table, and for a relation type named `N`; [`DataError::Invalid`] for an invalid sentence; [`DataError::Io`] if
/// writing fails.
pub fn write_multihead<S: Borrow<Sentence>>(
    sentences: impl IntoIterator<Item = S>,
    mut writer: impl Write,
) -> Result<(), DataError> {
    for (record, sentence) in (1..).zip(sentences) {
        let sentence = sentence.borrow();
        let at = Location::default().with_record(record);
        validate_annotation(sentence).map_err(|fault| fault.at(at.clone()))?;
        check(sentence).map_err(|(field, found)| DataError::Inexpressible {
            at: Box::new(at),
            format: "multihead",
            field,
            found,
        })?;
        writer.write_all(table(sentence).as_bytes()).map_err(write_error)?;
    }
    writer.flush().map_err(write_error)
}

/// Finds content that the table cannot express. The error holds the field and a description of its content.
fn check(sentence: &Sentence) -> Result<(), (String, String)> {
    let refuse = |field: String, what: &str, text: &str| Err((field, format!("{what} {}", Quoted(text))));
    let id = sentence.id.as_str();
    if id.trim().is_empty() || id.trim() != id || id.contains(['\n', '\r', '\0']) {
        return refuse("id".into(), "the id", id);
    }
    for (i, word) in sentence.words().enumerate() {
        if word.contains(['\t', '\n']) {
            return refuse(format!("tokens[{i}]"), "a tab or line end in", word);
        }
    }
    for (i, entity) in sentence.entities.iter().enumerate() {
        if entity.kind.contains(['\t', '\n']) {
            return refuse(format!("entities[{i}].type"), "a tab or line end in", &entity.kind);
        }
    }
    for (i, relation) in sentence.relations.iter().enumerate() {
        let kind = &relation.kind;
        if kind == NO_RELATION {
            return refuse(format!("relations[{i}].type"), "a relation named", kind);
        }
        if kind.contains(['\'', '\\', ',', '\t', '\n']) {
            return refuse(format!("relations[{i}].type"), "a quote, backslash, comma, tab or line end in", kind);
        }
    }
    match first_overlap(sentence) {
        Some((a, b)) => Err((format!("entities[{b}]"), format!("an entity that shares a token with entities[{a}]"))),
        None => Ok(()),
    }
}

/// The lines for one sentence.
fn table(sentence: &Sentence) -> String {
    let mut tags = vec!["O".to_owned(); sentence.len()];
    for entity in &sentence.entities {
        tags[entity.span()].fill(format!("I-{}", entity.kind));
        tags[entity.start] = format!("B-{}", entity.kind);
    }
    let mut relations = vec![(Vec::new(), Vec::new()); sentence.len()];
    for relation in &sentence.relations {
        let (kinds, tails) = &mut relations[sentence.entities[relation.head].end - 1];
        kinds.push(format!("'{}'", relation.kind));
        tails.push((sentence.entities[relation.tail].end - 1).to_string());
    }
    let mut table = format!("#doc {}\n", sentence.id);
    for (i, ((word, tag), (kinds, tails))) in sentence.words().zip(tags).zip(relations).enumerate() {
        let row = if kinds.is_empty() {
            format!("{i}\t{word}\t{tag}\t['{NO_RELATION}']\t[{i}]\n")
        } else {
            format!("{i}\t{word}\t{tag}\t[{}]\t[{}]\n", kinds.join(", "), tails.join(", "))
        };
        table += &row;
    }
    table
}
