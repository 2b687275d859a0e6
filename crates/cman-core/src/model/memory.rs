//! Upper estimates of the memory that a batch takes on the CPU, known from its lengths before it is made.
//!
//! They count the values that the kernels keep, in f32 unless stated otherwise, and are compared with measured peaks by
//! `scripts/memory.py`. The terms that grow fastest are exact: the attention weights of a training pass, which are
//! `heads * n²` per attention and sentence of `n` tokens. Prediction does not keep them.

use std::collections::HashSet;

use cman_data::{MAX_CHARACTERS, Sentence, Tag};

use super::{LabelInteraction, LabelKind, ModelConfig, Sizes, predict::PAIRS};
use crate::{attention::SequenceKind, embedding::CharacterKind};

/// Bytes of an f32.
const VALUE: f64 = 4.0;
/// Width to which a row of attention weights is padded.
const ROW: usize = 16;
/// How much larger than requested a buffer may be. Large attention weights make up most of a batch, so their size is
/// computed exactly.
const ROUNDING: f64 = 1.25;

/// The words of a batch, each counted once, as the character encoder reads them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DistinctWords {
    /// Number of words.
    pub words: usize,
    /// Their characters.
    pub characters: usize,
    /// The characters of the longest.
    pub longest: usize,
}

impl DistinctWords {
    /// The words of these sentences.
    pub fn of<'a>(sentences: impl IntoIterator<Item = &'a Sentence>) -> Self {
        let mut seen = HashSet::new();
        let mut distinct = Self::default();
        for word in sentences.into_iter().flat_map(Sentence::words).filter(|word| seen.insert(*word)) {
            // A character has at least one byte.
            let characters = word.len().min(MAX_CHARACTERS);
            distinct.words += 1;
            distinct.characters += characters;
            distinct.longest = distinct.longest.max(characters);
        }
        distinct
    }
}

/// The lengths of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BatchSize {
    /// Tokens of all sentences, padding included.
    pub padded_tokens: f64,
    /// Attention weights of one head, over all sentences.
    attention_weights: f64,
    /// Attention weights of one head, of the longest sentence.
    longest_attention_weights: f64,
    words: DistinctWords,
}

impl BatchSize {
    /// The size of a batch of sentences with these `lengths` in tokens, with at most these distinct words.
    pub fn new(lengths: &[usize], words: DistinctWords) -> Self {
        let weights = |&length: &usize| (length * length.next_multiple_of(ROW)) as f64;
        let n_tokens: usize = lengths.iter().sum();
        let longest = lengths.iter().max().copied().unwrap_or(0);
        Self {
            padded_tokens: (lengths.len() * longest) as f64,
            attention_weights: lengths.iter().map(weights).sum(),
            longest_attention_weights: weights(&longest),
            words: DistinctWords { words: words.words.min(n_tokens), ..words },
        }
    }
}

impl ModelConfig {
    /// Bytes of a training step on a batch, without weights and their gradients: the values that the forward pass keeps and
    /// the intermediate values of the backward pass. The adversarial pass starts after the values of the first pass are
    /// dropped.
    pub fn train_memory(&self, sizes: Sizes, batch: &BatchSize) -> f64 {
        let d = self.d_model() as f64;
        let (units, attentions) = self.units();
        // Gates, cells and states of the BiLSTM, its output, dropout with its mask; or both layers of the perceptron.
        let sequence = match self.sequence {
            SequenceKind::Bilstm => 6.0 * d + d + 2.0 * d,
            SequenceKind::Mlp => 6.0 * d,
        };
        // Queries, keys, values, what they attend to, its projection, and the normalised sum with its input.
        let attention = 7.0 * d;
        let fused = if self.label.kind == LabelKind::Attention { 4.0 * d } else { 0.0 };
        let relations = 2.0 * self.d_pairs(sizes);
        let kept = units * sequence + attentions * attention + fused + relations + self.d_embedding();
        // The gradients of the largest layer and of what it reads.
        let backward = 8.0 * d + 2.0 * relations;
        let tags = (Tag::count(sizes.entities) as f64).powi(2);
        let linear = batch.padded_tokens * (kept + backward + 6.0 * tags) + 3.0 * self.characters(batch);
        let weights = attentions * rounded(self.heads as f64 * batch.attention_weights)
            + 3.0 * rounded(batch.longest_attention_weights);
        VALUE * (ROUNDING * linear + weights)
    }

    /// Bytes of the prediction of a batch.
    pub fn predict_memory(&self, sizes: Sizes, batch: &BatchSize) -> f64 {
        let d = self.d_model() as f64;
        // The fusion holds the most: both its inputs, their concatenation, and the gates of the BiLSTM.
        let network = 12.0 * d + self.d_embedding() + self.d_pairs(sizes);
        // The lattices are in f64, twice with their copy per sentence.
        let tags = (Tag::count(sizes.entities) as f64).powi(2);
        let linear = batch.padded_tokens * (network + 6.0 * tags) + self.characters(batch);
        VALUE * linear + self.pairs(sizes, batch)
    }

