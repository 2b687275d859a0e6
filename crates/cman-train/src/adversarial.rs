//! The gradient of a shard of a batch, with the adversarial step (section 3.5, eq. 14).

use burn::{optim::GradientsParams, tensor::Tensor};
use burn_ragged::{Mode, Ragged};
use cman_core::{Gold, TokenBatch, perturbation};
use cman_model::{AdversarialConfig, Scope};

use crate::trainable::Trainable;

/// Sentences that pass through the network together, with their annotation.
#[derive(Clone, Debug)]
pub struct StepBatch {
    /// The sentences, on the autodiff device of the weights.
    pub tokens: TokenBatch,
    /// Their annotation.
    pub gold: Gold,
    /// The tags that the relations see, gold or predicted.
    pub labels: Vec<Vec<u32>>,
}

/// The losses of a batch, each summed over its sentences, without the adversarial pass.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BatchLoss {
    /// Negative log-likelihood of the tags (eq. 11).
    pub ner: f64,
    /// Cross-entropy of the relations (eq. 12).
    pub re: f64,
}

/// The losses of a batch, still on its device: eqs. 11 and 12. `[2]`
pub(crate) struct Losses(Tensor<1>);

impl Losses {
    /// Waits for the device.
    pub(crate) fn read(self) -> BatchLoss {
        let losses: Vec<f64> = self.0.try_into_vec_as().expect("the device returns the values");
        BatchLoss { ner: losses[0], re: losses[1] }
    }
}

/// The gradient of `factor * (L_joint(w) + L_joint(w + eta))`, or of the first term alone if alpha is 0, as summands.
/// Nothing here waits for the device. The gradient of a fine-tuned encoder comes through the contextual vectors of the
/// batch.
///
/// The input is embedded once. Both passes start from its value, and the sum of their gradients with respect to it is
/// then propagated through the embeddings. In the second pass eta is constant and dropout masks are drawn anew.
pub(crate) fn shard_gradients(
    weights: &Trainable,
    batch: &StepBatch,
    config: &AdversarialConfig,
    factor: f64,
    mode: Mode,
) -> (Losses, Vec<GradientsParams>) {
    let StepBatch { tokens, gold, labels } = batch;
    let model = &weights.network;
    let input = model.embed(tokens);
    let layout = input.layout().clone();
    let value = input.values().clone().detach();
    let mut parts = Vec::new();
    let mut pass = |value: Tensor<3>, mode: Mode| {
        let input = value.detach().require_grad();
        let losses = model.losses(Ragged::new(input.clone(), layout.clone()), gold, labels, mode);
        let mut gradients = (losses.joint() * factor).backward();
        let gradient = input.grad_remove(&mut gradients).expect("the loss depends on the input");
        parts.push(GradientsParams::from_grads(gradients, model));
        (losses, gradient)
    };

    let (losses, mut gradient) = pass(value.clone(), mode.at("clean"));
    let losses = Losses(Tensor::cat(vec![losses.ner.inner(), losses.re.inner()], 0));
    if config.alpha > 0.0 {
        let n_contextual = match config.scope {
            Scope::All => 0,
            Scope::Embeddings => tokens.contextual().map_or(0, |vectors| vectors.dims()[3]),
        };
        let eta = perturbation(Ragged::new(gradient.clone(), layout.clone()), n_contextual, config.alpha);
        let perturbed = value + Tensor::from_inner(eta.into_values());
        gradient = gradient + pass(perturbed, mode.at("adversarial")).1;
    }
    let carried = (input.into_values() * Tensor::from_inner(gradient)).sum().backward();
    parts.push(GradientsParams::from_grads(carried, weights));
    (losses, parts)
}
