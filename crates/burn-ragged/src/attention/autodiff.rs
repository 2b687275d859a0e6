//! Attention as an operation of burn's CPU backends, and its node in the autodiff graph.
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

use super::{
    AttentionInput,
    cpu::{AttentionSizes, Saved, backward, forward},
};
use crate::{
    dropout::DropoutMasks,
    ragged::{Layout, Ragged},
    runtime::cpu_backend::{CpuBackend, impl_for_cpu_backends, register},
};

/// See [`attention`](super::attention).
pub(super) fn attention(input: AttentionInput, heads: usize, dropout: Option<&DropoutMasks>) -> Ragged {
    let AttentionInput { query, key, value } = input;
    let (queries, keys) = (query.layout().clone(), key.layout().clone());
    let [q, k, v] = [query, key, value].map(|x| x.into_values().into_dispatch());
    let y = <Dispatch as AttentionOp>::attend_ragged(q, k, v, heads, queries.clone(), keys, dropout.cloned());
    Ragged::new(Tensor::from_dispatch(y), queries)
}

#[backend_extension(Flex: cfg(feature = "flex"), NdArray: cfg(feature = "ndarray"), Autodiff)]
pub(crate) trait AttentionOp: Backend {
    fn attend_ragged(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        heads: usize,
        queries: Layout,
        keys: Layout,
        dropout: Option<DropoutMasks>,
    ) -> FloatTensor<Self>;
}

impl_for_cpu_backends!(AttentionOp {
    fn attend_ragged(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        heads: usize,
        queries: Layout,
        keys: Layout,
        dropout: Option<DropoutMasks>,
    ) -> FloatTensor<Self> {
        let sizes = AttentionSizes { d_model: Self::dims::<3>(&q)[2], heads, queries, keys };
        attend::<Self>([&q, &k, &v], sizes, dropout.as_ref(), false).0
    }
});

/// `keep`: whether a backward pass follows.
fn attend<B: CpuBackend>(
    [q, k, v]: [&FloatTensor<B>; 3],
    sizes: AttentionSizes,
    dropout: Option<&DropoutMasks>,
    keep: bool,
) -> (FloatTensor<B>, Kept) {
    let dims: [usize; 3] = B::dims(q);
    let (output, saved) = forward([&B::values(q), &B::values(k), &B::values(v)], &sizes, dropout, keep);
    (B::tensor(output, &dims, &q.device()), Kept { sizes, saved })
}

impl<B: AttentionOp + CpuBackend, C: CheckpointStrategy> AttentionOp for Autodiff<B, C> {
    fn attend_ragged(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        heads: usize,
        queries: Layout,
        keys: Layout,
        dropout: Option<DropoutMasks>,
    ) -> FloatTensor<Self> {
        let [(q, node_q), (k, node_k), (v, node_v)] = [q, k, v].map(|input| input.into_parts());
        match AttentionBackward.prepare::<C>([node_q, node_k, node_v]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let sizes = AttentionSizes { d_model: B::dims::<3>(&q)[2], heads, queries, keys };
                let (output, kept) = attend::<B>([&q, &k, &v], sizes, dropout.as_ref(), true);
                prepared.finish(State { kept: Arc::new(kept), inputs: [q, k, v] }, output)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(B::attend_ragged(q, k, v, heads, queries, keys, dropout)),
        }
    }
}

#[derive(Debug)]
struct AttentionBackward;

/// What the forward pass keeps for the backward pass.
#[derive(Debug)]
struct Kept {
    sizes: AttentionSizes,
    saved: Vec<Saved>,
}

#[derive(Clone, Debug)]
struct State<B: Backend> {
    kept: Arc<Kept>,
    inputs: [FloatTensor<B>; 3],
}

impl<B: CpuBackend> Backward<B, 3> for AttentionBackward {
    type State = State<B>;

    fn backward(self, ops: Ops<State<B>, 3>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let State { kept, inputs } = ops.state;
        let dy = gradients.consume::<B>(&ops.node);
        let computed = {
            let [q, k, v] = inputs.each_ref().map(B::values);
            backward([&q, &k, &v], &kept.saved, &B::values(&dy), &kept.sizes)
        };
        for ((node, like), gradient) in ops.parents.into_iter().zip(inputs).zip(computed) {
            register::<B>(gradients, node.map(|node| node.id), &like, Some(gradient));
        }
    }
}
