//! Errors by kind.

use cman_data::{Entity, Relation, Sentence};
use serde::{Deserialize, Serialize};

/// Number of errors of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Errors {
    /// Entities.
    pub entities: EntityErrors,
    /// Relations.
    pub relations: RelationErrors,
}

/// Entity errors. Every false positive is counted in one of the first four fields. A false negative is `missed` if no
/// predicted entity overlaps it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntityErrors {
    /// The span of a gold entity with another type.
    pub wrong_type: usize,
    /// Overlaps a gold entity of the same type with another span.
    pub wrong_span: usize,
    /// Overlaps a gold entity with another type and another span.
    pub wrong_both: usize,
    /// Overlaps no gold entity.
    pub spurious: usize,
    /// A gold entity that no predicted entity overlaps.
    pub missed: usize,
}

/// Relation errors. Every false positive is counted in one of the first four fields, every false negative in
/// `missed_entity` or `missed`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelationErrors {
    /// An argument is not a gold entity.
    pub wrong_entity: usize,
    /// The arguments have a gold relation of another type.
    pub wrong_label: usize,
    /// The arguments have the gold relation in the opposite direction.
    pub wrong_direction: usize,
    /// The arguments are gold entities without a gold relation.
    pub spurious: usize,
    /// A gold relation with an argument that was not predicted.
    pub missed_entity: usize,
    /// A gold relation that was not predicted although both arguments were.
    pub missed: usize,
}

impl Errors {
    /// Adds the errors of `other`.
    pub fn add(&mut self, other: &Self) {
        let (a, b) = (&mut self.entities, &other.entities);
        a.wrong_type += b.wrong_type;
        a.wrong_span += b.wrong_span;
        a.wrong_both += b.wrong_both;
        a.spurious += b.spurious;
        a.missed += b.missed;
        let (a, b) = (&mut self.relations, &other.relations);
        a.wrong_entity += b.wrong_entity;
        a.wrong_label += b.wrong_label;
        a.wrong_direction += b.wrong_direction;
        a.spurious += b.spurious;
        a.missed_entity += b.missed_entity;
        a.missed += b.missed;
    }
}

/// Counts errors. Predictions must not have duplicates.
///
/// # Panics
/// If an argument is not an entity.
pub fn errors(gold: &[Sentence], predicted: &[Sentence]) -> Errors {
    let mut errors = Errors::default();
    for (gold, predicted) in gold.iter().zip(predicted) {
        count_entities(&mut errors.entities, gold, predicted);
        count_relations(&mut errors.relations, gold, predicted);
    }
    errors
}

fn count_entities(errors: &mut EntityErrors, gold: &Sentence, predicted: &Sentence) {
    for wrong in predicted.entities.iter().filter(|entity| !gold.entities.contains(entity)) {
        let mut overlapping = gold.entities.iter().filter(|entity| entity.overlaps(wrong)).peekable();
        let none = overlapping.peek().is_none();
        // Whether span and type are equal.
        let mut overlapping = overlapping.map(|entity| (entity.span() == wrong.span(), entity.kind == wrong.kind));
        let best = overlapping.clone().find(|(span, _)| *span).or_else(|| overlapping.find(|(_, kind)| *kind));
        *match best {
            _ if none => &mut errors.spurious,
            Some((true, _)) => &mut errors.wrong_type,
            Some(_) => &mut errors.wrong_span,
            None => &mut errors.wrong_both,
        } += 1;
    }
    let is_missed = |entity: &&Entity| predicted.entities.iter().all(|other| !other.overlaps(entity));
    errors.missed += gold.entities.iter().filter(is_missed).count();
}

fn count_relations(errors: &mut RelationErrors, gold: &Sentence, predicted: &Sentence) {
    type Pair<'a> = (&'a Entity, &'a Entity);
    fn pair<'a>(sentence: &'a Sentence, relation: &Relation) -> Pair<'a> {
        (&sentence.entities[relation.head], &sentence.entities[relation.tail])
    }
    let labels = |arguments: Pair| -> Vec<&str> {
        let between = gold.relations.iter().filter(|relation| pair(gold, relation) == arguments);
        between.map(|relation| relation.kind.as_str()).collect()
    };
    for wrong in &predicted.relations {
        let (head, tail) = pair(predicted, wrong);
        let (forward, backward) = (labels((head, tail)), labels((tail, head)));
        if forward.contains(&wrong.kind.as_str()) {
            continue;
        }
        *if !gold.entities.contains(head) || !gold.entities.contains(tail) {
            &mut errors.wrong_entity
        } else if backward.contains(&wrong.kind.as_str()) {
            &mut errors.wrong_direction
        } else if !forward.is_empty() {
            &mut errors.wrong_label
        } else {
            &mut errors.spurious
        } += 1;
    }
    for relation in &gold.relations {
        let (head, tail) = pair(gold, relation);
        if predicted.relations.iter().any(|r| r.kind == relation.kind && pair(predicted, r) == (head, tail)) {
            continue;
        }
        let found = predicted.entities.contains(head) && predicted.entities.contains(tail);
        *if found { &mut errors.missed } else { &mut errors.missed_entity } += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(entities: &[(&str, usize, usize)], relations: &[(&str, usize, usize)]) -> Sentence {
        let mut sentence = Sentence::from_tokens("1", vec!["a"; 12]);
        sentence.entities = entities.iter().map(|&(kind, start, end)| Entity::new(kind, start..end)).collect();
        sentence.relations = relations.iter().map(|&(kind, head, tail)| Relation::new(kind, head, tail)).collect();
        sentence
    }

    #[test]
    fn every_error_is_counted_by_kind() {
        let gold = sentence(
            &[("A", 0, 1), ("A", 1, 3), ("A", 3, 5), ("A", 5, 6), ("B", 8, 9), ("B", 10, 11)],
            &[("r", 4, 5), ("r", 4, 0), ("s", 5, 4), ("r", 5, 3)],
        );
        let predicted = sentence(
            &[("B", 0, 1), ("A", 2, 3), ("B", 4, 5), ("A", 7, 8), ("B", 8, 9), ("B", 10, 11)],
            &[("s", 4, 5), ("r", 5, 4), ("r", 4, 0), ("s", 4, 4)],
        );
        let gold = [gold];
        let found = errors(&gold, &[predicted]);
        let entities = EntityErrors { wrong_type: 1, wrong_span: 1, wrong_both: 1, spurious: 1, missed: 1 };
        assert_eq!(found.entities, entities);
        // Gold has `s` and `r` between the two entities, each in the opposite direction.
        let relations = RelationErrors {
            wrong_entity: 1,
            wrong_label: 0,
            wrong_direction: 2,
            spurious: 1,
            missed_entity: 2,
            missed: 2,
        };
        assert_eq!(found.relations, relations);
        assert_eq!(errors(&gold, &gold), Errors::default());
        let relabelled = Sentence { relations: vec![Relation::new("t", 4, 5)], ..gold[0].clone() };
        assert_eq!(errors(&gold, &[relabelled]).relations.wrong_label, 1);
    }
}
