//! Adam (Kingma and Ba 2015). On the CPU it runs in one pass over the values.

use burn::{
    optim::{AdamState, AdaptiveMomentumState, Optimizer},
    tensor::{DType, Device, Tensor},
};
use burn_ragged::{is_cpu, with_values};
use rayon::{
    iter::{IndexedParallelIterator, ParallelIterator},
    slice::{ParallelSlice, ParallelSliceMut},
};

const BETA_1: f32 = 0.9;
const BETA_2: f32 = 0.999;
const EPSILON: f32 = 1e-8;

/// Values per task.
const CHUNK: usize = 1 << 13;

/// Adam with beta 0.9 and 0.999 and epsilon 1e-8; AdamW (Loshchilov and Hutter 2019) if there is weight decay.
#[derive(Clone, Copy, Debug, Default)]
pub struct Adam {
    /// Decoupled weight decay, relative to the learning rate.
    pub weight_decay: f64,
}

/// The factors of one update.
#[derive(Clone, Copy)]
struct Factors {
    /// Learning rate divided by the bias correction of the first moment.
    rate: f32,
    /// Square root of the bias correction of the second moment.
    root: f32,
    /// Factor of the weights, from weight decay.
    kept: f32,
}

impl Optimizer for Adam {
    type State<const D: usize> = AdamState<D>;

    fn step<const D: usize>(
        &self,
        lr: f64,
        tensor: Tensor<D>,
        grad: Tensor<D>,
        state: Option<AdamState<D>>,
    ) -> (Tensor<D>, Option<AdamState<D>>) {
        let (state, factors) = self.next(lr, &grad, state);
        let is_cpu = tensor.dtype() == DType::F32 && is_cpu(&tensor.device());
        let run = if is_cpu { update_on_cpu } else { update };
        let (tensor, state) = run(tensor, grad, state, factors);
        (tensor, Some(state))
    }

    fn to_device<const D: usize>(state: AdamState<D>, device: &Device) -> AdamState<D> {
        AdamState::new(state.momentum.to_device(device))
    }
}

impl Adam {
    /// The state with the next time step, and the factors of that step. The moments start at zero.
    fn next<const D: usize>(&self, lr: f64, grad: &Tensor<D>, state: Option<AdamState<D>>) -> (AdamState<D>, Factors) {
        let zero = || AdamState::new(AdaptiveMomentumState::new(0, grad.zeros_like(), grad.zeros_like()));
        let mut state = state.unwrap_or_else(zero);
        state.momentum.time += 1;
        let correction = |beta: f32| 1.0 - f64::from(beta).powf(state.momentum.time as f64);
        let factors = Factors {
            rate: (lr / correction(BETA_1)) as f32,
            root: correction(BETA_2).sqrt() as f32,
            kept: (1.0 - lr * self.weight_decay) as f32,
        };
        (state, factors)
    }
}

/// The update in burn operations.
fn update<const D: usize>(
    tensor: Tensor<D>,
    grad: Tensor<D>,
    state: AdamState<D>,
    factors: Factors,
) -> (Tensor<D>, AdamState<D>) {
    let AdaptiveMomentumState { time, moment_1, moment_2, .. } = state.momentum;
    let moment_1 = moment_1 * BETA_1 + grad.clone() * (1.0 - BETA_1);
    let moment_2 = moment_2 * BETA_2 + grad.square() * (1.0 - BETA_2);
    let step = moment_1.clone() / (moment_2.clone().sqrt() / factors.root + EPSILON) * factors.rate;
    (tensor * factors.kept - step, AdamState::new(AdaptiveMomentumState::new(time, moment_1, moment_2)))
}

/// [`update`] in one pass over the values. The new weights overwrite the gradient, because the old weights may be in
/// use elsewhere.
fn update_on_cpu<const D: usize>(
    tensor: Tensor<D>,
    grad: Tensor<D>,
    state: AdamState<D>,
    Factors { rate, root, kept }: Factors,
) -> (Tensor<D>, AdamState<D>) {
    let device = tensor.device();
    let AdaptiveMomentumState { time, moment_1, moment_2, .. } = state.momentum;
    let mut data = [grad, moment_1, moment_2].map(Tensor::into_data);
    let [grad, moment_1, moment_2] = data.each_mut().map(|data| data.as_mut_slice::<f32>().expect("f32 values"));
    with_values(&tensor, |weights| {
        let moments = moment_1.par_chunks_mut(CHUNK).zip(moment_2.par_chunks_mut(CHUNK));
        let chunks = grad.par_chunks_mut(CHUNK).zip(weights.par_chunks(CHUNK)).zip(moments);
        chunks.for_each(|((grad, weights), (moment_1, moment_2))| {
            for (((g, w), m), v) in grad.iter_mut().zip(weights).zip(moment_1).zip(moment_2) {
                *m = *m * BETA_1 + *g * (1.0 - BETA_1);
                *v = *v * BETA_2 + *g * *g * (1.0 - BETA_2);
                *g = w * kept - *m / (v.sqrt() / root + EPSILON) * rate;
            }
        });
    });
    let [weights, moment_1, moment_2] = data.map(|data| Tensor::from_data(data, &device));
    (weights, AdamState::new(AdaptiveMomentumState::new(time, moment_1, moment_2)))
}

#[cfg(test)]
mod tests {
    use burn::{
        optim::{AdamConfig, AdamWConfig},
        tensor::TensorData,
    };
    use burn_ragged::Key;

    use super::*;

    /// Random weights after three updates.
    fn run<S>(step: impl Fn(f64, Tensor<1>, Tensor<1>, Option<S>) -> (Tensor<1>, Option<S>)) -> Vec<f32> {
        let device = Device::default();
        let random = |seed| {
            let values = Key::new(seed).uniform(2 * CHUNK + 3, 1.0);
            Tensor::<1>::from_data(TensorData::new(values, [2 * CHUNK + 3]), &device)
        };
        let (mut weights, mut state) = (random(0), None);
        for seed in 1..4 {
            (weights, state) = step(0.01, weights, random(seed), state);
        }
        weights.try_into_vec_as().expect("f32 values")
    }

    #[test]
    fn both_implementations_equal_burns_adam() {
        let burns = AdamConfig::new().with_epsilon(EPSILON).build();
        let adam = run(|rate, weights, grad, state| burns.step(rate, weights, grad, state));
        let burns = AdamWConfig::new().with_epsilon(EPSILON).with_weight_decay(0.5).build();
        let adam_w = run(|rate, weights, grad, state| burns.step(rate, weights, grad, state));
        for (expected, ours) in [(adam, Adam::default()), (adam_w, Adam { weight_decay: 0.5 })] {
            let cpu = run(|rate, weights, grad, state| ours.step(rate, weights, grad, state));
            let composed = run(|rate, weights, grad, state| {
                let (state, factors) = ours.next(rate, &grad, state);
                let (weights, state) = update(weights, grad, state, factors);
                (weights, Some(state))
            });
            for (found, what) in [(cpu, "cpu"), (composed, "composed")] {
                let largest = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(largest < 1e-6, "{what}, {ours:?}: {largest}");
            }
        }
    }
}
