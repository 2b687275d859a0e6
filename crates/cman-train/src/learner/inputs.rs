//! The input of one update: words, contextual vectors and the tags that the relations see.

use burn::{module::Module, tensor::Device};
use burn_ragged::{Key, Mode, random::unit};
use cman_core::{
    Cman, Gold, TokenBatch,
    model::{Given, PredictOptions, Prediction},
};
use cman_data::{EncodedSentence, UNKNOWN};
use cman_model::Config;

use super::data::{EncodedData, EncoderInput};
use crate::{adversarial::StepBatch, batch_gradients::BatchShard, error::TrainError};

/// What the inputs of a batch are made of.
pub(super) struct BatchInputs<'a> {
    pub config: &'a Config,
    pub data: &'a EncodedData,
    pub encoder: Option<&'a EncoderInput>,
    /// The network that predicts tags.
    pub network: &'a Cman,
    /// The autodiff device of the weights.
    pub device: &'a Device,
    /// Epochs done.
    pub epoch: usize,
    /// Indices of the training sentences of the batch.
    pub batch: &'a [usize],
    /// Key of all draws.
    pub key: Key,
}

impl BatchInputs<'_> {
    /// The input of the network for a shard of the batch.
    pub fn of(&self, BatchShard { shard, weights }: &BatchShard) -> Result<StepBatch, TrainError> {
        let (batch, key) = (self.batch, self.key);
        let with_word_dropout = |i: usize| self.with_word_dropout(batch[i], key.at("rare").with(i as u64));
        let sentences: Vec<EncodedSentence> = shard.members(batch.len()).map(with_word_dropout).collect();
        let sentences = &sentences.iter().collect::<Vec<_>>()[..];
        let mut tokens = TokenBatch::new(sentences, self.device);
        if let Some(input) = self.encoder {
            let encoder = input.encoder.clone().with_weights(weights.contextual_encoder.as_ref());
            let mode = Mode::Train(key.at("encoder"), *shard);
            let members: Vec<usize> = shard.members(batch.len()).map(|i| batch[i]).collect();
            tokens = tokens.with_contextual(input.train.batch(&encoder, &members, mode, self.device)?);
        }
        let gold = Gold::new(sentences)?;
        let labels = self.labels(sentences, &tokens, &gold, |i| key.at("labels").with(shard.index(i) as u64));
        Ok(StepBatch { tokens, gold, labels })
    }

    /// The training sentence with this index. Some of the words that occur once in the training data are replaced by
    /// the unknown word, which trains its vector.
    fn with_word_dropout(&self, sentence: usize, key: Key) -> EncodedSentence {
        let mut sentence = self.data.train[sentence].clone();
        let rate = self.config.train.rare_unknown;
        if rate > 0.0 {
            let mut rng = key.rng();
            for word in &mut sentence.words {
                if self.data.vocabularies.words.count(*word) == 1 && unit(&mut rng) < rate {
                    *word = UNKNOWN;
                }
            }
        }
        sentence
    }

    /// The tags that the relations see: gold tags, or with the probability of `train.predicted_labels` predicted tags.
    /// `key` returns the key of a sentence.
    fn labels(
        &self,
        sentences: &[&EncodedSentence],
        batch: &TokenBatch,
        gold: &Gold,
        key: impl Fn(usize) -> Key,
    ) -> Vec<Vec<u32>> {
        let train = &self.config.train;
        let progress = self.epoch as f64 / (train.epochs.max(2) - 1) as f64;
        let rate = train.predicted_labels * progress;
        if rate == 0.0 {
            return gold.tags().to_vec();
        }
        let plain = self.network.valid();
        let options = PredictOptions::from(&self.config.model.relation);
        let mut tokens = TokenBatch::new(sentences, &self.device.clone().inner());
        if let Some(vectors) = batch.contextual() {
            tokens = tokens.with_contextual(vectors.clone().inner());
        }
        let predicted = plain.predict(&tokens, Given::Nothing, options);
        let choose = |(i, (gold, predicted)): (usize, (&Vec<u32>, Prediction))| {
            if unit(&mut key(i).rng()) < rate { predicted.tags } else { gold.clone() }
        };
        gold.tags().iter().zip(predicted).enumerate().map(choose).collect()
    }
}
