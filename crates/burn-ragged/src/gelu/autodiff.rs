//! GELU as an operation of burn's CPU backends, and its node in the autodiff graph.
#![allow(deprecated)] // by burn: NdArray, see `runtime::cpu_backend`

use burn::{
    backend::{
        Autodiff, Backend, Dispatch, TensorMetadata,
        autodiff::{
            checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
            grads::Gradients,
            ops::{Backward, Ops, OpsKind},
        },
        backend_extension,
        tensor::FloatTensor,
    },
    tensor::Tensor,
};

use super::cpu;
use crate::runtime::cpu_backend::{CpuBackend, impl_for_cpu_backends, register};

/// See [`gelu`](super::gelu).
pub(super) fn gelu(x: Tensor<3>) -> Tensor<3> {
    Tensor::from_dispatch(<Dispatch as GeluOp>::fused_gelu(x.into_dispatch()))
}

#[backend_extension(Flex: cfg(feature = "flex"), NdArray: cfg(feature = "ndarray"), Autodiff)]
pub(crate) trait GeluOp: Backend {
    fn fused_gelu(x: FloatTensor<Self>) -> FloatTensor<Self>;
}

impl_for_cpu_backends!(GeluOp {
    fn fused_gelu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::tensor(cpu::gelu(&Self::values(&x)), &x.shape().to_vec(), &x.device())
    }
});

impl<B: GeluOp + CpuBackend, C: CheckpointStrategy> GeluOp for Autodiff<B, C> {
    fn fused_gelu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        match GeluBackward.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let y = B::fused_gelu(x.clone());
                prepared.finish(x, y)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(B::fused_gelu(x)),
        }
    }
}

#[derive(Debug)]
struct GeluBackward;

impl<B: CpuBackend> Backward<B, 1> for GeluBackward {
    /// The argument.
    type State = FloatTensor<B>;

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let gradient = gradients.consume::<B>(&ops.node);
        let ([parent], x) = (ops.parents, ops.state);
        let dx = parent.is_some().then(|| cpu::gelu_backward(&B::values(&x), &B::values(&gradient)));
        register::<B>(gradients, parent.map(|node| node.id), &x, dx);
    }
}
