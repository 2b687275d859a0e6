//! Extracts entities and relations from text.

use std::path::Path;

use burn::tensor::Device;
use cman_core::model::Prediction;
use cman_data::{RawSentence, Schema, Sentence};
use serde::Serialize;

use crate::{
    error::ModelError,
    model::{LoadOptions, Model},
};

/// Sentences per batch.
const BATCH: usize = 32;

/// A trained model that reads text. It is `Send + Sync`: threads can share one extractor.
#[derive(Clone, Debug)]
pub struct Extractor {
    model: Model,
}

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
    /// Marginal probability of the entity under the CRF.
    pub confidence: f64,
}

/// A relation between two entities of a sentence.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExtractedRelation {
    /// The relation type.
    #[serde(rename = "type")]
    pub kind: String,
    /// First argument: index into [`Extraction::entities`].
    pub head: usize,
    /// Second argument: index into [`Extraction::entities`].
    pub tail: usize,
    /// Probability of the relation (eq. 10).
    pub confidence: f64,
}

impl Extractor {
    /// Loads a model directory on `device`.
    ///
    /// # Errors
    /// A file that is missing, damaged or inconsistent with the others.
    pub fn load(folder: &Path, device: &Device) -> Result<Self, ModelError> {
        Ok(Self::new(Model::load(folder, device)?))
    }

    /// Loads a model directory on `device`, with options.
    ///
    /// # Errors
    /// Those of [`Model::load_with`].
    pub fn load_with(folder: &Path, device: &Device, options: &LoadOptions) -> Result<Self, ModelError> {
        Ok(Self::new(Model::load_with(folder, device, options)?))
    }

    /// An extractor with this model.
    pub fn new(model: Model) -> Self {
        Self { model }
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Extracts from every sentence of a text. A text without tokens has no sentence.
    ///
    /// # Errors
    /// As [`extract_sentences`](Self::extract_sentences).
    pub fn extract(&self, text: &str) -> Result<Vec<Extraction>, ModelError> {
        Ok(self.extract_batch(&[text])?.remove(0))
    }

    /// Extracts from many texts. This is faster than one call per text, because sentences of all texts form batches.
    ///
    /// # Errors
    /// As [`extract`](Self::extract).
    pub fn extract_batch(&self, texts: &[&str]) -> Result<Vec<Vec<Extraction>>, ModelError> {
        let tokenizer = &self.model.config().data.tokenizer;
        let raw: Vec<Vec<RawSentence>> = texts.iter().map(|text| tokenizer.sentences(text)).collect();
        let sentences: Vec<Sentence> = raw.iter().flatten().map(|raw| raw.sentence.clone()).collect();
        let mut found = self.extract_sentences(&sentences)?.into_iter();
        let of_text = |raw: &Vec<RawSentence>| {
            let pairs = raw.iter().zip(&mut found);
            pairs.map(|(raw, extraction)| Extraction { offset: raw.offset, ..extraction }).collect()
        };
        Ok(raw.iter().map(of_text).collect())
    }

    /// Extracts from tokenized sentences. Annotation is ignored. If a sentence has no text, its text is its tokens
    /// joined by spaces.
    ///
    /// # Errors
    /// A sentence without tokens, an empty token, or a sentence that needs more memory than there is
    /// ([`LoadOptions::max_memory`]).
    pub fn extract_sentences(&self, sentences: &[Sentence]) -> Result<Vec<Extraction>, ModelError> {
        let predictions = self.model.predict(sentences, BATCH)?;
        let pairs = sentences.iter().zip(&predictions);
        Ok(pairs.map(|(sentence, prediction)| extraction(sentence, prediction, self.model.schema())).collect())
    }
}

fn extraction(sentence: &Sentence, prediction: &Prediction, schema: &Schema) -> Extraction {
    let offsets = character_offsets(sentence);
    let entities = prediction.entities.iter().map(|entity| {
        let span = entity.span.tokens();
        ExtractedEntity {
            kind: schema.entities.name(entity.span.kind).into(),
            text: sentence.span_text(span.clone()),
            char_start: offsets[span.start].0,
            char_end: offsets[span.end - 1].1,
            start: span.start,
            end: span.end,
            confidence: entity.probability,
        }
    });
    let relations = prediction.relations.iter().map(|relation| ExtractedRelation {
        kind: schema.relations.name(relation.kind).into(),
        head: relation.head,
        tail: relation.tail,
        confidence: relation.probability,
    });
    Extraction {
        text: sentence.text.clone().unwrap_or_else(|| sentence.span_text(0..sentence.len())),
        offset: 0,
        tokens: sentence.words().map(str::to_owned).collect(),
        entities: entities.collect(),
        relations: relations.collect(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_can_share_an_extractor() {
        fn is_shared<T: Send + Sync>() {}
        is_shared::<Extractor>();
    }

    #[test]
    fn offsets_count_characters_with_and_without_a_text() {
        let sentence = Sentence::from_tokens("1", ["Zoë", "ran", "."]);
        assert_eq!(character_offsets(&sentence), [(0, 3), (4, 7), (8, 9)]);
        let raw = cman_data::sentences_from_text("Zoë  ran.").remove(0);
        assert_eq!(character_offsets(&raw.sentence), [(0, 3), (5, 8), (8, 9)]);
    }
}
