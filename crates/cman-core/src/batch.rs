//! A batch of sentences as the network reads it: ids on the device, lengths in the type.

use std::collections::HashMap;

use burn::tensor::{Device, Int, Tensor, TensorData};
use burn_ragged::Layout;
use cman_data::EncodedSentence;

/// Sentences padded to the longest.
#[derive(Clone, Debug)]
pub struct TokenBatch {
    layout: Layout,
    words: Tensor<2, Int>,
    characters: CharacterBatch,
    contextual: Option<Tensor<4>>,
}

/// The distinct words of a batch as characters, so that each is encoded once.
#[derive(Clone, Debug)]
pub struct CharacterBatch {
    /// The characters of each distinct word.
    pub layout: Layout,
    /// Character ids `[distinct words, characters]`, 0 at padding.
    pub ids: Tensor<2, Int>,
    /// For each place of the batch, the row of its word `[batch * steps]`. Padding points at row 0.
    pub word_of: Tensor<1, Int>,
}

impl TokenBatch {
    /// A batch of these sentences on `device`.
    ///
    /// # Panics
    /// If there is no sentence, a sentence has no token, or a token no character. Encoding refuses these.
    pub fn new(sentences: &[&EncodedSentence], device: &Device) -> Self {
        let layout = Layout::new(sentences.iter().map(|sentence| sentence.words.len()).collect());
        Self {
            words: layout.pad(sentences.iter().map(|sentence| &sentence.words[..]), device),
            characters: CharacterBatch::new(sentences, &layout, device),
            contextual: None,
            layout,
        }
    }

    /// The same batch with contextual vectors of every layer.
    ///
    /// # Shapes
    /// - vectors: `[batch, steps, layers, width]`
    ///
    /// # Panics
    /// If batch size or number of steps differ.
    pub fn with_contextual(mut self, vectors: Tensor<4>) -> Self {
        let expected = [self.layout.batch_size(), self.layout.steps()];
        assert_eq!(vectors.dims()[..2], expected, "contextual vectors of this batch");
        self.contextual = Some(vectors);
        self
    }

    /// The tokens of each sentence.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Word ids `[batch, steps]`, 0 at padding.
    pub fn words(&self) -> &Tensor<2, Int> {
        &self.words
    }

    /// The characters of the batch's words.
    pub fn characters(&self) -> &CharacterBatch {
        &self.characters
    }

    /// Contextual vectors of every layer `[batch, steps, layers, width]`, if an encoder provided them.
    pub fn contextual(&self) -> Option<&Tensor<4>> {
        self.contextual.as_ref()
    }

    /// The device of the batch.
    pub fn device(&self) -> Device {
        self.words.device()
    }
}

impl CharacterBatch {
    fn new(sentences: &[&EncodedSentence], layout: &Layout, device: &Device) -> Self {
        let mut rows: HashMap<&[u32], usize> = HashMap::new();
        let mut distinct: Vec<&[u32]> = Vec::new();
        let mut word_of = vec![0i64; sentences.len() * layout.steps()];
        for (sentence, places) in sentences.iter().zip(word_of.chunks_mut(layout.steps())) {
            for (word, place) in sentence.chars.iter().zip(places) {
                let row = *rows.entry(word).or_insert_with(|| {
                    distinct.push(word);
                    distinct.len() - 1
                });
                *place = row as i64;
            }
        }
        let layout = Layout::new(distinct.iter().map(|word| word.len()).collect());
        let n_places = word_of.len();
        Self {
            ids: layout.pad(distinct, device),
            word_of: Tensor::from_data(TensorData::new(word_of, [n_places]), device),
            layout,
        }
    }
}

/// Gold annotation of a batch.
#[derive(Clone, Debug)]
pub struct Gold {
    tags: Vec<Vec<u32>>,
    relations: Vec<Vec<(usize, usize, usize)>>,
}

/// A sentence whose annotation is missing or does not fit its tokens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sentence {sentence} of the batch: expected {tokens} tags, one per token, found {tags}")]
pub struct GoldError {
    /// Index of the sentence in the batch.
    pub sentence: usize,
    /// Its tokens.
    pub tokens: usize,
    /// Its tags.
    pub tags: usize,
}

impl Gold {
    /// The annotation of these sentences.
    ///
    /// # Errors
    /// A sentence without annotation, or with a number of tags that differs from the number of tokens.
    pub fn new(sentences: &[&EncodedSentence]) -> Result<Self, GoldError> {
        for (i, sentence) in sentences.iter().enumerate() {
            let (tokens, tags) = (sentence.words.len(), sentence.tags.len());
            if tags != tokens {
                return Err(GoldError { sentence: i, tokens, tags });
            }
        }
        let triples = |sentence: &&EncodedSentence| {
            sentence.relations.iter().map(|relation| (relation.head, relation.tail, relation.kind)).collect()
        };
        Ok(Self {
            tags: sentences.iter().map(|sentence| sentence.tags.clone()).collect(),
            relations: sentences.iter().map(triples).collect(),
        })
    }

    /// Tag ids of each sentence.
    pub fn tags(&self) -> &[Vec<u32>] {
        &self.tags
    }

    /// Relations of each sentence between last tokens, as (head, tail, type).
    pub fn relations(&self) -> &[Vec<(usize, usize, usize)>] {
        &self.relations
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_tags_that_differs_from_the_tokens_is_an_error() {
        let good = EncodedSentence { words: vec![1, 2], tags: vec![0, 1], ..EncodedSentence::default() };
        assert_eq!(Gold::new(&[&good]).unwrap().tags(), [[0, 1]]);
        for tags in [vec![], vec![0], vec![0, 1, 1]] {
            let bad = EncodedSentence { tags: tags.clone(), ..good.clone() };
            let error = Gold::new(&[&good, &bad]).unwrap_err();
            assert_eq!(error, GoldError { sentence: 1, tokens: 2, tags: tags.len() });
        }
    }
}
