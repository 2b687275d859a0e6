//! The choice of rows as an operation on tensors, and its node in the graph of autodiff.

use burn::backend::{
    Autodiff, TensorMetadata,
    autodiff::{
        checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
        grads::Gradients,
        ops::{Backward, Ops, OpsKind},
    },
    tensor::FloatTensor,
};

use crate::kernels::{
    gather::{gather, gather_backward},
    raw::RawF32,
};

/// The rows alone.
pub(crate) fn run<B: RawF32>(x: &FloatTensor<B>, index: &[usize]) -> FloatTensor<B> {
    let [_, width] = B::dims(x);
    B::tensor(gather(&B::numbers(x), width, index), &[index.len(), width], &x.device())
}

/// The rows; if x is tracked, they are.
pub(crate) fn run_tracked<B: RawF32, C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<B, C>>,
    index: Vec<usize>,
) -> FloatTensor<Autodiff<B, C>> {
    let (x, node) = x.into_parts();
    let y = run::<B>(&x, &index);
    match GatherBackward.prepare::<C>([node]).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish(State { dims: B::dims(&x), index }, y),
        OpsKind::UnTracked(prepared) => prepared.finish(y),
    }
}

#[derive(Debug)]
struct GatherBackward;

#[derive(Clone, Debug)]
struct State {
    dims: [usize; 2],
    index: Vec<usize>,
}

impl<B: RawF32> Backward<B, 1> for GatherBackward {
    type State = State;

    fn backward(self, ops: Ops<State, 1>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let dy = gradients.consume::<B>(&ops.node);
        let State { dims: [rows, width], index } = ops.state;
        if let [Some(parent)] = ops.parents {
            let dx = gather_backward(rows * width, width, &index, &B::numbers(&dy));
            gradients.register::<B>(parent.id, B::tensor(dx, &[rows, width], &dy.device()));
        }
    }
}
