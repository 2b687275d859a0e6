//! A batch of sentences as the model reads it: ids on the device, lengths in the type.

use std::collections::HashMap;

use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use cman_data::EncodedSentence;

use crate::mask;

/// Sentences padded to the longest, with their lengths.
#[derive(Clone, Debug)]
pub struct TokenBatch {
    lengths: Vec<usize>,
    /// Word ids `[batch, steps]`, 0 at padding.
    pub words: Tensor<2, Int>,
    /// The characters of the batch's words.
    pub characters: CharacterBatch,
    /// True at padding `[batch, steps]`.
    pub mask_pad: Tensor<2, Bool>,
    /// Contextual vectors of every layer `[batch, steps, layers, width]`, where a provider gave them.
    pub contextual: Option<Tensor<4>>,
}

/// The distinct words of a batch as characters, so that none is encoded twice.
#[derive(Clone, Debug)]
pub struct CharacterBatch {
    /// Number of characters of each distinct word.
    pub lengths: Vec<usize>,
    /// Character ids `[distinct words, characters]`, 0 at padding.
    pub ids: Tensor<2, Int>,
    /// For each place of the batch the row of its word `[batch * steps]`; padding points at row 0.
    pub word_of: Tensor<1, Int>,
}

impl TokenBatch {
    /// A batch of these sentences on `device`.
    ///
    /// # Panics
    /// If there is no sentence, a sentence has no token, or a token no character: encoding refuses these.
    pub fn new(sentences: &[&EncodedSentence], device: &Device) -> Self {
        let lengths: Vec<usize> = sentences.iter().map(|sentence| sentence.words.len()).collect();
        assert!(!lengths.is_empty() && !lengths.contains(&0), "a batch of non-empty sentences");
        let steps = lengths.iter().copied().max().unwrap_or(0);
        let words = pad(sentences.iter().map(|sentence| &sentence.words[..]), steps, device);
        Self {
            words,
            characters: CharacterBatch::new(sentences, steps, device),
            mask_pad: mask::mask_pad(&lengths, steps, device),
            contextual: None,
            lengths,
        }
    }

    /// The same batch with contextual vectors `[batch, steps, layers, width]`.
    pub fn with_contextual(mut self, vectors: Tensor<4>) -> Self {
        assert_eq!(vectors.dims()[..2], [self.batch_size(), self.steps()], "contextual vectors of another batch");
        self.contextual = Some(vectors);
        self
    }

    /// Number of tokens of each sentence.
    pub fn lengths(&self) -> &[usize] {
        &self.lengths
    }

    /// Number of sentences.
    pub fn batch_size(&self) -> usize {
        self.lengths.len()
    }

    /// Length of the longest sentence.
    pub fn steps(&self) -> usize {
        self.words.dims()[1]
    }

    /// The device of the batch.
    pub fn device(&self) -> Device {
        self.words.device()
    }
}

impl CharacterBatch {
    fn new(sentences: &[&EncodedSentence], steps: usize, device: &Device) -> Self {
        let mut rows: HashMap<&[u32], usize> = HashMap::new();
        let mut distinct: Vec<&[u32]> = Vec::new();
        let mut word_of = vec![0i64; sentences.len() * steps];
        for (sentence, places) in sentences.iter().zip(word_of.chunks_mut(steps)) {
            for (word, place) in sentence.chars.iter().zip(places) {
                assert!(!word.is_empty(), "a token has a character");
                let row = *rows.entry(word).or_insert_with(|| {
                    distinct.push(word);
                    distinct.len() - 1
                });
                *place = row as i64;
            }
        }
        let lengths: Vec<usize> = distinct.iter().map(|word| word.len()).collect();
        let longest = lengths.iter().copied().max().unwrap_or(0);
        let n_places = word_of.len();
        Self {
            ids: pad(distinct.into_iter(), longest, device),
            word_of: Tensor::from_data(TensorData::new(word_of, [n_places]), device),
            lengths,
        }
    }
}

/// The sentences `first`, `first + step`, .. of a batch, where it is dealt out to go through the network in parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// The first sentence's number in the batch.
    pub first: usize,
    /// From one to the next; at least 1.
    pub step: usize,
}

impl Share {
    /// All of the batch.
    pub const WHOLE: Self = Self { first: 0, step: 1 };

    /// The number in the batch of the share's sentence `i`.
    pub fn number(self, i: usize) -> usize {
        self.first + i * self.step
    }

    /// The numbers of its sentences in a batch of `n_sentences`.
    pub fn members(self, n_sentences: usize) -> impl Iterator<Item = usize> {
        (self.first..n_sentences).step_by(self.step)
    }
}

/// Gold annotation of a batch.
#[derive(Clone, Debug)]
pub struct Gold {
    /// Tag ids of each sentence.
    pub tags: Vec<Vec<u32>>,
    /// Relations of each sentence between last tokens, as (head, tail, type).
    pub relations: Vec<Vec<(usize, usize, usize)>>,
}

impl Gold {
    /// The annotation of these sentences.
    pub fn new(sentences: &[&EncodedSentence]) -> Self {
        let triples = |sentence: &&EncodedSentence| {
            sentence.relations.iter().map(|relation| (relation.head, relation.tail, relation.kind)).collect()
        };
        Self {
            tags: sentences.iter().map(|sentence| sentence.tags.clone()).collect(),
            relations: sentences.iter().map(triples).collect(),
        }
    }
}

/// Ids of several rows, padded with 0 to `width`. `[rows, width]`
pub(crate) fn pad<'a>(rows: impl Iterator<Item = &'a [u32]>, width: usize, device: &Device) -> Tensor<2, Int> {
    let mut ids: Vec<i64> = Vec::new();
    let mut n_rows = 0;
    for row in rows {
        ids.extend(row.iter().map(|&id| i64::from(id)));
        n_rows += 1;
        ids.resize(n_rows * width, 0);
    }
    Tensor::from_data(TensorData::new(ids, [n_rows, width]), device)
}
