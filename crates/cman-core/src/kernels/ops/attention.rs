//! Attention as an operation on tensors, and its node in the graph of autodiff.

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
use crate::{
    kernels::{
        attention::{Ragged, Sizes, Trace, backward, forward},
        raw::RawF32,
    },
    mode::Masks,
};

/// Attends without keeping anything for a backward pass.
pub(crate) fn run<B: RawF32>(
    inputs: [&FloatTensor<B>; 3],
    heads: usize,
    lengths: [&[usize]; 2],
    dropout: Option<&Masks>,
) -> FloatTensor<B> {
    attend::<B>(inputs, heads, lengths, dropout, false).0
}

fn attend<B: RawF32>(
    [q, k, v]: [&FloatTensor<B>; 3],
    heads: usize,
    lengths: [&[usize]; 2],
    dropout: Option<&Masks>,
    keep: bool,
) -> (FloatTensor<B>, Kept) {
    let ([batch, steps, d_model], of_keys) = (B::dims(q), B::dims::<3>(k));
    assert_eq!((of_keys[0], of_keys[2], B::dims(v)), (batch, d_model, of_keys), "keys and values of one batch");
    assert_eq!(lengths.map(<[usize]>::len), [batch; 2], "lengths of one batch");
    let [queries, keys] = [(steps, lengths[0]), (of_keys[1], lengths[1])]
        .map(|(steps, lengths)| Ragged { steps, lengths: lengths.to_vec() });
    let sizes = Sizes { d_model, heads, queries, keys };
    let (output, traces) = forward([&B::numbers(q), &B::numbers(k), &B::numbers(v)], &sizes, dropout, keep);
    (B::tensor(output, &[batch, steps, d_model], &q.device()), Kept { sizes, traces })
}

/// Attends; if any of the tensors is tracked, the output is.
pub(crate) fn run_tracked<B: RawF32, C: CheckpointStrategy>(
    inputs: [FloatTensor<Autodiff<B, C>>; 3],
    heads: usize,
    lengths: [&[usize]; 2],
    dropout: Option<&Masks>,
) -> FloatTensor<Autodiff<B, C>> {
    let [(q, node_q), (k, node_k), (v, node_v)] = inputs.map(|input| input.into_parts());
    match AttentionBackward.prepare::<C>([node_q, node_k, node_v]).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => {
            let (output, kept) = attend::<B>([&q, &k, &v], heads, lengths, dropout, true);
            prepared.finish(State { kept: Arc::new(kept), inputs: [q, k, v] }, output)
        }
        OpsKind::UnTracked(prepared) => prepared.finish(run::<B>([&q, &k, &v], heads, lengths, dropout)),
    }
}

#[derive(Debug)]
struct AttentionBackward;

/// What the forward pass kept.
#[derive(Debug)]
struct Kept {
    sizes: Sizes,
    traces: Vec<Trace>,
}

#[derive(Clone, Debug)]
struct State<B: Backend> {
    kept: Arc<Kept>,
    inputs: [FloatTensor<B>; 3],
}

impl<B: RawF32> Backward<B, 3> for AttentionBackward {
    type State = State<B>;

    fn backward(self, ops: Ops<State<B>, 3>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let State { kept, inputs } = ops.state;
        let dy = gradients.consume::<B>(&ops.node);
        let found = {
            let [q, k, v] = inputs.each_ref().map(B::numbers);
            backward([&q, &k, &v], &kept.traces, &B::numbers(&dy), &kept.sizes)
        };
        for ((node, like), gradient) in ops.parents.into_iter().zip(inputs).zip(found) {
            register::<B>(gradients, node.map(|node| node.id), &like, Some(gradient));
        }
    }
}
