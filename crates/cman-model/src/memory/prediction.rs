//! The memory of prediction.

use cman_core::{
    ModelConfig,
    model::{BatchSize, DistinctWords, Sizes},
};
use cman_data::Sentence;

use super::MemoryLimit;
use crate::{
    encoder::Encoder,
    error::ModelError,
    inference::{self, Batching},
};

/// Bytes that predictions take without a check. Asking the system takes longer than a prediction of a short sentence.
const UNCHECKED: f64 = 64e6;

/// Estimates the memory of predictions with a network of these settings.
#[derive(Clone, Copy, Debug)]
pub struct PredictionMemory<'a> {
    /// The settings of the network.
    pub config: &'a ModelConfig,
    /// Its sizes.
    pub sizes: Sizes,
    /// The encoder that computes its contextual vectors.
    pub encoder: Option<&'a Encoder>,
}

impl PredictionMemory<'_> {
    /// Bytes of the prediction of a batch.
    ///
    /// # Errors
    /// A sentence that the encoder refuses.
    pub fn of_batch(&self, sentences: &[&Sentence]) -> Result<f64, ModelError> {
        let lengths: Vec<usize> = sentences.iter().map(|sentence| sentence.len()).collect();
        let size = BatchSize::new(&lengths, DistinctWords::of(sentences.iter().copied()));
        let encoder = self.encoder.map(|encoder| {
            let sizes = sentences.iter().map(|sentence| encoder.encoded_size(sentence));
            Ok::<_, ModelError>(encoder.batch_memory(&sizes.collect::<Result<Vec<_>, _>>()?, false))
        });
        Ok(self.config.predict_memory(self.sizes, &size) + encoder.transpose()?.unwrap_or(0.0))
    }

    /// Checks that every batch of these sentences fits. Batches run in parallel if those of all threads fit together.
    /// `part` names the sentences in the error.
    ///
    /// # Errors
    /// [`ModelError::Memory`] for the largest batch if it does not fit; a sentence that the encoder refuses.
    pub fn batching(
        &self,
        part: &str,
        sentences: &[Sentence],
        batch_size: usize,
        max_memory: MemoryLimit,
    ) -> Result<Batching, ModelError> {
        let lengths: Vec<usize> = sentences.iter().map(Sentence::len).collect();
        let mut needs = Vec::new();
        for batch in inference::batches(&lengths, batch_size, true) {
            let members: Vec<&Sentence> = batch.iter().map(|&i| &sentences[i]).collect();
            // Batches are sorted by length.
            needs.extend(batch.last().map(|&longest| Ok((self.of_batch(&members)?, longest))));
        }
        let mut needs = needs.into_iter().collect::<Result<Vec<_>, ModelError>>()?;
        needs.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        let of_threads: f64 = needs.iter().take(rayon::current_num_threads()).map(|(needed, _)| needed).sum();
        let Some(&(needed, longest)) = needs.first().filter(|_| of_threads > UNCHECKED) else {
            return Ok(Batching::new(batch_size));
        };
        let left = max_memory.left();
        if !left.fits(needed) {
            let sentence = &sentences[longest];
            let alone = self.of_batch(&[sentence])?;
            left.check([needed, alone], "prediction of its batch", (part, longest, sentence))?;
        }
        Ok(Batching { size: batch_size, parallel: left.fits(of_threads) })
    }
}