    /// Numbers of sequence encoders and of attentions.
    fn units(&self) -> (f64, f64) {
        let layers = self.layers as f64;
        let attentions = if self.self_attention { layers } else { 0.0 };
        match self.label.kind {
            LabelKind::Attention => (layers + 3.0, attentions + 2.0),
            LabelKind::Concatenate | LabelKind::None => (layers, attentions),
        }
    }

    /// Values of a token in the embeddings: the input with its mask and its copy with dropout, and every contextual layer
    /// with its gradient.
    fn d_embedding(&self) -> f64 {
        (4 * self.d_input() + 4 * self.contextual.layers * self.contextual.width) as f64
    }

    /// Values of a token in the relation scorer: what it reads and both projections.
    fn d_pairs(&self, sizes: Sizes) -> f64 {
        let outputs = sizes.relations + usize::from(self.relation.none_label);
        let projections = if self.relation.shared { 1 } else { outputs };
        LabelInteraction::d_output(self) as f64 + 2.0 * (projections * self.relation.hidden) as f64
    }

    /// Values of the character encoder, and the ids of its characters. All words are padded to the longest.
    fn characters(&self, batch: &BatchSize) -> f64 {
        let (embedding, width) = (self.character.embedding as f64, self.character.width as f64);
        let DistinctWords { words, characters, longest } = batch.words;
        let padded = (words * longest) as f64;
        match self.character.kind {
            CharacterKind::None => 0.0,
            CharacterKind::Bilstm => padded.min(characters as f64) * 6.0 * width + padded * (width + embedding + 4.0),
            CharacterKind::Cnn => padded * (4.0 * width + 6.0 * embedding + 4.0),
        }
    }

    /// Bytes of the pairs that are scored together, if every token is an entity.
    fn pairs(&self, sizes: Sizes, batch: &BatchSize) -> f64 {
        let outputs = (sizes.relations + usize::from(self.relation.none_label)) as f64;
        // Two tokens, three places, and the scores in f32 and f64.
        batch.attention_weights.min(PAIRS as f64) * (16.0 + 24.0 + (4.0 + 4.0 + 8.0) * outputs)
    }
}

/// The number of values of the buffer that holds `n` values.
fn rounded(n: f64) -> f64 {
    if n < 1.0 {
        return 0.0;
    }
    let step = (2f64.powf(n.log2().ceil()) / 8.0).max(1.0);
    (n / step).ceil() * step
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: Sizes = Sizes { words: 9, characters: 7, entities: 2, relations: 3 };

    const WORDS: DistinctWords = DistinctWords { words: 1000, characters: 5000, longest: 12 };

    fn batch(lengths: &[usize]) -> BatchSize {
        BatchSize::new(lengths, WORDS)
    }

    #[test]
    fn a_training_pass_grows_with_the_square_of_a_sentence() {
        let config = ModelConfig::default();
        let [one, two] = [8000, 16_000].map(|n| config.train_memory(SIZES, &batch(&[n])));
        assert!(two / one > 3.5, "{one} {two}");
        // Eight heads in four attentions.
        let weights = 4.0 * 4.0 * 8.0 * 8000f64.powi(2);
        assert!(one > weights && one < 1.6 * weights, "{one} {weights}");
    }

    #[test]
    fn prediction_grows_with_the_length_of_a_sentence() {
        let config = ModelConfig::default();
        let [one, two] = [20_000, 40_000].map(|n| config.predict_memory(SIZES, &batch(&[n])));
        assert!(two > one && two < 2.0 * one, "{one} {two}");
    }

    #[test]
    fn padding_and_long_tokens_cost_memory() {
        let config = ModelConfig::default();
        assert!(config.train_memory(SIZES, &batch(&[100, 1])) > config.train_memory(SIZES, &batch(&[100])));
        let [short, long] = [12, 256].map(|longest| BatchSize::new(&[100], DistinctWords { longest, ..WORDS }));
        let [short, long] = [short, long].map(|batch| config.predict_memory(SIZES, &batch));
        assert!(long > 2.0 * short, "{short} {long}");
    }

    #[test]
    fn words_count_once() {
        let sentences = [["Ann", "saw", "Ann"], ["Zoë", "saw", "x"]].map(|words| Sentence::from_tokens("", words));
        let expected = DistinctWords { words: 4, characters: 3 + 3 + 4 + 1, longest: 4 };
        assert_eq!(DistinctWords::of(&sentences), expected);
        let long = Sentence::from_tokens("", ["a".repeat(999)]);
        assert_eq!(DistinctWords::of([&long]).longest, MAX_CHARACTERS);
    }

    #[test]
    fn buffers_are_rounded_as_the_pool_rounds_them() {
        assert_eq!([0.0, 1.0, 1000.0, 1025.0, 1280.0].map(rounded), [0.0, 1.0, 1024.0, 1280.0, 1280.0]);
    }
}
