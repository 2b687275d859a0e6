//! Losses whose gradients are computed in the forward pass: an autodiff node that only scales them.

use burn::backend::{
    Autodiff, TensorMetadata,
    autodiff::{
        checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
        grads::Gradients,
        ops::{Backward, Ops, OpsKind},
    },
    tensor::FloatTensor,
};

use super::{buffer::Buffer, cpu_backend::CpuBackend};

/// A loss of three tensors, `[1]`, tracked if any of them is. `evaluate` returns the loss and, if its second argument
/// is true, the gradient of each tensor.
pub(crate) fn loss<B: CpuBackend, C: CheckpointStrategy>(
    inputs: [FloatTensor<Autodiff<B, C>>; 3],
    evaluate: impl FnOnce([&FloatTensor<B>; 3], bool) -> (f32, Option<[Buffer; 3]>),
) -> FloatTensor<Autodiff<B, C>> {
    let [(a, node_a), (b, node_b), (c, node_c)] = inputs.map(|input| input.into_parts());
    match PrecomputedGradients.prepare::<C>([node_a, node_b, node_c]).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => {
            let (loss, gradients) = evaluate([&a, &b, &c], true);
            let loss = scalar::<B>(loss, &a);
            let [of_a, of_b, of_c] = gradients.expect("requested gradients");
            let tensors = [(of_a, a), (of_b, b), (of_c, c)];
            let tensors = tensors.map(|(gradient, like)| B::tensor(gradient, &like.shape().to_vec(), &like.device()));
            prepared.finish(tensors, loss)
        }
        OpsKind::UnTracked(prepared) => prepared.finish(scalar::<B>(evaluate([&a, &b, &c], false).0, &a)),
    }
}

/// A loss as a tensor on the device of `like`.
pub(crate) fn scalar<B: CpuBackend>(loss: f32, like: &FloatTensor<B>) -> FloatTensor<B> {
    let mut value = Buffer::new(1);
    value[0] = loss;
    B::tensor(value, &[1], &like.device())
}

#[derive(Debug)]
struct PrecomputedGradients;

impl<B: CpuBackend> Backward<B, 3> for PrecomputedGradients {
    type State = [FloatTensor<B>; 3];

    fn backward(self, ops: Ops<Self::State, 3>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let factor = B::values(&gradients.consume::<B>(&ops.node))[0];
        for (node, gradient) in ops.parents.into_iter().zip(ops.state) {
            if let Some(node) = node {
                gradients.register::<B>(node.id, B::float_mul_scalar(gradient, factor.into()));
            }
        }
    }
}
