//! The gradient of a batch, computed in shards in parallel, and the update of the weights.

use burn::{
    module::Module,
    optim::{GradientsParams, ModuleOptimizer},
};
use burn_ragged::{Key, Mode, Shard, is_cpu};
use cman_model::TrainConfig;
use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

use crate::{
    adversarial::{BatchLoss, Losses, StepBatch, shard_gradients},
    gradients,
    trainable::Trainable,
};

/// Fewest shards of a batch on the CPU. Two shards keep two cores busy; further cores work inside the operations.
const MIN_SHARDS: usize = 2;

/// Most shards of a batch.
const MAX_SHARDS: usize = 16;

/// Most parameters of all shards together if there are more than [`MIN_SHARDS`]. Each shard holds gradients of both
/// passes.
const MAX_PARAMETERS: usize = 1 << 26;

/// Fewest sentences per shard of a large batch.
const SHARD_SENTENCES: usize = 8;

/// A shard of a batch, with weights that have an autodiff graph of their own.
#[derive(Clone, Debug)]
pub struct BatchShard {
    /// The part of the batch.
    pub shard: Shard,
    /// The weights to embed its sentences with.
    pub weights: Trainable,
}

/// The learning rates of an update.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LearningRates {
    /// That of the network.
    pub network: f64,
    /// That of a fine-tuned encoder.
    pub encoder: f64,
}

/// The gradient of a batch, clipped by `train.clip_norm`.
pub struct BatchGradients {
    /// The losses.
    pub loss: BatchLoss,
    /// The Euclidean norm over all parameters, before clipping.
    pub norm: f64,
    network: GradientsParams,
    encoder: GradientsParams,
}

/// Divides a batch of `n_sentences` into shards: several on the CPU, one on a GPU. `weights` are on an autodiff device.
///
/// The sentences of a batch sorted by length are dealt out in turn, so that all shards cost the same.
pub fn batch_shards(weights: &Trainable, n_sentences: usize) -> Vec<BatchShard> {
    let device = weights.devices().into_iter().next().expect("a network has parameters");
    let n_shards = if is_cpu(&device) { n_shards(n_sentences, weights.num_params()) } else { 1 };
    // Not Module::fork, which adds a graph node to every weight that lives as long as the weight. The nodes of an
    // encoder would pile up until it is trained.
    let with_own_graph = || weights.valid().train();
    let shards = (0..n_shards).map(|first| Shard { first, step: n_shards });
    shards.map(|shard| BatchShard { shard, weights: with_own_graph() }).collect()
}

/// The gradient of a batch (section 3.5, eq. 14), as a [`Learner`](crate::Learner) computes it, for custom training
/// loops.
///
/// `shards` are those of [`batch_shards`] with their inputs. On the CPU they run in parallel. Dropout masks are drawn
/// from `key` and do not depend on the division into shards.
pub fn batch_gradients(
    weights: &Trainable,
    shards: Vec<(StepBatch, BatchShard)>,
    config: &TrainConfig,
    key: Key,
) -> BatchGradients {
    let n_sentences: usize = shards.iter().map(|(batch, _)| batch.tokens.layout().batch_size()).sum();
    let factor = if config.mean_loss { 1.0 / n_sentences as f64 } else { 1.0 };
    let shards = shards.into_par_iter().with_max_len(1);
    let results = shards.map(|(batch, BatchShard { shard, weights })| {
        shard_gradients(&weights, &batch, &config.adversarial, factor, Mode::Train(key, shard))
    });
    let (losses, parts): (Vec<_>, Vec<_>) = results.collect::<Vec<_>>().into_iter().unzip();
    let mut parts: Vec<GradientsParams> = parts.into_iter().flatten().collect();
    let (network, norm) = gradients::sum(&weights.network, &mut parts);
    let (encoder, encoder_norm) = gradients::sum(&weights.contextual_encoder, &mut parts);
    let loss = losses.into_iter().map(Losses::read).reduce(|a, b| BatchLoss { ner: a.ner + b.ner, re: a.re + b.re });
    let loss = loss.unwrap_or_default();
    let mut all = BatchGradients { loss, norm: norm.hypot(encoder_norm), network, encoder };
    if config.clip_norm > 0.0 && all.norm > config.clip_norm {
        let factor = config.clip_norm / all.norm;
        gradients::scale(&weights.network, &mut all.network, factor);
        gradients::scale(&weights.contextual_encoder, &mut all.encoder, factor);
    }
    all
}

