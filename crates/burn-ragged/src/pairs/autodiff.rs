//! The loss over all pairs as an operation of burn's CPU backends, with autodiff.
#![allow(deprecated)] // by burn: NdArray, see `runtime::cpu_backend`

use burn::{
    backend::{
        Autodiff, Backend, Dispatch, autodiff::checkpoint::strategy::CheckpointStrategy, backend_extension,
        tensor::FloatTensor,
    },
    tensor::Tensor,
};

use super::{PairProjection, Positive, cpu};
use crate::{
    ragged::Layout,
    runtime::{
        buffer::Buffer,
        cpu_backend::{CpuBackend, impl_for_cpu_backends},
        precomputed,
    },
};

/// See [`pair_loss`](super::pair_loss).
pub(super) fn pair_loss(projection: &PairProjection, positives: &[Positive]) -> Tensor<1> {
    let PairProjection { head, tail, v } = projection.clone();
    let layout = head.layout().clone();
    let (head, tail, v) = (head.into_values().into_dispatch(), tail.into_values().into_dispatch(), v.into_dispatch());
    Tensor::from_dispatch(<Dispatch as PairLossOp>::pair_loss(head, tail, v, positives.to_vec(), layout))
}

#[backend_extension(Flex: cfg(feature = "flex"), NdArray: cfg(feature = "ndarray"), Autodiff)]
pub(crate) trait PairLossOp: Backend {
    fn pair_loss(
        head: FloatTensor<Self>,
        tail: FloatTensor<Self>,
        v: FloatTensor<Self>,
        positives: Vec<Positive>,
        layout: Layout,
    ) -> FloatTensor<Self>;
}

impl_for_cpu_backends!(PairLossOp {
    fn pair_loss(
        head: FloatTensor<Self>,
        tail: FloatTensor<Self>,
        v: FloatTensor<Self>,
        positives: Vec<Positive>,
        layout: Layout,
    ) -> FloatTensor<Self> {
        precomputed::scalar::<Self>(evaluate::<Self>([&head, &tail, &v], &positives, &layout, false).0, &head)
    }
});

impl<B: PairLossOp + CpuBackend, C: CheckpointStrategy> PairLossOp for Autodiff<B, C> {
    fn pair_loss(
        head: FloatTensor<Self>,
        tail: FloatTensor<Self>,
        v: FloatTensor<Self>,
        positives: Vec<Positive>,
        layout: Layout,
    ) -> FloatTensor<Self> {
        precomputed::loss::<B, C>([head, tail, v], |inputs, keep| evaluate::<B>(inputs, &positives, &layout, keep))
    }
}

fn evaluate<B: CpuBackend>(
    [head, tail, v]: [&FloatTensor<B>; 3],
    positives: &[Positive],
    layout: &Layout,
    with_gradients: bool,
) -> (f32, Option<[Buffer; 3]>) {
    let ([_, steps, width], [relations, hidden]) = (B::dims(head), B::dims(v));
    let sizes = cpu::PairSizes { steps, width, relations, hidden };
    let values = (B::values(head), B::values(tail), B::values(v));
    let values = [&*values.0, &*values.1, &*values.2];
    let (loss, gradients) = cpu::pair_loss(values, sizes, layout.lengths(), positives, with_gradients);
    (loss, gradients.map(|gradients| [gradients.head, gradients.tail, gradients.v]))
}
