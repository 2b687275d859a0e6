//! GELU as an operation on tensors, and its node in the graph of autodiff.

use burn::backend::{
    Autodiff, TensorMetadata,
    autodiff::{
        checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
        grads::Gradients,
        ops::{Backward, Ops, OpsKind},
    },
    tensor::FloatTensor,
};

use super::register;
use crate::kernels::{
    gelu::{gelu, gelu_backward},
    raw::RawF32,
};

/// The values alone.
pub(crate) fn run<B: RawF32>(x: &FloatTensor<B>) -> FloatTensor<B> {
    B::tensor(gelu(&B::numbers(x)), &x.shape().to_vec(), &x.device())
}

/// The values; if x is tracked, they are.
pub(crate) fn run_tracked<B: RawF32, C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<B, C>>,
) -> FloatTensor<Autodiff<B, C>> {
    let (x, node) = x.into_parts();
    match GeluBackward.prepare::<C>([node]).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => {
            let y = run::<B>(&x);
            prepared.finish(x, y)
        }
        OpsKind::UnTracked(prepared) => prepared.finish(run::<B>(&x)),
    }
}

#[derive(Debug)]
struct GeluBackward;

impl<B: RawF32> Backward<B, 1> for GeluBackward {
    /// The argument.
    type State = FloatTensor<B>;

    fn backward(self, ops: Ops<Self::State, 1>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let gradient = gradients.consume::<B>(&ops.node);
        let ([parent], x) = (ops.parents, ops.state);
        let d_x = parent.is_some().then(|| gelu_backward(&B::numbers(&x), &B::numbers(&gradient)));
        register::<B>(gradients, parent.map(|node| node.id), &x, d_x);
    }
}