/// Number of shards of a batch on the CPU. It is a power of two, so that 2, 4, .. cores get equally many. It depends on
/// batch and model alone, so that sums do not depend on the number of threads.
pub(crate) fn n_shards(n_sentences: usize, n_parameters: usize) -> usize {
    let most = (n_sentences / SHARD_SENTENCES).min(MAX_PARAMETERS / n_parameters.max(1)).clamp(MIN_SHARDS, MAX_SHARDS);
    (1 << most.ilog2()).min(n_sentences)
}

impl BatchGradients {
    /// Which value is not finite, if any: the loss or the gradient.
    pub fn not_finite(&self) -> Option<&'static str> {
        if !(self.loss.ner + self.loss.re).is_finite() {
            Some("loss")
        } else if !self.norm.is_finite() {
            Some("gradient")
        } else {
            None
        }
    }

    /// The weights after one optimizer step. Parameters without a gradient do not change.
    pub fn apply(self, weights: &Trainable, optimizer: &mut ModuleOptimizer, rates: LearningRates) -> Trainable {
        let updated = optimizer.step(rates.network, weights.clone(), self.network);
        if updated.contextual_encoder.is_none() {
            return updated;
        }
        optimizer.step(rates.encoder, updated, self.encoder)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use burn::{
        module::{ModuleVisitor, Param},
        tensor::{Device, Tensor},
    };
    use cman_core::{Cman, ModelConfig, model::Sizes};
    use cman_encoder::{Bert, Pooling};

    use super::*;

    /// A zero gradient for every parameter.
    struct Zero(GradientsParams);

    impl ModuleVisitor for Zero {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.register(param.id, param.val().inner().zeros_like());
        }
    }

    /// The current path, and the sum of the absolute values of each parameter.
    struct Sums(Vec<String>, Vec<(String, f64)>);

    impl ModuleVisitor for Sums {
        fn enter_module(&mut self, name: &str, container: &str) {
            if !container.starts_with("Enum:") {
                self.0.push(name.into());
            }
        }
        fn exit_module(&mut self, _: &str, container: &str) {
            if !container.starts_with("Enum:") {
                self.0.pop();
            }
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.1.push((self.0.join("."), param.val().abs().sum().into_scalar()));
        }
    }

    fn sums(weights: &Trainable) -> Vec<(String, f64)> {
        let mut sums = Sums(Vec::new(), Vec::new());
        weights.visit(&mut sums);
        sums.1
    }

    #[test]
    fn the_number_of_shards_depends_on_batch_and_model() {
        let sizes = [1, 2, 15, 16, 31, 32, 64, 100, 128, 1000];
        assert_eq!(sizes.map(|n| n_shards(n, 4_000_000)), [1, 2, 2, 2, 2, 4, 8, 8, 16, 16]);
        assert_eq!(sizes.map(|n| n_shards(n, 15_000_000)), [1, 2, 2, 2, 2, 4, 4, 4, 4, 4]);
        assert_eq!(sizes.map(|n| n_shards(n, 120_000_000)), [1, 2, 2, 2, 2, 2, 2, 2, 2, 2]);
    }

    #[test]
    fn weight_decay_applies_to_the_matrices_of_the_encoder() {
        let device = Device::flex().autodiff();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cman-encoder/tests/bert/bert");
        let bert = Bert::load_dir(&folder, Pooling::First, &device).unwrap();
        let sizes = Sizes { words: 3, characters: 3, entities: 1, relations: 1 };
        let config = ModelConfig::default().check().unwrap();
        let network = Cman::new(&config, sizes, 1, &device);
        let weights = Trainable { network, contextual_encoder: Some(bert.network) };
        let zero = |module: &dyn Fn(&mut Zero)| {
            let mut zero = Zero(GradientsParams::new());
            module(&mut zero);
            zero.0
        };
        let gradients = BatchGradients {
            loss: BatchLoss::default(),
            norm: 0.0,
            network: zero(&|zero| weights.network.visit(zero)),
            encoder: zero(&|zero| weights.contextual_encoder.visit(zero)),
        };
        let rates = LearningRates { network: 0.5, encoder: 0.5 };
        let updated = gradients.apply(&weights, &mut Trainable::optimizer(0.2), rates);
        for ((name, before), (_, after)) in sums(&weights).into_iter().zip(sums(&updated)) {
            let decays = name.starts_with("contextual_encoder") && !name.contains("bias") && !name.contains("norm");
            let expected = if decays { 0.9 * before } else { before };
            assert!((after - expected).abs() <= 1e-4 * before.max(1e-3), "{name}: {before} to {after}");
        }
    }
}
