//! Contextual vectors of the sentences of a run, cached while the encoder is frozen.

use burn::tensor::{Device, Tensor};
use burn_ragged::Mode;
use cman_data::Sentence;
use cman_model::{Encoder, ModelError};

/// Sentences and their contextual vectors. The vectors are cached only if the encoder is frozen and computes them.
pub(crate) struct ContextualCache {
    words: Vec<Vec<String>>,
    vectors: Option<Vec<Vec<f32>>>,
}

impl ContextualCache {
    /// Computes the contextual vectors of these sentences if the encoder `is_frozen` in the first epoch.
    pub fn new(encoder: &Encoder, sentences: &[Sentence], is_frozen: bool) -> Result<Self, ModelError> {
        let words: Vec<Vec<String>> =
            sentences.iter().map(|sentence| sentence.words().map(str::to_owned).collect()).collect();
        encoder.check(&words)?;
        let vectors = if is_frozen && !encoder.is_file() {
            Some(encoder.vectors(&words.iter().map(Vec::as_slice).collect::<Vec<_>>())?)
        } else {
            None
        };
        Ok(Self { words, vectors })
    }

    /// Drops the cached vectors, which are invalid once the encoder is trained.
    pub fn clear(&mut self) {
        self.vectors = None;
    }

    /// The contextual vectors of the sentences with these indices. `[batch, steps, layers, width]`
    pub fn batch(
        &self,
        encoder: &Encoder,
        members: &[usize],
        mode: Mode,
        device: &Device,
    ) -> Result<Tensor<4>, ModelError> {
        match &self.vectors {
            Some(vectors) => {
                let vectors: Vec<&[f32]> = members.iter().map(|&i| vectors[i].as_slice()).collect();
                Ok(encoder.pad(&vectors, device))
            }
            None => encoder.batch(&members.iter().map(|&i| &self.words[i][..]).collect::<Vec<_>>(), mode, device),
        }
    }
}
