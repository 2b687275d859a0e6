//! The vectors of an encoder for the sentences of a run: while it is frozen computed once, or read from a file each time.

use burn::tensor::{Device, Tensor, TensorData};
use cman_core::Mode;
use cman_data::Sentence;

use super::Encoder;
use crate::TrainError;

/// Sentences and, where the encoder is frozen at first and reads no file, their vectors.
pub(crate) struct KeptVectors {
    words: Vec<Vec<String>>,
    vectors: Option<Vec<Vec<f32>>>,
}

impl KeptVectors {
    /// Computes the vectors of these sentences, if the encoder `is_frozen`, now at least.
    pub fn new(encoder: &Encoder, sentences: &[Sentence], is_frozen: bool) -> Result<Self, TrainError> {
        let words: Vec<Vec<String>> = sentences.iter().map(words).collect();
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
    ) -> Result<Tensor<4>, TrainError> {
        match &self.vectors {
            Some(vectors) => {
                let vectors: Vec<&[f32]> = members.iter().map(|&i| vectors[i].as_slice()).collect();
                Ok(pad(&vectors, encoder.size(), device))
            }
            None => encoder.batch(&members.iter().map(|&i| &self.words[i][..]).collect::<Vec<_>>(), mode, device),
        }
    }
}

/// The words of a sentence.
pub(crate) fn words(sentence: &Sentence) -> Vec<String> {
    sentence.words().map(str::to_owned).collect()
}

/// Vectors of several sentences as one tensor, zero behind their ends. `[batch, steps, layers, width]`
pub(super) fn pad(vectors: &[&[f32]], [layers, width]: [usize; 2], device: &Device) -> Tensor<4> {
    let longest = vectors.iter().map(|vectors| vectors.len()).max().unwrap_or(0);
    let mut all = Vec::with_capacity(vectors.len() * longest);
    for (i, vectors) in vectors.iter().enumerate() {
        all.extend_from_slice(vectors);
        all.resize((i + 1) * longest, 0.0);
    }
    let shape = [vectors.len(), longest / (layers * width), layers, width];
    Tensor::from_data(TensorData::new(all, shape), device)
}
