//! The memory of a training run, checked before it starts.

use std::ops::Range;

use burn::module::Module;
use cman_core::model::{BatchSize, DistinctWords, Sizes};
use cman_data::Sentence;
use cman_model::{Batching, Config, EncodedSize, Encoder, MemoryLimit, ModelError, PredictionMemory};

use crate::{batch_gradients::n_shards, learner::TrainingData};

/// Bytes of an f32.
const VALUE: f64 = 4.0;
/// Bytes of free buffers that a thread keeps, at most.
const POOL: f64 = 128.0 * 1024.0 * 1024.0;
/// Copies of the weights: those that are trained, both averages of Adam, the new ones, those of the best epoch, those packed
/// for the products and their transposes, and a checkpoint of weights and averages, once as tensors and once as bytes.
const COPIES: f64 = 12.0;
/// Gradients of the weights that a shard holds: of both passes.
const GRADIENTS: f64 = 2.0;

/// Estimates the memory of a training run.
#[derive(Clone, Copy)]
pub(crate) struct TrainingMemory<'a> {
    pub config: &'a Config,
    pub sizes: Sizes,
    pub encoder: Option<&'a Encoder>,
}

/// Most sentences per batch of dev.
pub(crate) fn dev_batch_size(config: &Config) -> usize {
    2 * config.train.batch_size
}

impl TrainingMemory<'_> {
    /// Checks that every batch that can occur fits, in training and on dev. Returns the batches for dev.
    ///
    /// # Errors
    /// [`ModelError::Memory`] for the largest batch if it does not fit; a sentence that the encoder refuses.
    pub fn check(&self, data: TrainingData, max_memory: MemoryLimit) -> Result<Batching, ModelError> {
        let train = &self.config.train;
        let fixed = self.fixed(data);
        let words = DistinctWords::of(data.train);
        let mut order: Vec<usize> = (0..data.train.len()).collect();
        order.sort_by_key(|&i| data.train[i].len());
        let lengths: Vec<usize> = order.iter().map(|&i| data.train[i].len()).collect();
        let characters: Vec<usize> = order.iter().map(|&i| DistinctWords::of([&data.train[i]]).characters).collect();
        let encoded = match self.encoder {
            Some(encoder) => {
                order.iter().map(|&i| encoder.encoded_size(&data.train[i])).collect::<Result<Vec<_>, _>>()?
            }
            None => Vec::new(),
        };
        let step = |batch: Range<usize>| {
            let encoded = if encoded.is_empty() { &[] } else { &encoded[batch.clone()] };
            let characters = characters[batch.clone()].iter().sum();
            let words = DistinctWords { characters: words.characters.min(characters), ..words };
            fixed + self.step(&BatchSize::new(&lengths[batch], words), encoded)
        };
        // A sentence with the longest ones that are not longer.
        let batches = lengths.iter().enumerate().map(|(last, &length)| {
            let fit = if train.batch_tokens == 0 { usize::MAX } else { train.batch_tokens / length };
            (last + 1).saturating_sub(fit.clamp(1, train.batch_size))..last + 1
        });
        let largest = batches.map(|batch| (step(batch.clone()), batch)).max_by(|(a, _), (b, _)| a.total_cmp(b));
        if let Some((needed, Range { end, .. })) = largest {
            let (alone, longest) = (step(end - 1..end), order[end - 1]);
            max_memory.left().check(
                [needed, alone],
                "training on its batch",
                ("train", longest, &data.train[longest]),
            )?;
        }
        let prediction = PredictionMemory { config: &self.config.model, sizes: self.sizes, encoder: self.encoder };
        prediction.batching("dev", data.dev, dev_batch_size(self.config), max_memory)
    }

    /// Bytes that do not depend on the batch: copies and gradients of the weights, and cached contextual vectors.
    fn fixed(&self, data: TrainingData) -> f64 {
        let network = self.config.model.least_parameters(self.sizes);
        let bert = self.encoder.and_then(Encoder::as_bert).filter(|_| self.config.encoder.fine_tune);
        let parameters = network + bert.map_or(0, |bert| bert.network.num_params()) as f64;
        let shards = n_shards(self.config.train.batch_size, parameters as usize) as f64;
        let tokens: usize = data.train.iter().chain(data.dev).map(Sentence::len).sum();
        // While they are made, the vectors of the training or dev sentences exist twice.
        let cached = self.encoder.filter(|_| self.is_cached()).map(|encoder| 2.0 * encoder.vector_memory(tokens));
        VALUE * parameters * (COPIES + GRADIENTS * shards) + cached.unwrap_or(0.0)
    }

    /// Bytes of a training step on a batch, and of the buffers that earlier steps left.
    fn step(&self, size: &BatchSize, encoded: &[EncodedSize]) -> f64 {
        let encoder = self.encoder.map_or(0.0, |encoder| {
            if self.is_cached() {
                // Each sentence was encoded before the first step; now its vectors are read.
                let most = encoded.iter().map(|sentence| encoder.batch_memory(&[*sentence], false));
                most.fold(0.0, f64::max)
            } else {
                encoder.batch_memory(encoded, self.config.encoder.fine_tune)
            }
        });
        let step = self.config.model.train_memory(self.sizes, size) + encoder;
        step + step.min(POOL * rayon::current_num_threads() as f64)
    }

    /// Whether contextual vectors are computed once, before the first epoch.
    fn is_cached(&self) -> bool {
        self.encoder.is_some_and(|encoder| !encoder.is_file()) && !self.config.encoder.is_trained_after(0)
    }
}
