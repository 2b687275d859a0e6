//! Validation of sentences, shared by readers, writers and encoders.

use std::{collections::HashMap, hash::Hash};

use crate::{
    error::{DataError, Location, Quoted},
    labels::{LabelSet, Schema},
    sentence::Sentence,
};

/// The invalid part of a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Sentence,
    Token(usize),
    Entity(usize),
    Relation(usize),
}

/// A validation error without the location of the sentence.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) part: Part,
    field: String,
    expected: String,
    found: String,
}

impl Fault {
    fn new(part: Part, member: &str, expected: impl Into<String>, found: impl ToString) -> Self {
        let field = match part {
            Part::Sentence => member.to_owned(),
            Part::Token(i) => format!("tokens[{i}]{member}"),
            Part::Entity(i) => format!("entities[{i}]{member}"),
            Part::Relation(i) => format!("relations[{i}]{member}"),
        };
        Self { part, field, expected: expected.into(), found: found.to_string() }
    }

    /// The error for a sentence at location `at`.
    pub(crate) fn at(self, at: Location) -> DataError {
        DataError::invalid(at, self.field, self.expected, self.found)
    }
}

/// Checks tokens, entities and relations, and their types if a schema is given.
///
/// Entities may overlap.
pub(crate) fn validate(sentence: &Sentence, schema: Option<&Schema>) -> Result<(), Fault> {
    validate_tokens(sentence)?;
    let n_tokens = sentence.len();
    for (i, entity) in sentence.entities.iter().enumerate() {
        let part = Part::Entity(i);
        validate_type(part, &entity.kind, schema.map(|schema| &schema.entities))?;
        if entity.end > n_tokens {
            return Err(Fault::new(part, ".end", format!("at most {n_tokens} (the number of tokens)"), entity.end));
        }
        if entity.end <= entity.start {
            return Err(Fault::new(part, ".end", format!("more than {} (the start)", entity.start), entity.end));
        }
    }
    let n_entities = sentence.entities.len();
    for (i, relation) in sentence.relations.iter().enumerate() {
        let part = Part::Relation(i);
        validate_type(part, &relation.kind, schema.map(|schema| &schema.relations))?;
        for (member, index) in [(".head", relation.head), (".tail", relation.tail)] {
            if index >= n_entities {
                return Err(Fault::new(
                    part,
                    member,
                    format!("less than {n_entities} (the number of entities)"),
                    index,
                ));
            }
        }
        if relation.head == relation.tail {
            return Err(Fault::new(part, ".tail", "an entity other than the head", relation.tail));
        }
    }
    validate_distinct(&sentence.entities, Part::Entity, "entity")?;
    validate_distinct(&sentence.relations, Part::Relation, "relation")
}

/// Checks that the sentence has tokens, and that no token is empty or contains a null character.
pub(crate) fn validate_tokens(sentence: &Sentence) -> Result<(), Fault> {
    if sentence.is_empty() {
        return Err(Fault::new(Part::Sentence, "tokens", "at least one token", "none"));
    }
    for (i, word) in sentence.words().enumerate() {
        if word.is_empty() {
            return Err(Fault::new(Part::Token(i), "", "a non-empty token", Quoted(word)));
        }
        if word.contains('\0') {
            return Err(Fault::new(Part::Token(i), "", "text without null characters", Quoted(word)));
        }
    }
    Ok(())
}

fn validate_type(part: Part, kind: &str, types: Option<&LabelSet>) -> Result<(), Fault> {
    match types {
        Some(types) if types.id(kind).is_none() => {
            let expected = if types.is_empty() {
                "no annotation of this kind (the schema has no types for it)".to_owned()
            } else {
                format!("one of the types {}", types.names().join(", "))
            };
            Err(Fault::new(part, ".type", expected, Quoted(kind)))
        }
        None if kind.is_empty() => Err(Fault::new(part, ".type", "a non-empty type", Quoted(kind))),
        _ => Ok(()),
    }
}

fn validate_distinct<T: Eq + Hash>(items: &[T], part: fn(usize) -> Part, name: &str) -> Result<(), Fault> {
    let mut seen = HashMap::with_capacity(items.len());
    for (i, item) in items.iter().enumerate() {
        if let Some(first) = seen.insert(item, i) {
            let found = format!("a duplicate of {name} {first}");
            return Err(Fault::new(part(i), "", format!("a distinct {name}"), found));
        }
    }
    Ok(())
}

/// Checks a sentence to be written: [`validate`], and one type for the same tokens.
pub(crate) fn validate_annotation(sentence: &Sentence) -> Result<(), Fault> {
    validate(sentence, None)?;
    two_types(sentence).map_or(Ok(()), Err)
}

/// The fault of a sentence that gives the same tokens two types: a contradiction, which no reader accepts.
pub(crate) fn two_types(sentence: &Sentence) -> Option<Fault> {
    let mut seen = HashMap::with_capacity(sentence.entities.len());
    sentence.entities.iter().enumerate().find_map(|(i, entity)| {
        let first = *seen.entry(entity.span()).or_insert(i);
        let kind = &sentence.entities[first].kind;
        let expected = || format!("the type {} of entities[{first}], which has the same tokens", Quoted(kind));
        (*kind != entity.kind).then(|| Fault::new(Part::Entity(i), ".type", expected(), Quoted(&entity.kind)))
    })
}

/// The first two entities that share a token, ordered by their start.
pub(crate) fn first_overlap(sentence: &Sentence) -> Option<(usize, usize)> {
    let mut order: Vec<usize> = (0..sentence.entities.len()).collect();
    order.sort_by_key(|&i| (sentence.entities[i].start, i));
    let overlaps = |pair: &[usize]| sentence.entities[pair[0]].overlaps(&sentence.entities[pair[1]]);
    order.windows(2).find(|pair| overlaps(pair)).map(|pair| (pair[0], pair[1]))
}
