//! What makes a sentence valid, in one place: readers, writers and encoders all ask here.

use std::{collections::HashMap, hash::Hash};

use crate::{
    LabelSet, Schema, Sentence,
    error::{DataError, Location, Quoted},
};

/// The part of a sentence that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Sentence,
    Token(usize),
    Entity(usize),
    Relation(usize),
}

/// What is wrong with a sentence, before it is known where the sentence stands.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) part: Part,
    pub(crate) duplicate: bool,
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
        Self { part, duplicate: false, field, expected: expected.into(), found: found.to_string() }
    }

    /// The error for a sentence that stands at `at`.
    pub(crate) fn at(self, at: Location) -> DataError {
        DataError::invalid(at, self.field, self.expected, self.found)
    }
}

/// Checks tokens, entities and relations; types are checked against the schema, if there is one.
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
            return Err(Fault::new(part, ".end", format!("more than the start, {}", entity.start), entity.end));
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
            return Err(Fault::new(part, ".tail", "another entity than the head", relation.tail));
        }
    }
    validate_distinct(&sentence.entities, Part::Entity, "entity")?;
    validate_distinct(&sentence.relations, Part::Relation, "relation")
}

/// Checks that there are tokens, and that none is empty or holds a null character.
pub(crate) fn validate_tokens(sentence: &Sentence) -> Result<(), Fault> {
    if sentence.is_empty() {
        return Err(Fault::new(Part::Sentence, "tokens", "at least one token", "none"));
    }
    for (i, word) in sentence.words().enumerate() {
        if word.is_empty() {
            return Err(Fault::new(Part::Token(i), "", "a token", "nothing"));
        }
        if word.contains('\0') {
            return Err(Fault::new(Part::Token(i), "", "text without null characters", Quoted(word)));
        }
    }
    Ok(())
}

fn validate_type(part: Part, kind: &str, known: Option<&LabelSet>) -> Result<(), Fault> {
    match known {
        Some(known) if known.id(kind).is_none() => {
            let expected = if known.is_empty() {
                "no annotation of this kind (the schema has no types for it)".to_owned()
            } else {
                format!("one of the types {}", known.names().join(", "))
            };
            Err(Fault::new(part, ".type", expected, Quoted(kind)))
        }
        None if kind.is_empty() => Err(Fault::new(part, ".type", "the name of a type", "nothing")),
        _ => Ok(()),
    }
}

fn validate_distinct<T: Eq + Hash>(items: &[T], part: fn(usize) -> Part, name: &str) -> Result<(), Fault> {
    let mut seen = HashMap::with_capacity(items.len());
    for (i, item) in items.iter().enumerate() {
        if let Some(first) = seen.insert(item, i) {
            let fault = Fault::new(part(i), "", format!("a new {name}"), format!("number {first} again"));
            return Err(Fault { duplicate: true, ..fault });
        }
    }
    Ok(())
}

/// Two entities that share a token, the one that starts first before the other.
pub(crate) fn first_overlap(sentence: &Sentence) -> Option<(usize, usize)> {
    let mut order: Vec<usize> = (0..sentence.entities.len()).collect();
    order.sort_by_key(|&i| (sentence.entities[i].start, i));
    let overlaps = |pair: &[usize]| sentence.entities[pair[0]].overlaps(&sentence.entities[pair[1]]);
    order.windows(2).find(|pair| overlaps(pair)).map(|pair| (pair[0], pair[1]))
}
