//! The vectors of an encoder for the sentences of a run: while it is frozen computed once, or read from a file each time.

use burn::tensor::{Device, Tensor};
use burn_ragged::Mode;
use cman_data::Sentence;
use cman_model::{Encoder, ModelError};

/// Sentences and, where the encoder is frozen at first and reads no file, their vectors.
pub(crate) struct KeptVectors {
    words: Vec<Vec<String>>,
    vectors: Option<Vec<Vec<f32>>>,
}

impl KeptVectors {
    /// Computes the vectors of these sentences, if the encoder `is_frozen`, now at least.
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

    /// Forgets the vectors: from now on the encoder's weights change.
    pub fn forget(&mut self) {
        self.vectors = None;
    }

    /// The vectors of some of the sentences. `[batch, steps, layers, width]`
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
