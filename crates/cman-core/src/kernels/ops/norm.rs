//! The normalisation behind a residual connection as an operation on tensors, and its node in the graph of autodiff.

use std::sync::Arc;

use burn::backend::{
    Autodiff, Backend, TensorMetadata,
    autodiff::{
        checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
        grads::Gradients,
        ops::{Backward, Ops, OpsKind},
    },
    tensor::FloatTensor,
};

use super::register;
use crate::kernels::{
    norm::{Trace, backward, forward},
    raw::RawF32,
};

/// The output alone.
pub(crate) fn run<B: RawF32>(inputs: [&FloatTensor<B>; 4], epsilon: f64) -> FloatTensor<B> {
    normalise::<B>(inputs, epsilon).0
}

fn normalise<B: RawF32>([x, y, gamma, beta]: [&FloatTensor<B>; 4], epsilon: f64) -> (FloatTensor<B>, Trace) {
    let dims @ [_, _, d_model] = B::dims(x);
    assert_eq!((B::dims(y), B::dims(gamma), B::dims(beta)), (dims, [d_model], [d_model]), "vectors of one width");
    let (output, trace) =
        forward(&B::numbers(x), &B::numbers(y), [&B::numbers(gamma), &B::numbers(beta)], epsilon as f32);
    (B::tensor(output, &dims, &x.device()), trace)
}

/// The output; if any of the tensors is tracked, it is.
pub(crate) fn run_tracked<B: RawF32, C: CheckpointStrategy>(
    inputs: [FloatTensor<Autodiff<B, C>>; 4],
    epsilon: f64,
) -> FloatTensor<Autodiff<B, C>> {
    let [(x, node_x), (y, node_y), (gamma, node_gamma), (beta, node_beta)] = inputs.map(|input| input.into_parts());
    let (output, trace) = normalise::<B>([&x, &y, &gamma, &beta], epsilon);
    match NormBackward.prepare::<C>([node_x, node_y, node_gamma, node_beta]).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish(State { trace: Arc::new(trace), gamma }, output),
        OpsKind::UnTracked(prepared) => prepared.finish(output),
    }
}

#[derive(Debug)]
struct NormBackward;

#[derive(Clone, Debug)]
struct State<B: Backend> {
    trace: Arc<Trace>,
    gamma: FloatTensor<B>,
}

impl<B: RawF32> Backward<B, 4> for NormBackward {
    type State = State<B>;

    fn backward(self, ops: Ops<State<B>, 4>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let [node_x, node_y, node_gamma, node_beta] = ops.parents.map(|node| node.map(|node| node.id));
        let State { trace, gamma } = ops.state;
        let dy = gradients.consume::<B>(&ops.node);
        let [dx, d_gamma, d_beta] = backward(&trace, &B::numbers(&gamma), &B::numbers(&dy));
        // Both summands have the gradient of the sum.
        let dx = B::tensor(dx, &dy.shape().to_vec(), &dy.device());
        for node in [node_x, node_y].into_iter().flatten() {
            gradients.register::<B>(node, dx.clone());
        }
        register::<B>(gradients, node_gamma, &gamma, Some(d_gamma));
        register::<B>(gradients, node_beta, &gamma, Some(d_beta));
    }
}
