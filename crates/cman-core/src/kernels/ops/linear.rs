//! The linear layer as an operation on tensors, and its node in the graph of autodiff.

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
    linear::{Packs, Sizes, backward, forward},
    memo::Memo,
    raw::RawF32,
};

/// The output alone.
pub(crate) fn run<B: RawF32>(
    x: &FloatTensor<B>,
    weight: &FloatTensor<B>,
    bias: &FloatTensor<B>,
    lengths: &[usize],
    packs: &Memo<Packs>,
) -> FloatTensor<B> {
    multiply::<B>([x, weight, bias], lengths, packs).0
}

fn multiply<B: RawF32>(
    [x, weight, bias]: [&FloatTensor<B>; 3],
    lengths: &[usize],
    packs: &Memo<Packs>,
) -> (FloatTensor<B>, Layer) {
    let ([batch, steps, d_input], [d_weight, d_output]) = (B::dims(x), B::dims(weight));
    assert_eq!((d_weight, B::dims(bias)), (d_input, [d_output]), "weights and biases for inputs of this width");
    assert_eq!(lengths.len(), batch, "one length a sentence");
    let layer =
        Layer { sizes: Sizes { steps, d_input, d_output, lengths: lengths.to_vec() }, packs: packs.of::<B>(&[weight]) };
    let y = forward(&B::numbers(x), &B::numbers(weight), &B::numbers(bias), &layer.sizes, &layer.packs);
    (B::tensor(y, &[batch, steps, d_output], &x.device()), layer)
}

/// The output; if any of the tensors is tracked, it is.
pub(crate) fn run_tracked<B: RawF32, C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<B, C>>,
    weight: FloatTensor<Autodiff<B, C>>,
    bias: FloatTensor<Autodiff<B, C>>,
    lengths: &[usize],
    packs: &Memo<Packs>,
) -> FloatTensor<Autodiff<B, C>> {
    let ((x, node_x), (weight, node_weight), (bias, node_bias)) =
        (x.into_parts(), weight.into_parts(), bias.into_parts());
    let (y, layer) = multiply::<B>([&x, &weight, &bias], lengths, packs);
    match LinearBackward.prepare::<C>([node_x, node_weight, node_bias]).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish(State { layer: Arc::new(layer), x, weight, bias }, y),
        OpsKind::UnTracked(prepared) => prepared.finish(y),
    }
}

#[derive(Debug)]
struct LinearBackward;

#[derive(Debug)]
struct Layer {
    sizes: Sizes,
    packs: Arc<Packs>,
}

#[derive(Clone, Debug)]
struct State<B: Backend> {
    layer: Arc<Layer>,
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
}

impl<B: RawF32> Backward<B, 3> for LinearBackward {
    type State = State<B>;

    fn backward(self, ops: Ops<State<B>, 3>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let [node_x, node_weight, node_bias] = ops.parents;
        let State { layer, x, weight, bias } = ops.state;
        let dy = gradients.consume::<B>(&ops.node);
        let found = {
            let numbers = [&x, &weight, &dy].map(B::numbers);
            backward(numbers.each_ref().map(|numbers| &**numbers), &layer.sizes, &layer.packs, node_x.is_some())
        };
        let results = [(node_x, x, found.x), (node_weight, weight, Some(found.w)), (node_bias, bias, Some(found.bias))];
        for (node, like, gradient) in results {
            register::<B>(gradients, node.map(|node| node.id), &like, gradient);
        }
    }
}
