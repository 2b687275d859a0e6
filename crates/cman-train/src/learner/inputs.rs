//! The input of one update: which words and tags the network sees, and what encoder reads the sentences.

use burn::module::Module;
use burn_ragged::{Key, Mode, Shard, random::unit};
use cman_core::{
    Gold, TokenBatch,
    model::{PredictOptions, Prediction},
};
use cman_data::{EncodedSentence, UNKNOWN};

use super::Learner;
use crate::{StepBatch, TrainError, Trainable};

impl Learner {
    /// The input of the network for a shard of the sentences `batch`.
    pub(super) fn prepare(
        &self,
        weights: &Trainable,
        batch: &[usize],
        shard: Shard,
        key: Key,
    ) -> Result<StepBatch, TrainError> {
        let with_word_dropout = |i: usize| self.with_word_dropout(batch[i], key.at("rare").with(i as u64));
        let sentences: Vec<EncodedSentence> = shard.members(batch.len()).map(with_word_dropout).collect();
        let sentences = &sentences.iter().collect::<Vec<_>>()[..];
        let mut tokens = TokenBatch::new(sentences, &self.device);
        if let Some(input) = &self.encoder {
            let encoder = input.encoder.clone().with_weights(weights.contextual_encoder.as_ref());
            let mode = Mode::Train(key.at("encoder"), shard);
            let members: Vec<usize> = shard.members(batch.len()).map(|i| batch[i]).collect();
            tokens = tokens.with_contextual(input.train.batch(&encoder, &members, mode, &self.device)?);
        }
        let gold = Gold::new(sentences)?;
        let labels = self.labels(sentences, &tokens, &gold, |i| key.at("labels").with(shard.index(i) as u64));
        Ok(StepBatch { tokens, gold, labels })
    }

    /// The sentence with some of the words that training holds once replaced by the unknown word, so that the model
    /// learns what to do with one.
    fn with_word_dropout(&self, sentence: usize, key: Key) -> EncodedSentence {
        let mut sentence = self.train[sentence].clone();
        let rate = self.config.train.rare_unknown;
        if rate > 0.0 {
            let mut rng = key.rng();
            for word in &mut sentence.words {
                if self.vocabularies.words.count(*word) == 1 && unit(&mut rng) < rate {
                    *word = UNKNOWN;
                }
            }
        }
        sentence
    }

    /// The tags that the relations see: gold ones, or by `train.predicted_labels` sometimes predicted ones.
    /// `key` gives the draw of a sentence.
    fn labels(
        &self,
        sentences: &[&EncodedSentence],
        batch: &TokenBatch,
        gold: &Gold,
        key: impl Fn(usize) -> Key,
    ) -> Vec<Vec<u32>> {
        let train = &self.config.train;
        let progress = self.progress.epoch as f64 / (train.epochs.max(2) - 1) as f64;
        let rate = train.predicted_labels * progress;
        if rate == 0.0 {
            return gold.tags().to_vec();
        }
        let plain = self.weights.network.valid();
        let options = PredictOptions::from(&self.config.model.relation);
        let mut tokens = TokenBatch::new(sentences, &self.device.clone().inner());
        if let Some(vectors) = batch.contextual() {
            tokens = tokens.with_contextual(vectors.clone().inner());
        }
        let predicted = plain.predict(&tokens, None, options);
        let choose = |(i, (gold, predicted)): (usize, (&Vec<u32>, Prediction))| {
            if unit(&mut key(i).rng()) < rate { predicted.tags } else { gold.clone() }
        };
        gold.tags().iter().zip(predicted).enumerate().map(choose).collect()
    }
}
