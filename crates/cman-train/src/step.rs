//! One update of a network: the gradient of a batch, the check that it is finite, Adam.

use burn::optim::{AdamConfig, ModuleOptimizer};
use cman_core::{Cman, Gold, TokenBatch, random::Key};

use crate::{BatchLoss, TrainConfig, adversarial, gradients};

/// What one update learns from.
#[derive(Clone, Copy, Debug)]
pub struct StepBatch<'a> {
    /// The sentences, on the network's autodiff device.
    pub tokens: &'a TokenBatch,
    /// Their annotation.
    pub gold: &'a Gold,
    /// The tags that the relations see, gold ones or predicted ones.
    pub labels: &'a [Vec<u32>],
}

/// What left the finite numbers in an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotFinite {
    /// A loss.
    Loss,
    /// A gradient.
    Gradient,
}

/// Adam as a [`Learner`](crate::Learner) has it.
pub fn adam() -> ModuleOptimizer {
    AdamConfig::new().with_epsilon(1e-8).init()
}

/// One update of `network` (section 3.5, eq. 14), as a [`Learner`](crate::Learner) makes it: for training loops of
/// one's own. Dropout masks are drawn from `key`. Returns the losses before the update.
///
/// # Errors
/// If a loss or a gradient is not finite; the network is then as it was.
pub fn train_step(
    network: &mut Cman,
    optimizer: &mut ModuleOptimizer,
    batch: StepBatch,
    config: &TrainConfig,
    rate: f64,
    key: Key,
) -> Result<BatchLoss, NotFinite> {
    let StepBatch { tokens, gold, labels } = batch;
    let factor = if config.mean_loss { 1.0 / tokens.batch_size() as f64 } else { 1.0 };
    let (loss, mut gradients) = adversarial::gradients(network, tokens, gold, labels, &config.adversarial, factor, key);
    if !(loss.ner + loss.re).is_finite() {
        return Err(NotFinite::Loss);
    }
    let norm = gradients::global_norm(network, &gradients);
    if !norm.is_finite() {
        return Err(NotFinite::Gradient);
    }
    if config.clip_norm > 0.0 && norm > config.clip_norm {
        gradients::scale(network, &mut gradients, config.clip_norm / norm);
    }
    *network = optimizer.step(rate, network.clone(), gradients);
    Ok(loss)
}
