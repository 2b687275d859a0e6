//! What is found in one sentence.

use cman_core::model::{Prediction, TagSequence};
use cman_data::{Schema, Sentence, Span};
use serde::Serialize;

use super::ExtractOptions;
use crate::{
    calibration::Calibration,
    signatures::{Signature, Signatures},
};

/// The entities and relations of one sentence.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Extraction {
    /// The sentence.
    pub text: String,
    /// Offset of the sentence in the input, in Unicode scalar values.
    #[serde(skip)]
    pub offset: usize,
    /// Its tokens.
    pub tokens: Vec<String>,
    /// Its entities, from left to right.
    pub entities: Vec<ExtractedEntity>,
    /// The relations between them.
    pub relations: Vec<ExtractedRelation>,
    /// The best tag sequences ([`ExtractOptions::n_best`]). A sentence that was read in windows has none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub n_best: Vec<ScoredSequence>,
    /// Number of windows in which the sentence was read: 1 unless it is longer than [`ExtractOptions::max_tokens`].
    #[serde(skip_serializing_if = "is_one")]
    pub windows: usize,
}

/// An entity in its sentence.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExtractedEntity {
    /// The entity type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The entity as it is written in the text.
    pub text: String,
    /// First token.
    pub start: usize,
    /// One past the last token.
    pub end: usize,
    /// First character in [`Extraction::text`], in Unicode scalar values.
    pub char_start: usize,
    /// One past the last character.
    pub char_end: usize,
    /// Marginal probability of the entity under the CRF, calibrated if the model has a [`Calibration`].
    pub confidence: f64,
}

/// A relation between two entities.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExtractedRelation {
    /// The relation type.
    #[serde(rename = "type")]
    pub kind: String,
    /// First argument: index in the list of entities.
    pub head: usize,
    /// Second argument: index in the list of entities.
    pub tail: usize,
    /// Probability of the relation (eq. 10), calibrated if the model has a [`Calibration`].
    pub confidence: f64,
}

/// A sequence of tags, as the entities that it spells.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScoredSequence {
    /// The probability of the whole sequence under the CRF. It is not calibrated.
    pub probability: f64,
    /// The entities, from left to right.
    pub entities: Vec<cman_data::Entity>,
}

/// Names what a model found.
pub(super) struct Naming<'a> {
    pub schema: &'a Schema,
    pub calibration: Calibration,
    pub options: &'a ExtractOptions,
    pub trained: Option<&'a Signatures>,
}

impl Naming<'_> {
    /// The extraction from a sentence that was read in so many windows.
    pub(super) fn extraction(&self, sentence: &Sentence, prediction: &Prediction, windows: usize) -> Extraction {
        let offsets = character_offsets(sentence);
        let entities = prediction.entities.iter().map(|entity| {
            let span = entity.span.tokens();
            ExtractedEntity {
                kind: self.schema.entities.name(entity.span.kind).into(),
                text: sentence.span_text(span.clone()),
                char_start: offsets[span.start].0,
                char_end: offsets[span.end - 1].1,
                start: span.start,
                end: span.end,
                confidence: self.calibration.entity(entity.probability),
            }
        });
        let entities: Vec<ExtractedEntity> = entities.collect();
        let relations = prediction.relations.iter().map(|relation| ExtractedRelation {
            kind: self.schema.relations.name(relation.kind).into(),
            head: relation.head,
            tail: relation.tail,
            confidence: self.calibration.relation(relation.probability),
        });
        let is_allowed = |relation: &ExtractedRelation| {
            let [head, tail] = [relation.head, relation.tail].map(|argument| &entities[argument].kind);
            self.options.allows(|| Signature::new(head, &relation.kind, tail), self.trained)
        };
        let relations = relations.filter(is_allowed).collect();
        Extraction {
            text: sentence.text.clone().unwrap_or_else(|| sentence.span_text(0..sentence.len())),
            offset: 0,
            tokens: sentence.words().map(str::to_owned).collect(),
            n_best: prediction.n_best.iter().map(|sequence| self.sequence(sequence)).collect(),
            entities,
            relations,
            windows,
        }
    }

    fn sequence(&self, sequence: &TagSequence) -> ScoredSequence {
        let name = |span: &Span| cman_data::Entity::new(self.schema.entities.name(span.kind), span.tokens());
        ScoredSequence { probability: sequence.probability, entities: sequence.entities.iter().map(name).collect() }
    }
}

/// First character of each token in the text of the sentence, and one past the last.
fn character_offsets(sentence: &Sentence) -> Vec<(usize, usize)> {
    let mut previous_end = None;
    let offsets = |token: &cman_data::Token| {
        let start = previous_end.map_or(0, |end: usize| end + 1);
        let (start, end) = match (&sentence.text, &token.chars) {
            (Some(_), Some(chars)) => (chars.start, chars.end),
            _ => (start, start + token.text.chars().count()),
        };
        previous_end = Some(end);
        (start, end)
    };
    sentence.tokens.iter().map(offsets).collect()
}

fn is_one(count: &usize) -> bool {
    *count == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_count_characters_with_and_without_a_text() {
        let sentence = Sentence::from_tokens("1", ["Zoë", "ran", "."]);
        assert_eq!(character_offsets(&sentence), [(0, 3), (4, 7), (8, 9)]);
        let raw = cman_data::sentences_from_text("Zoë  ran.").remove(0);
        assert_eq!(character_offsets(&raw.sentence), [(0, 3), (5, 8), (8, 9)]);
    }
}
