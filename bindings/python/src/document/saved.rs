//! A document that was pickled as JSON.

use std::ops::Range;

use cman_model::{DocumentEntity, DocumentSentence, ExtractedRelation, ScoredSequence, TextSpan};
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Document {
    sentences: Vec<Sentence>,
    entities: Vec<Entity>,
    relations: Vec<Relation>,
}

#[derive(Deserialize)]
struct Span {
    chars: Range<usize>,
    bytes: Range<usize>,
    utf16: Range<usize>,
}

#[derive(Deserialize)]
struct Sentence {
    #[serde(flatten)]
    span: Span,
    tokens: usize,
    windows: usize,
    #[serde(default)]
    n_best: Vec<Sequence>,
}

#[derive(Deserialize)]
struct Sequence {
    probability: f64,
    entities: Vec<cman_data::Entity>,
}

#[derive(Deserialize)]
struct Entity {
    #[serde(rename = "type")]
    kind: String,
    text: String,
    #[serde(flatten)]
    span: Span,
    sentence: usize,
    confidence: f64,
}

#[derive(Deserialize)]
struct Relation {
    #[serde(rename = "type")]
    kind: String,
    head: usize,
    tail: usize,
    confidence: f64,
}

/// All probabilities of a document. Reading them as JSON may change their last bit, so they are pickled beside it.
pub(super) fn probabilities(document: &cman_model::Document) -> Vec<f64> {
    let mut all = Vec::new();
    for_each_probability(&mut document.clone(), |probability| all.push(*probability));
    all
}

impl Document {
    /// The document with these probabilities.
    pub(super) fn restore(self, probabilities: &[f64]) -> cman_model::Document {
        let Self { sentences, entities, relations } = self;
        let mut document = cman_model::Document {
            sentences: sentences.into_iter().map(Into::into).collect(),
            entities: entities.into_iter().map(Into::into).collect(),
            relations: relations.into_iter().map(Into::into).collect(),
        };
        let mut exact = probabilities.iter();
        for_each_probability(&mut document, |probability| *probability = *exact.next().unwrap_or(probability));
        document
    }
}

fn for_each_probability(document: &mut cman_model::Document, mut f: impl FnMut(&mut f64)) {
    let sequences = document.sentences.iter_mut().flat_map(|sentence| &mut sentence.n_best);
    sequences.for_each(|sequence| f(&mut sequence.probability));
    document.entities.iter_mut().for_each(|entity| f(&mut entity.confidence));
    document.relations.iter_mut().for_each(|relation| f(&mut relation.confidence));
}

impl From<Span> for TextSpan {
    fn from(Span { chars, bytes, utf16 }: Span) -> Self {
        Self { chars, bytes, utf16 }
    }
}

impl From<Sentence> for DocumentSentence {
    fn from(Sentence { span, tokens, windows, n_best }: Sentence) -> Self {
        let sequence = |Sequence { probability, entities }| ScoredSequence { probability, entities };
        Self { span: span.into(), tokens, windows, n_best: n_best.into_iter().map(sequence).collect() }
    }
}

impl From<Entity> for DocumentEntity {
    fn from(Entity { kind, text, span, sentence, confidence }: Entity) -> Self {
        Self { kind, text, span: span.into(), sentence, confidence }
    }
}

impl From<Relation> for ExtractedRelation {
    fn from(Relation { kind, head, tail, confidence }: Relation) -> Self {
        Self { kind, head, tail, confidence }
    }
}
