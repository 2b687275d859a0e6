//! The BiLSTM as an operation on tensors, and its node in the graph of autodiff.

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
    bilstm::{Packs, Sizes, Trace, Weights, backward, forward},
    memo::Memo,
    raw::RawF32,
};

/// Encodes without keeping anything for a backward pass.
pub(crate) fn run<B: RawF32>(
    x: &FloatTensor<B>,
    w_ih: &FloatTensor<B>,
    w_hh: &FloatTensor<B>,
    bias: &FloatTensor<B>,
    lengths: &[usize],
    packs: &Memo<Packs>,
) -> FloatTensor<B> {
    encode::<B>(x, w_ih, w_hh, bias, lengths, packs, false).0
}

fn encode<B: RawF32>(
    x: &FloatTensor<B>,
    w_ih: &FloatTensor<B>,
    w_hh: &FloatTensor<B>,
    bias: &FloatTensor<B>,
    lengths: &[usize],
    packs: &Memo<Packs>,
    keep: bool,
) -> (FloatTensor<B>, Trace) {
    let ([batch, steps, d_input], [_, d_hidden, d_gates]) = (B::dims(x), B::dims(w_hh));
    assert_eq!(B::dims(w_ih), [2, d_input, d_gates], "input weights for inputs and states of these widths");
    assert_eq!((B::dims(bias), d_gates), ([2, d_gates], 4 * d_hidden), "four gates");
    let sizes = Sizes { steps, d_input, d_hidden };
    let packs = packs.of::<B>(&[w_ih, w_hh]);
    let (w_ih, w_hh, bias) = (B::numbers(w_ih), B::numbers(w_hh), B::numbers(bias));
    let weights = Weights { w_ih: &w_ih, w_hh: &w_hh, bias: &bias };
    let (y, trace) = forward(&B::numbers(x), weights, sizes, lengths, packs, keep);
    (B::tensor(y, &[batch, steps, 2 * d_hidden], &x.device()), trace)
}

/// Encodes; if any of the tensors is tracked, the output is.
pub(crate) fn run_tracked<B: RawF32, C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<B, C>>,
    w_ih: FloatTensor<Autodiff<B, C>>,
    w_hh: FloatTensor<Autodiff<B, C>>,
    bias: FloatTensor<Autodiff<B, C>>,
    lengths: &[usize],
    packs: &Memo<Packs>,
) -> FloatTensor<Autodiff<B, C>> {
    let ((x, node_x), (w_ih, node_w_ih)) = (x.into_parts(), w_ih.into_parts());
    let ((w_hh, node_w_hh), (bias, node_bias)) = (w_hh.into_parts(), bias.into_parts());
    let nodes = [node_x, node_w_ih, node_w_hh, node_bias];
    match BiLstmBackward.prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => {
            let (y, trace) = encode::<B>(&x, &w_ih, &w_hh, &bias, lengths, packs, true);
            prepared.finish(State { trace: Arc::new(trace), x, w_ih, w_hh, bias }, y)
        }
        OpsKind::UnTracked(prepared) => prepared.finish(run::<B>(&x, &w_ih, &w_hh, &bias, lengths, packs)),
    }
}

#[derive(Debug)]
struct BiLstmBackward;

/// What the backward pass needs: the inputs, and what the forward pass kept.
#[derive(Clone, Debug)]
struct State<B: Backend> {
    trace: Arc<Trace>,
    x: FloatTensor<B>,
    w_ih: FloatTensor<B>,
    w_hh: FloatTensor<B>,
    bias: FloatTensor<B>,
}

impl<B: RawF32> Backward<B, 4> for BiLstmBackward {
    type State = State<B>;

    fn backward(self, ops: Ops<State<B>, 4>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let [node_x, node_w_ih, node_w_hh, node_bias] = ops.parents;
        let State { trace, x, w_ih, w_hh, bias } = ops.state;
        let dy = gradients.consume::<B>(&ops.node);
        let found = {
            let (w_ih, w_hh, bias) = (B::numbers(&w_ih), B::numbers(&w_hh), B::numbers(&bias));
            let weights = Weights { w_ih: &w_ih, w_hh: &w_hh, bias: &bias };
            backward(&trace, &B::numbers(&x), weights, &B::numbers(&dy), node_x.is_some())
        };
        let results = [
            (node_x, x, found.x),
            (node_w_ih, w_ih, Some(found.w_ih)),
            (node_w_hh, w_hh, Some(found.w_hh)),
            (node_bias, bias, Some(found.bias)),
        ];
        for (node, like, gradient) in results {
            register::<B>(gradients, node.map(|node| node.id), &like, gradient);
        }
    }
}
