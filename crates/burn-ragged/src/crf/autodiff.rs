//! The CRF's loss as an operation of burn's CPU backends, with autodiff.
#![allow(deprecated)] // by burn: NdArray, see `runtime::cpu_backend`

use burn::{
    backend::{
        Autodiff, Backend, Dispatch, autodiff::checkpoint::strategy::CheckpointStrategy, backend_extension,
        tensor::FloatTensor,
    },
    tensor::Tensor,
};

use super::{Potentials, cpu};
use crate::runtime::{
    buffer::Buffer,
    cpu_backend::{CpuBackend, impl_for_cpu_backends},
    precomputed,
};

/// See [`negative_log_likelihood`](super::negative_log_likelihood), which checks the tags.
pub(super) fn negative_log_likelihood(potentials: &Potentials, tags: &[Vec<u32>]) -> Tensor<1> {
    let Potentials { first, pair, end, .. } = potentials.clone();
    let (first, pair, end) = (first.into_dispatch(), pair.into_dispatch(), end.into_dispatch());
    Tensor::from_dispatch(<Dispatch as CrfOp>::negative_log_likelihood(first, pair, end, tags.to_vec()))
}

#[backend_extension(Flex: cfg(feature = "flex"), NdArray: cfg(feature = "ndarray"), Autodiff)]
pub(crate) trait CrfOp: Backend {
    fn negative_log_likelihood(
        first: FloatTensor<Self>,
        pair: FloatTensor<Self>,
        end: FloatTensor<Self>,
        tags: Vec<Vec<u32>>,
    ) -> FloatTensor<Self>;
}

impl_for_cpu_backends!(CrfOp {
    fn negative_log_likelihood(
        first: FloatTensor<Self>,
        pair: FloatTensor<Self>,
        end: FloatTensor<Self>,
        tags: Vec<Vec<u32>>,
    ) -> FloatTensor<Self> {
        precomputed::scalar::<Self>(evaluate::<Self>([&first, &pair, &end], &tags).0, &pair)
    }
});

impl<B: CrfOp + CpuBackend, C: CheckpointStrategy> CrfOp for Autodiff<B, C> {
    fn negative_log_likelihood(
        first: FloatTensor<Self>,
        pair: FloatTensor<Self>,
        end: FloatTensor<Self>,
        tags: Vec<Vec<u32>>,
    ) -> FloatTensor<Self> {
        precomputed::loss::<B, C>([first, pair, end], |inputs, _| {
            let (loss, gradients) = evaluate::<B>(inputs, &tags);
            (loss, Some(gradients))
        })
    }
}

fn evaluate<B: CpuBackend>([first, pair, end]: [&FloatTensor<B>; 3], tags: &[Vec<u32>]) -> (f32, [Buffer; 3]) {
    let [_, steps, _, _] = B::dims(pair);
    let values = cpu::Potentials { first: &B::values(first), pair: &B::values(pair), end: &B::values(end), steps };
    let (loss, gradients) = cpu::negative_log_likelihood(values, tags);
    (loss, [gradients.first, gradients.pair, gradients.end])
}
