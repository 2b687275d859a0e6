//! The relation loss as an operation on tensors, and its node in the graph of autodiff.

use burn::backend::{
    Autodiff, TensorMetadata,
    autodiff::{
        checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
        grads::Gradients,
        ops::{Backward, Ops, OpsKind},
    },
    tensor::FloatTensor,
};

use crate::{
    kernels::{
        raw::RawF32,
        relation::{self, Sizes},
    },
    relation::Positive,
};

/// The loss alone.
pub(crate) fn run<B: RawF32>(
    head: &FloatTensor<B>,
    tail: &FloatTensor<B>,
    v: &FloatTensor<B>,
    positives: &[Positive],
    lengths: &[usize],
) -> FloatTensor<B> {
    evaluate::<B>(head, tail, v, positives, lengths, false).0
}

fn evaluate<B: RawF32>(
    head: &FloatTensor<B>,
    tail: &FloatTensor<B>,
    v: &FloatTensor<B>,
    positives: &[Positive],
    lengths: &[usize],
    with_gradients: bool,
) -> (FloatTensor<B>, Option<relation::Gradients>) {
    let ([_, steps, width], [relations, hidden]) = (B::dims(head), B::dims(v));
    let sizes = Sizes { steps, width, relations, hidden };
    let numbers = (B::numbers(head), B::numbers(tail), B::numbers(v));
    let numbers = [&*numbers.0, &*numbers.1, &*numbers.2];
    let (loss, gradients) = relation::pair_loss(numbers, sizes, lengths, positives, with_gradients);
    (B::tensor(vec![loss], &[1], &head.device()), gradients)
}

/// The loss; if any of the tensors is tracked, it is.
pub(crate) fn run_tracked<B: RawF32, C: CheckpointStrategy>(
    head: FloatTensor<Autodiff<B, C>>,
    tail: FloatTensor<Autodiff<B, C>>,
    v: FloatTensor<Autodiff<B, C>>,
    positives: &[Positive],
    lengths: &[usize],
) -> FloatTensor<Autodiff<B, C>> {
    let ((head, node_head), (tail, node_tail), (v, node_v)) = (head.into_parts(), tail.into_parts(), v.into_parts());
    match PairLossBackward.prepare::<C>([node_head, node_tail, node_v]).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => {
            let (loss, gradients) = evaluate::<B>(&head, &tail, &v, positives, lengths, true);
            let gradients = gradients.expect("they are wanted");
            let tensors = [(gradients.head, head), (gradients.tail, tail), (gradients.v, v)];
            let tensors = tensors.map(|(gradient, like)| B::tensor(gradient, &like.shape().to_vec(), &like.device()));
            prepared.finish(tensors, loss)
        }
        OpsKind::UnTracked(prepared) => prepared.finish(run::<B>(&head, &tail, &v, positives, lengths)),
    }
}

#[derive(Debug)]
struct PairLossBackward;

impl<B: RawF32> Backward<B, 3> for PairLossBackward {
    /// The gradients, known since the forward pass.
    type State = [FloatTensor<B>; 3];

    fn backward(self, ops: Ops<Self::State, 3>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let factor = B::numbers(&gradients.consume::<B>(&ops.node))[0];
        for (node, gradient) in ops.parents.into_iter().zip(ops.state) {
            if let Some(node) = node {
                gradients.register::<B>(node.id, B::float_mul_scalar(gradient, factor.into()));
            }
        }
    }
}
