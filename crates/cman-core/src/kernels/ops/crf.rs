//! The CRF's loss as an operation on tensors, and its node in the graph of autodiff.

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
    crf::{self, Potentials},
    raw::RawF32,
};

/// The loss alone.
pub(crate) fn run<B: RawF32>(
    first: &FloatTensor<B>,
    pair: &FloatTensor<B>,
    end: &FloatTensor<B>,
    tags: &[Vec<u32>],
) -> FloatTensor<B> {
    evaluate::<B>(first, pair, end, tags).0
}

fn evaluate<B: RawF32>(
    first: &FloatTensor<B>,
    pair: &FloatTensor<B>,
    end: &FloatTensor<B>,
    tags: &[Vec<u32>],
) -> (FloatTensor<B>, crf::Gradients) {
    let [batch, steps, n_tags, _] = B::dims(pair);
    assert_eq!((B::dims(first), B::dims(end)), ([batch, n_tags], [n_tags]), "scores of the first and the last tag");
    assert_eq!(tags.len(), batch, "the tags of every sentence");
    let potentials = Potentials { first: &B::numbers(first), pair: &B::numbers(pair), end: &B::numbers(end), steps };
    let (loss, gradients) = crf::negative_log_likelihood(potentials, tags);
    (B::tensor(vec![loss], &[1], &pair.device()), gradients)
}

/// The loss; if any of the tensors is tracked, it is.
pub(crate) fn run_tracked<B: RawF32, C: CheckpointStrategy>(
    first: FloatTensor<Autodiff<B, C>>,
    pair: FloatTensor<Autodiff<B, C>>,
    end: FloatTensor<Autodiff<B, C>>,
    tags: &[Vec<u32>],
) -> FloatTensor<Autodiff<B, C>> {
    let ((first, node_first), (pair, node_pair)) = (first.into_parts(), pair.into_parts());
    let (end, node_end) = end.into_parts();
    let nodes = [node_first, node_pair, node_end];
    match NegativeLogLikelihoodBackward.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => {
            let (loss, gradients) = evaluate::<B>(&first, &pair, &end, tags);
            let tensors = [(gradients.first, first), (gradients.pair, pair), (gradients.end, end)];
            let tensors = tensors.map(|(gradient, like)| B::tensor(gradient, &like.shape().to_vec(), &like.device()));
            prepared.finish(tensors, loss)
        }
        OpsKind::UnTracked(prepared) => prepared.finish(run::<B>(&first, &pair, &end, tags)),
    }
}

#[derive(Debug)]
struct NegativeLogLikelihoodBackward;

impl<B: RawF32> Backward<B, 3> for NegativeLogLikelihoodBackward {
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
