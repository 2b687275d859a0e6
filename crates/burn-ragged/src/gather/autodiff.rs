//! The choice of rows as an operation of burn's CPU backends, and its node in the autodiff graph.
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
use crate::runtime::cpu_backend::{CpuBackend, impl_for_cpu_backends};

/// See [`gather`](super::gather).
pub(super) fn gather(x: Tensor<2>, index: Vec<usize>) -> Tensor<2> {
    Tensor::from_dispatch(<Dispatch as GatherOp>::gather(x.into_dispatch(), index))
}

#[backend_extension(Flex: cfg(feature = "flex"), NdArray: cfg(feature = "ndarray"), Autodiff)]
pub(crate) trait GatherOp: Backend {
    fn gather(x: FloatTensor<Self>, index: Vec<usize>) -> FloatTensor<Self>;
}

impl_for_cpu_backends!(GatherOp {
    fn gather(x: FloatTensor<Self>, index: Vec<usize>) -> FloatTensor<Self> {
        rows::<Self>(&x, &index)
    }
});

fn rows<B: CpuBackend>(x: &FloatTensor<B>, index: &[usize]) -> FloatTensor<B> {
    let [_, width] = B::dims(x);
    B::tensor(cpu::gather(&B::values(x), width, index), &[index.len(), width], &x.device())
}

impl<B: GatherOp + CpuBackend, C: CheckpointStrategy> GatherOp for Autodiff<B, C> {
    fn gather(x: FloatTensor<Self>, index: Vec<usize>) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        let y = rows::<B>(&x, &index);
        match GatherBackward.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(State { dims: B::dims(&x), index }, y),
            OpsKind::UnTracked(prepared) => prepared.finish(y),
        }
    }
}

#[derive(Debug)]
struct GatherBackward;

#[derive(Clone, Debug)]
struct State {
    dims: [usize; 2],
    index: Vec<usize>,
}

impl<B: CpuBackend> Backward<B, 1> for GatherBackward {
    type State = State;

    fn backward(self, ops: Ops<State, 1>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let dy = gradients.consume::<B>(&ops.node);
        let State { dims: [rows, width], index } = ops.state;
        if let [Some(parent)] = ops.parents {
            let dx = cpu::gather_backward(rows * width, width, &index, &B::values(&dy));
            gradients.register::<B>(parent.id, B::tensor(dx, &[rows, width], &dy.device()));
        }
    }
}
