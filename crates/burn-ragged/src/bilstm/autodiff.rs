//! The BiLSTM as an operation of burn's CPU backends, and its node in the autodiff graph.
#![allow(deprecated)] // by burn: NdArray, see `runtime::cpu_backend`

use std::sync::Arc;

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

use super::cpu::{LstmSizes, PackedWeights, Saved, Weights, backward, forward};
use crate::{
    ragged::{Layout, Ragged},
    runtime::{
        cpu_backend::{CpuBackend, impl_for_cpu_backends, register},
        weight_cache::WeightCache,
    },
};

/// See [`BiLstm::forward`](super::BiLstm::forward).
pub(super) fn bilstm(
    x: Ragged,
    w_ih: Tensor<3>,
    w_hh: Tensor<3>,
    bias: Tensor<2>,
    packed: &WeightCache<PackedWeights>,
) -> Ragged {
    let layout = x.layout().clone();
    x.map(|x| {
        let (x, w_ih, w_hh, bias) =
            (x.into_dispatch(), w_ih.into_dispatch(), w_hh.into_dispatch(), bias.into_dispatch());
        Tensor::from_dispatch(<Dispatch as BiLstmOp>::bilstm(x, w_ih, w_hh, bias, layout, packed.clone()))
    })
}

#[backend_extension(Flex: cfg(feature = "flex"), NdArray: cfg(feature = "ndarray"), Autodiff)]
pub(crate) trait BiLstmOp: Backend {
    fn bilstm(
        x: FloatTensor<Self>,
        w_ih: FloatTensor<Self>,
        w_hh: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        layout: Layout,
        packed: WeightCache<PackedWeights>,
    ) -> FloatTensor<Self>;
}

impl_for_cpu_backends!(BiLstmOp {
    fn bilstm(
        x: FloatTensor<Self>,
        w_ih: FloatTensor<Self>,
        w_hh: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        layout: Layout,
        packed: WeightCache<PackedWeights>,
    ) -> FloatTensor<Self> {
        encode::<Self>(&x, &w_ih, &w_hh, &bias, &layout, &packed, false).0
    }
});

/// `keep`: whether a backward pass follows.
fn encode<B: CpuBackend>(
    x: &FloatTensor<B>,
    w_ih: &FloatTensor<B>,
    w_hh: &FloatTensor<B>,
    bias: &FloatTensor<B>,
    layout: &Layout,
    packed: &WeightCache<PackedWeights>,
    keep: bool,
) -> (FloatTensor<B>, Saved) {
    let ([batch, steps, d_input], [_, d_hidden, d_gates]) = (B::dims(x), B::dims(w_hh));
    assert_eq!(B::dims(w_ih), [2, d_input, d_gates], "input weights for inputs and states of these widths");
    assert_eq!((B::dims(bias), d_gates), ([2, d_gates], 4 * d_hidden), "four gates");
    let sizes = LstmSizes { steps, d_input, d_hidden };
    let packed = packed.of::<B>(&[w_ih, w_hh]);
    let (w_ih, w_hh, bias) = (B::values(w_ih), B::values(w_hh), B::values(bias));
    let weights = Weights { w_ih: &w_ih, w_hh: &w_hh, bias: &bias };
    let (y, saved) = forward(&B::values(x), weights, sizes, layout.lengths(), packed, keep);
    (B::tensor(y, &[batch, steps, 2 * d_hidden], &x.device()), saved)
}

impl<B: BiLstmOp + CpuBackend, C: CheckpointStrategy> BiLstmOp for Autodiff<B, C> {
    fn bilstm(
        x: FloatTensor<Self>,
        w_ih: FloatTensor<Self>,
        w_hh: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        layout: Layout,
        packed: WeightCache<PackedWeights>,
    ) -> FloatTensor<Self> {
        let ((x, node_x), (w_ih, node_w_ih)) = (x.into_parts(), w_ih.into_parts());
        let ((w_hh, node_w_hh), (bias, node_bias)) = (w_hh.into_parts(), bias.into_parts());
        let nodes = [node_x, node_w_ih, node_w_hh, node_bias];
        match BiLstmBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let (y, saved) = encode::<B>(&x, &w_ih, &w_hh, &bias, &layout, &packed, true);
                prepared.finish(State { saved: Arc::new(saved), x, w_ih, w_hh, bias }, y)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(B::bilstm(x, w_ih, w_hh, bias, layout, packed)),
        }
    }
}

#[derive(Debug)]
struct BiLstmBackward;

/// The inputs, and what the forward pass saved.
#[derive(Clone, Debug)]
struct State<B: Backend> {
    saved: Arc<Saved>,
    x: FloatTensor<B>,
    w_ih: FloatTensor<B>,
    w_hh: FloatTensor<B>,
    bias: FloatTensor<B>,
}

impl<B: CpuBackend> Backward<B, 4> for BiLstmBackward {
    type State = State<B>;

    fn backward(self, ops: Ops<State<B>, 4>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let [node_x, node_w_ih, node_w_hh, node_bias] = ops.parents;
        let State { saved, x, w_ih, w_hh, bias } = ops.state;
        let dy = gradients.consume::<B>(&ops.node);
        let computed = {
            let (w_ih, w_hh, bias) = (B::values(&w_ih), B::values(&w_hh), B::values(&bias));
            let weights = Weights { w_ih: &w_ih, w_hh: &w_hh, bias: &bias };
            backward(&saved, &B::values(&x), weights, &B::values(&dy), node_x.is_some())
        };
        let results = [
            (node_x, x, computed.x),
            (node_w_ih, w_ih, Some(computed.w_ih)),
            (node_w_hh, w_hh, Some(computed.w_hh)),
            (node_bias, bias, Some(computed.bias)),
        ];
        for (node, like, gradient) in results {
            register::<B>(gradients, node.map(|node| node.id), &like, gradient);
        }
    }
}
