//! One update of the weights: the gradient of a batch, computed in shares side by side, then Adam.

use burn::{
    module::Module,
    tensor::{DType, Device},
};
use cman_core::{
    Gold, TokenBatch,
    model::PredictOptions,
    on_host,
    random::{Key, unit},
};
use cman_data::{EncodedSentence, UNKNOWN};
use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

use super::Learner;
use crate::{BatchLoss, TrainError, adversarial, gradients};

/// Shares of a batch on the CPU. Two keep both cores of a small machine busy without a pause; a larger machine also
/// finds work inside of the operations. Fixed, so that the sums, and with them the bits, do not depend on the threads.
const SHARES: usize = 2;

impl Learner {
    /// One update, from the sentences `batch`.
    pub(super) fn step(
        &mut self,
        batch: &[usize],
        rate: f64,
        number: usize,
        key: Key,
    ) -> Result<BatchLoss, TrainError> {
        let blurred = |(i, &s): (usize, &usize)| self.blurred(s, key.at("rare").with(i as u64));
        let sentences: Vec<EncodedSentence> = batch.iter().enumerate().map(blurred).collect();
        let train = &self.config.train;
        let factor = if train.mean_loss { 1.0 / batch.len() as f64 } else { 1.0 };
        let share = |(i, members): (usize, Vec<&EncodedSentence>)| {
            let key = key.at("share").with(i as u64);
            let network = self.network.clone().fork(&self.device); // with a graph of its own
            let tokens = TokenBatch::new(&members, &self.device);
            let gold = Gold::new(&members);
            let labels = self.labels(&members, &gold, key.at("labels"));
            adversarial::gradients(&network, &tokens, &gold, &labels, &train.adversarial, factor, key)
        };
        let shares = shares(&sentences, &self.device);
        let results: Vec<_> = shares.into_par_iter().with_max_len(1).enumerate().map(share).collect();
        let loss = results
            .iter()
            .fold(BatchLoss::default(), |sum, (loss, _)| BatchLoss { ner: sum.ner + loss.ner, re: sum.re + loss.re });
        let not_finite = |what| TrainError::NotFinite {
            epoch: self.progress.epoch + 1,
            batch: number,
            what,
            sentences: batch.iter().map(|&s| self.train_ids[s].as_str()).collect::<Vec<_>>().join(", "),
        };
        if !(loss.ner + loss.re).is_finite() {
            return Err(not_finite("loss"));
        }
        let parts = results.into_iter().flat_map(|(_, parts)| parts).collect();
        let (mut gradients, norm) = gradients::sum(&self.network, parts);
        if !norm.is_finite() {
            return Err(not_finite("gradient"));
        }
        if train.clip_norm > 0.0 && norm > train.clip_norm {
            gradients::scale(&self.network, &mut gradients, train.clip_norm / norm);
        }
        self.network = self.optimizer.step(rate, self.network.clone(), gradients);
        Ok(loss)
    }

    /// The sentence with some of the words that training holds once replaced by the unknown word, so that the model
    /// learns what to do with one.
    fn blurred(&self, sentence: usize, key: Key) -> EncodedSentence {
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
    fn labels(&self, members: &[&EncodedSentence], gold: &Gold, key: Key) -> Vec<Vec<u32>> {
        let train = &self.config.train;
        let progress = self.progress.epoch as f64 / (train.epochs.max(2) - 1) as f64;
        let rate = train.predicted_labels * progress;
        if rate == 0.0 {
            return gold.tags.clone();
        }
        let plain = self.network.valid();
        let options = PredictOptions::from(&self.config.model.relation);
        let predicted = plain.predict(&TokenBatch::new(members, &self.device.clone().inner()), None, options);
        let mut rng = key.rng();
        let choose = |(gold, predicted): (&Vec<u32>, cman_core::model::Prediction)| {
            if unit(&mut rng) < rate { predicted.tags } else { gold.clone() }
        };
        gold.tags.iter().zip(predicted).map(choose).collect()
    }
}

/// The sentences dealt out in turn, so that shares of a batch sorted by length cost the same; on a GPU, which wants few
/// large operations, all in one share.
fn shares<'a>(sentences: &'a [EncodedSentence], device: &Device) -> Vec<Vec<&'a EncodedSentence>> {
    let n_shares = if on_host(device.clone(), DType::F32) { SHARES.min(sentences.len()) } else { 1 };
    (0..n_shares).map(|share| sentences.iter().skip(share).step_by(n_shares).collect()).collect()
}
