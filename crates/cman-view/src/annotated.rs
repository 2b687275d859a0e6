//! A sentence with the confidence of its annotation.

use cman_data::Sentence;

use crate::error::ViewError;

/// A sentence, and the confidence of each entity and relation. Gold annotation has none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AnnotatedSentence {
    /// The sentence.
    pub sentence: Sentence,
    /// The confidence of each entity, from 0 to 1; entities past the end of the list have none.
    pub entity_confidences: Vec<Option<f64>>,
    /// The confidence of each relation, likewise.
    pub relation_confidences: Vec<Option<f64>>,
}

impl From<Sentence> for AnnotatedSentence {
    fn from(sentence: Sentence) -> Self {
        Self { sentence, ..Self::default() }
    }
}

impl AnnotatedSentence {
    /// The confidence of an entity.
    pub fn entity_confidence(&self, entity: usize) -> Option<f64> {
        self.entity_confidences.get(entity).copied().flatten()
    }

    /// The confidence of a relation.
    pub fn relation_confidence(&self, relation: usize) -> Option<f64> {
        self.relation_confidences.get(relation).copied().flatten()
    }
}

/// Checks that every entity spans tokens of the sentence, and that every argument is an entity.
pub(crate) fn check(index: usize, sentence: &Sentence) -> Result<(), ViewError> {
    let (id, tokens, entities) = (|| sentence.id.to_string(), sentence.len(), sentence.entities.len());
    if let Some(entity) = sentence.entities.iter().find(|entity| entity.start >= entity.end || entity.end > tokens) {
        return Err(ViewError::Span { index, id: id(), start: entity.start, end: entity.end, tokens });
    }
    let mut arguments = sentence.relations.iter().map(|relation| relation.head.max(relation.tail));
    match arguments.find(|&argument| argument >= entities) {
        Some(argument) => Err(ViewError::Argument { index, id: id(), argument, entities }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use cman_data::{Entity, Relation};

    use super::*;

    #[test]
    fn spans_and_arguments_are_checked() {
        let mut sentence = Sentence::from_tokens("s", ["a", "b"]);
        sentence.entities = vec![Entity::new("X", 0..2)];
        assert_eq!(check(4, &sentence), Ok(()));
        sentence.relations = vec![Relation::new("R", 0, 1)];
        let error = check(4, &sentence).unwrap_err();
        assert_eq!(error, ViewError::Argument { index: 4, id: "s".into(), argument: 1, entities: 1 });
        for span in [0..0, 1..3] {
            sentence.entities = vec![Entity::new("X", span)];
            assert!(matches!(check(4, &sentence), Err(ViewError::Span { index: 4, tokens: 2, .. })));
        }
    }

    #[test]
    fn annotation_without_confidence_has_none() {
        let mut sentence = AnnotatedSentence::from(Sentence::from_tokens("s", ["a"]));
        assert_eq!((sentence.entity_confidence(0), sentence.relation_confidence(0)), (None, None));
        sentence.entity_confidences = vec![Some(0.5)];
        assert_eq!(sentence.entity_confidence(0), Some(0.5));
    }
}
