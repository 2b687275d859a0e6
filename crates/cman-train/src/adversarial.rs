//! The gradient of a share of a batch, with the adversarial step (section 3.5, eq. 14).

use burn::{optim::GradientsParams, tensor::Tensor};
use cman_core::{Gold, Mode, TokenBatch};
use cman_model::{AdversarialConfig, Scope};

use crate::Trainable;

/// Sentences that go through the network together, and what it is to find in them.
#[derive(Clone, Debug)]
pub struct StepBatch {
    /// The sentences, on the autodiff device of the weights.
    pub tokens: TokenBatch,
    /// Their annotation.
    pub gold: Gold,
    /// The tags that the relations see, gold ones or predicted ones.
    pub labels: Vec<Vec<u32>>,
}

/// The losses of a batch, each the sum over its sentences; without the adversarial pass.
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
    /// Waits for them.
    pub(crate) fn read(self) -> BatchLoss {
        let losses: Vec<f64> = self.0.try_into_vec_as().expect("the device gives its numbers back");
        BatchLoss { ner: losses[0], re: losses[1] }
    }
}

/// The gradient of `factor * (L_joint(w) + L_joint(w + eta))`, or of the first term alone where alpha is 0, as parts
/// that are to be added; nothing here waits for the device. A fine-tuned encoder has its share of it through the
/// contextual vectors of the batch.
///
/// The input is embedded once: both passes start from its value, and the sum of their gradients with respect to it is
/// then carried through the embeddings. eta is a constant of the second pass; dropout masks are drawn afresh.
pub(crate) fn share_gradients(
    weights: &Trainable,
    batch: &StepBatch,
    config: &AdversarialConfig,
    factor: f64,
    mode: Mode,
) -> (Losses, Vec<GradientsParams>) {
    let StepBatch { tokens, gold, labels } = batch;
    let model = &weights.network;
    let input = model.embed(tokens);
    let value = input.clone().detach();
    let mut parts = Vec::new();
    let mut pass = |input: Tensor<3>, mode: Mode| {
        let input = input.detach().require_grad();
        let losses = model.losses(input.clone(), tokens, gold, labels, mode);
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
            Scope::Embeddings => tokens.contextual.as_ref().map_or(0, |vectors| vectors.dims()[3]),
        };
        let eta = perturbation(gradient.clone(), n_contextual, config.alpha);
        gradient = gradient + pass(value + Tensor::from_inner(eta), mode.at("adversarial")).1;
    }
    let carried = (input * Tensor::from_inner(gradient)).sum().backward();
    parts.push(GradientsParams::from_grads(carried, weights));
    (losses, parts)
}

/// `eta = alpha sqrt(D) g / ||g||_2`, the norm taken over all numbers of a sentence, D the width that is perturbed; the
/// last `n_contextual` numbers of each token are left alone. A sentence without a gradient is not perturbed.
///
/// # Shapes
/// - gradient: `[batch, steps, d_w]`, zero at padding
/// - output: `[batch, steps, d_w]`
fn perturbation(gradient: Tensor<3>, n_contextual: usize, alpha: f64) -> Tensor<3> {
    let [batch, steps, width] = gradient.dims();
    let perturbed = width - n_contextual;
    let gradient = if n_contextual == 0 {
        gradient
    } else {
        let untouched = Tensor::zeros([batch, steps, n_contextual], &gradient.device());
        Tensor::cat(vec![gradient.narrow(2, 0, perturbed), untouched], 2)
    };
    // Scaled to a largest number of 1 first, so that no square underflows.
    let largest = gradient.clone().abs().max_dim(1).max_dim(2).clamp_min(f32::MIN_POSITIVE); // [batch, 1, 1]
    let gradient = gradient / largest;
    let norm = gradient.clone().square().sum_dims(&[1, 2]).sqrt().clamp_min(1.0);
    gradient * (alpha * (perturbed as f64).sqrt()) / norm
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn each_sentence_is_moved_by_alpha_times_the_root_of_the_width() {
        let device = Device::default();
        let gradient = Tensor::<3>::from_floats([[[3e-25, 4e-25], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]], &device);
        let eta: Vec<f64> = perturbation(gradient.clone(), 0, 0.1).try_into_vec_as().unwrap();
        let size = 0.1 * 2f64.sqrt();
        let expected = [0.6 * size, 0.8 * size, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        assert!(eta.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{eta:?}");
        let words: Vec<f64> = perturbation(gradient, 1, 0.1).try_into_vec_as().unwrap();
        assert!((words[0] - 0.1).abs() < 1e-6 && words[1..].iter().all(|&x| x == 0.0), "{words:?}");
    }
}
