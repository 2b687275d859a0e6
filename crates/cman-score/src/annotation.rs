//! The annotation of a sentence as sets, which the scorers compare.

use std::collections::BTreeSet;

use cman_data::{Entity, Schema, Sentence};

use crate::error::{ScoreError, Side};

/// Start and end of a span of tokens; the end is exclusive.
pub(crate) type Bounds = (usize, usize);

/// A span and its entity type.
pub(crate) type TypedSpan<'a> = (&'a str, Bounds);

/// A labelled, directed pair of arguments: head and tail.
pub(crate) type Pair<'a, A> = (&'a str, (A, A));

/// The annotation of one sentence as sets.
#[derive(Debug, Default)]
pub(crate) struct AnnotationSets<'a> {
    /// The typed spans.
    pub entities: BTreeSet<TypedSpan<'a>>,
    /// The relations with their typed arguments.
    pub relations: BTreeSet<Pair<'a, TypedSpan<'a>>>,
}

impl<'a> AnnotationSets<'a> {
    /// The annotation of `sentence`.
    pub fn of(sentence: &'a Sentence) -> Self {
        let relations = sentence.relations.iter().map(|relation| {
            let [head, tail] = [relation.head, relation.tail].map(|i| typed_span(&sentence.entities[i]));
            (relation.kind.as_str(), (head, tail))
        });
        Self { entities: sentence.entities.iter().map(typed_span).collect(), relations: relations.collect() }
    }

    /// Removes entities and relations of undeclared types. The arguments of a relation may have any type.
    pub fn declared(mut self, schema: &Schema) -> Self {
        self.entities.retain(|(kind, _)| schema.entities.id(kind).is_some());
        self.relations.retain(|(label, _)| schema.relations.id(label).is_some());
        self
    }

    /// The relations without the types of their arguments.
    pub fn untyped_relations(&self) -> BTreeSet<Pair<'a, Bounds>> {
        self.relations.iter().map(|&(label, ((_, head), (_, tail)))| (label, (head, tail))).collect()
    }
}

/// The entity as a typed span.
pub(crate) fn typed_span(entity: &Entity) -> TypedSpan<'_> {
    (&entity.kind, (entity.start, entity.end))
}

/// Checks that gold and predicted sentences match, and that all spans and arguments exist.
pub(crate) fn check_sentences(gold: &[Sentence], predicted: &[Sentence]) -> Result<(), ScoreError> {
    if gold.len() != predicted.len() {
        return Err(ScoreError::SentenceCount { gold: gold.len(), predicted: predicted.len() });
    }
    for (index, (gold, predicted)) in gold.iter().zip(predicted).enumerate() {
        if gold.len() != predicted.len() {
            let (id, gold, predicted) = (gold.id.to_string(), gold.len(), predicted.len());
            return Err(ScoreError::TokenCount { index, id, gold, predicted });
        }
        check_sentence(index, Side::Gold, gold)?;
        check_sentence(index, Side::Predicted, predicted)?;
    }
    Ok(())
}

fn check_sentence(index: usize, side: Side, sentence: &Sentence) -> Result<(), ScoreError> {
    let (id, tokens, entities) = (|| sentence.id.to_string(), sentence.len(), sentence.entities.len());
    for (i, entity) in sentence.entities.iter().enumerate() {
        if entity.start >= entity.end || entity.end > tokens {
            let (start, end) = (entity.start, entity.end);
            return Err(ScoreError::Span { index, id: id(), side, entity: i, start, end, tokens });
        }
    }
    for (i, relation) in sentence.relations.iter().enumerate() {
        let argument = relation.head.max(relation.tail);
        if argument >= entities {
            return Err(ScoreError::Argument { index, id: id(), side, relation: i, argument, entities });
        }
    }
    Ok(())
}
