//! The gradient of a batch, computed in shards side by side, and the update of the weights by it.

use burn::{
    module::Module,
    optim::{GradientsParams, ModuleOptimizer},
};
use burn_ragged::{Key, Mode, Shard, is_cpu};
use cman_model::TrainConfig;
use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

use crate::{
    BatchLoss, StepBatch, Trainable,
    adversarial::{Losses, shard_gradients},
    gradients,
};

/// Shards of a batch on the CPU, at least: they keep both cores of a small machine busy without a pause. Further cores
/// find work inside of the operations.
const MIN_SHARDS: usize = 2;

/// Shards of a large batch, at most.
const MAX_SHARDS: usize = 16;

/// Parameters of all shards together, at most, where they are more than [`MIN_SHARDS`]: each shard has gradients of its
/// own, of both passes.
const PARAMETERS: usize = 1 << 26;

/// Sentences of a shard of a large batch, at least.
const SHARD_SENTENCES: usize = 8;

/// The gradient of a batch, clipped by `train.clip_norm`.
pub struct BatchGradients {
    /// The losses.
    pub loss: BatchLoss,
    /// The Euclidean norm over all parameters, before clipping.
    pub norm: f64,
    network: GradientsParams,
    encoder: GradientsParams,
}

/// The gradient of a batch of `n_sentences` (section 3.5, eq. 14), as a [`Learner`](crate::Learner) takes it: for
/// training loops of one's own. `weights` are on an autodiff device.
///
/// On the CPU a batch is dealt out in shards that run side by side. For each, `prepare` is called with the weights that
/// its graph hangs on. Dropout masks are drawn from `key`, whatever the shards.
///
/// # Errors
/// Those of `prepare`.
pub fn batch_gradients<E: Send>(
    weights: &Trainable,
    n_sentences: usize,
    prepare: impl Fn(&Trainable, Shard) -> Result<StepBatch, E> + Sync,
    config: &TrainConfig,
    key: Key,
) -> Result<BatchGradients, E> {
    let device = weights.devices().into_iter().next().expect("a network has parameters");
    let factor = if config.mean_loss { 1.0 / n_sentences as f64 } else { 1.0 };
    let gradients = |first: usize, step: usize| {
        let shard = Shard { first, step };
        // With a graph of its own. (Module::fork would hang a node on every weight, which stays as long as the weight
        // does: with an encoder that is not trained yet, for all those epochs.)
        let weights = weights.valid().train();
        let batch = prepare(&weights, shard)?;
        Ok(shard_gradients(&weights, &batch, &config.adversarial, factor, Mode::Train(key, shard)))
    };
    // Dealt out in turn, so that shards of a batch sorted by length cost the same. A GPU wants few large operations.
    let n_shards = if is_cpu(&device) { n_shards(n_sentences, weights.num_params()) } else { 1 };
    let shards = (0..n_shards).into_par_iter().with_max_len(1);
    let results: Vec<_> = shards.map(|shard| gradients(shard, n_shards)).collect::<Result<_, E>>()?;
    let (losses, parts): (Vec<_>, Vec<_>) = results.into_iter().unzip();
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
    Ok(all)
}

/// How many shards a batch on the CPU is dealt out in: a power of two, so that two, four, .. cores have equally many. It
/// depends on batch and model alone, so that the sums, and with them the bits, do not depend on the threads.
fn n_shards(n_sentences: usize, n_parameters: usize) -> usize {
    let most = (n_sentences / SHARD_SENTENCES).min(PARAMETERS / n_parameters.max(1)).clamp(MIN_SHARDS, MAX_SHARDS);
    (1 << most.ilog2()).min(n_sentences)
}

impl BatchGradients {
    /// What left the finite numbers, if something did.
    pub fn not_finite(&self) -> Option<&'static str> {
        if !(self.loss.ner + self.loss.re).is_finite() {
            Some("loss")
        } else if !self.norm.is_finite() {
            Some("gradient")
        } else {
            None
        }
    }

    /// The weights after one step with the learning rates of the network and of the encoder; parameters without a
    /// gradient stay as they are.
    pub fn apply(self, weights: &Trainable, optimizer: &mut ModuleOptimizer, rates: [f64; 2]) -> Trainable {
        let updated = optimizer.step(rates[0], weights.clone(), self.network);
        if updated.contextual_encoder.is_none() {
            return updated;
        }
        optimizer.step(rates[1], updated, self.encoder)
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

    /// All gradients zero.
    struct Zero(GradientsParams);

    impl ModuleVisitor for Zero {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.register(param.id, param.val().inner().zeros_like());
        }
    }

    /// Names, and the sums of the absolute values.
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
    fn large_batches_have_more_shares_but_large_models_have_not() {
        let sizes = [1, 2, 15, 16, 31, 32, 64, 100, 128, 1000];
        assert_eq!(sizes.map(|n| n_shards(n, 4_000_000)), [1, 2, 2, 2, 2, 4, 8, 8, 16, 16]);
        assert_eq!(sizes.map(|n| n_shards(n, 15_000_000)), [1, 2, 2, 2, 2, 4, 4, 4, 4, 4]);
        assert_eq!(sizes.map(|n| n_shards(n, 120_000_000)), [1, 2, 2, 2, 2, 2, 2, 2, 2, 2]);
    }

    #[test]
    fn the_encoder_decays_but_for_biases_and_normalisations_and_the_network_does_not() {
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
        let updated = gradients.apply(&weights, &mut Trainable::optimizer(0.2), [0.5, 0.5]);
        for ((name, before), (_, after)) in sums(&weights).into_iter().zip(sums(&updated)) {
            let decays = name.starts_with("contextual_encoder") && !name.contains("bias") && !name.contains("norm");
            let expected = if decays { 0.9 * before } else { before };
            assert!((after - expected).abs() <= 1e-4 * before.max(1e-3), "{name}: {before} to {after}");
        }
    }
}
