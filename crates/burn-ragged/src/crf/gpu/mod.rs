//! The GPU kernel of the loss. Its forward pass also computes the gradients.

mod pass;

use burn::{
    backend::{
        Autodiff, Backend, Dispatch, TensorMetadata,
        autodiff::{
            checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
            grads::Gradients,
            ops::{Backward, Ops, OpsKind},
        },
        backend_extension,
        fusion::custom::TensorSpec,
        ops::FloatTensorOps,
        tensor::{FloatTensor, IntTensor},
    },
    tensor::{Shape, Tensor},
};
use burn_cubecl::{
    CubeBackend,
    cubecl::prelude::{CubeCount, CubeDim},
    kernel::into_contiguous,
};

use super::Potentials;
use crate::runtime::gpu::{empty, integers, lengths_on};

/// See [`negative_log_likelihood`](crate::crf::negative_log_likelihood).
pub(super) fn negative_log_likelihood(potentials: &Potentials, tags: &[Vec<u32>]) -> Tensor<1> {
    let Potentials { first, pair, end, layout } = potentials;
    let (batch, steps, device) = (layout.batch_size(), layout.steps(), pair.device());
    let mut gold = vec![0i32; batch * steps];
    for (row, tags) in gold.chunks_mut(steps).zip(tags) {
        row.iter_mut().zip(tags).for_each(|(to, &tag)| *to = tag as i32);
    }
    let gold = integers(gold, [batch, steps], &device);
    let lengths = lengths_on(layout, &device);
    Tensor::from_dispatch(<Dispatch as CrfLoss>::crf_loss(
        first.clone().into_dispatch(),
        pair.clone().into_dispatch(),
        end.clone().into_dispatch(),
        gold.into_dispatch(),
        lengths.into_dispatch(),
    ))
}

/// The loss summed over the sequences, `[1]`. `gold` holds the tags `[batch, steps]`.
#[backend_extension(Cube, Fusion, Autodiff)]
pub(crate) trait CrfLoss: Backend {
    #[fusion(dtype = pair, shape = Shape::new([1]))]
    fn crf_loss(
        first: FloatTensor<Self>,
        pair: FloatTensor<Self>,
        end: FloatTensor<Self>,
        gold: IntTensor<Self>,
        lengths: IntTensor<Self>,
    ) -> FloatTensor<Self>;
}

/// The pass of [`CrfLoss`].
#[backend_extension(Cube, Fusion)]
pub(crate) trait CrfPass: Backend {
    /// The loss of each sequence, and the gradients of first, pair and end. The last is per sequence.
    #[fusion(meta = specs)]
    fn crf_pass(
        first: FloatTensor<Self>,
        pair: FloatTensor<Self>,
        end: FloatTensor<Self>,
        gold: IntTensor<Self>,
        lengths: IntTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

fn specs(
    first: &TensorSpec,
    pair: &TensorSpec,
    _: &TensorSpec,
    _: &TensorSpec,
    _: &TensorSpec,
) -> (TensorSpec, TensorSpec, TensorSpec, TensorSpec) {
    (TensorSpec::new(Shape::new([pair.shape[0]]), pair.dtype), first.clone(), pair.clone(), first.clone())
}

impl CrfLoss for CubeBackend {
    fn crf_loss(
        first: FloatTensor<Self>,
        pair: FloatTensor<Self>,
        end: FloatTensor<Self>,
        gold: IntTensor<Self>,
        lengths: IntTensor<Self>,
    ) -> FloatTensor<Self> {
        Self::float_sum_dim(Self::crf_pass(first, pair, end, gold, lengths).0, 0)
    }
}

impl CrfPass for CubeBackend {
    fn crf_pass(
        first: FloatTensor<Self>,
        pair: FloatTensor<Self>,
        end: FloatTensor<Self>,
        gold: IntTensor<Self>,
        lengths: IntTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let [batch, steps, n_tags] = [pair.shape()[0], pair.shape()[1], pair.shape()[2]];
        let scores = empty(Shape::new([batch, steps, n_tags]), &pair);
        let loss = empty(Shape::new([batch]), &pair);
        let [d_first, d_end] = [&first, &first].map(|like| empty(like.shape(), like));
        let d_pair = empty(pair.shape(), &pair);
        pass::forward_backward::launch(
            &pair.client.clone(),
            CubeCount::Static(batch as u32, 1, 1),
            CubeDim::new_1d(n_tags as u32),
            into_contiguous(first).into_buffer_arg(),
            into_contiguous(pair).into_buffer_arg(),
            into_contiguous(end).into_buffer_arg(),
            into_contiguous(gold).into_buffer_arg(),
            into_contiguous(lengths).into_buffer_arg(),
            scores.into_buffer_arg(),
            loss.clone().into_buffer_arg(),
            d_first.clone().into_buffer_arg(),
            d_pair.clone().into_buffer_arg(),
            d_end.clone().into_buffer_arg(),
            steps,
            n_tags,
        );
        (loss, d_first, d_pair, d_end)
    }
}

impl<B: CrfLoss + CrfPass, C: CheckpointStrategy> CrfLoss for Autodiff<B, C> {
    fn crf_loss(
        first: FloatTensor<Self>,
        pair: FloatTensor<Self>,
        end: FloatTensor<Self>,
        gold: IntTensor<Self>,
        lengths: IntTensor<Self>,
    ) -> FloatTensor<Self> {
        let [(first, node_first), (pair, node_pair), (end, node_end)] = [first, pair, end].map(|x| x.into_parts());
        match PrecomputedGradients.prepare::<C>([node_first, node_pair, node_end]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let (loss, d_first, d_pair, d_end) = B::crf_pass(first, pair, end, gold, lengths);
                let d_end = B::float_sum_dim(d_end, 0);
                prepared.finish([d_first, d_pair, d_end], B::float_sum_dim(loss, 0))
            }
            OpsKind::UnTracked(prepared) => prepared.finish(B::crf_loss(first, pair, end, gold, lengths)),
        }
    }
}

#[derive(Debug)]
struct PrecomputedGradients;

impl<B: Backend> Backward<B, 3> for PrecomputedGradients {
    type State = [FloatTensor<B>; 3];

    fn backward(self, ops: Ops<Self::State, 3>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let factor = gradients.consume::<B>(&ops.node);
        let [node_first, node_pair, node_end] = ops.parents;
        let [first, pair, end] = ops.state;
        let n_tags = end.shape()[1];
        let scale = |gradient: FloatTensor<B>| {
            let factor = B::float_reshape(factor.clone(), Shape::from(vec![1; gradient.rank()]));
            B::float_mul(gradient, factor)
        };
        let results = [
            (node_first, scale(first)),
            (node_pair, scale(pair)),
            (node_end, B::float_reshape(scale(end), Shape::new([n_tags]))),
        ];
        for (node, gradient) in results {
            if let Some(node) = node {
                gradients.register::<B>(node.id, gradient);
            }
        }
    }
}
