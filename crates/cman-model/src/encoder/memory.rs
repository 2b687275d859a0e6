//! Upper estimates of the memory of contextual vectors.

use cman_data::Sentence;

use super::{Encoder, Source, strs};
use crate::error::ModelError;

/// Bytes of an f32.
const VALUE: f64 = 4.0;

/// The lengths of a sentence as an encoder reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodedSize {
    tokens: usize,
    /// Word pieces; equal to the tokens if the encoder reads whole words.
    pieces: usize,
}

impl Encoder {
    /// The lengths of a sentence.
    ///
    /// # Errors
    /// A sentence that the tokenizer refuses.
    pub fn encoded_size(&self, sentence: &Sentence) -> Result<EncodedSize, ModelError> {
        let tokens = sentence.len();
        let pieces = match &self.source {
            Source::Bert(bert) => {
                let words: Vec<String> = sentence.words().map(str::to_owned).collect();
                bert.cut(&strs(&words))?.ids.len()
            }
            Source::Elmo(..) | Source::File(..) => tokens,
        };
        Ok(EncodedSize { tokens, pieces })
    }

    /// Bytes that [`batch`](Self::batch) and [`vectors`](Self::vectors) take for these sentences. `is_trained`: with the
    /// values that a backward pass needs.
    pub fn batch_memory(&self, sentences: &[EncodedSize], is_trained: bool) -> f64 {
        let longest = sentences.iter().map(|sentence| sentence.tokens).max().unwrap_or(0);
        let padded = 3.0 * self.vector_memory(sentences.len() * longest);
        match &self.source {
            Source::Bert(bert) => {
                bert.batch_memory(&sentences.iter().map(|sentence| sentence.pieces).collect::<Vec<_>>(), is_trained)
            }
            Source::Elmo(elmo) => elmo.batch_memory(sentences.iter().map(|sentence| sentence.tokens).sum()) + padded,
            Source::File(..) => padded,
        }
    }

    /// Bytes of the contextual vectors of so many tokens.
    pub fn vector_memory(&self, tokens: usize) -> f64 {
        VALUE * tokens as f64 * (self.n_layers() * self.width()) as f64
    }
}
