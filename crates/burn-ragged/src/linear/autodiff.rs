//! The linear layer as an operation of burn's CPU backends, and its node in the autodiff graph.
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

use super::cpu::{PackedWeights, Sizes, backward, forward};
use crate::{
    ragged::{Layout, Ragged},
    runtime::{
        cpu_backend::{CpuBackend, impl_for_cpu_backends, register},
        weight_cache::WeightCache,
    },
};

/// See [`Linear::forward`](super::Linear::forward).
pub(super) fn linear(x: Ragged, weight: Tensor<2>, bias: Tensor<1>, packed: &WeightCache<PackedWeights>) -> Ragged {
    let layout = x.layout().clone();
    x.map(|x| {
        let [x, weight, bias] = [x.into_dispatch(), weight.into_dispatch(), bias.into_dispatch()];
        Tensor::from_dispatch(<Dispatch as LinearOp>::linear(x, weight, bias, layout, packed.clone()))
    })
}

#[backend_extension(Flex: cfg(feature = "flex"), NdArray: cfg(feature = "ndarray"), Autodiff)]
pub(crate) trait LinearOp: Backend {
    fn linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        layout: Layout,
        packed: WeightCache<PackedWeights>,
    ) -> FloatTensor<Self>;
}

impl_for_cpu_backends!(LinearOp {
    fn linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        layout: Layout,
        packed: WeightCache<PackedWeights>,
    ) -> FloatTensor<Self> {
        multiply::<Self>([&x, &weight, &bias], layout, &packed).0
    }
});

fn multiply<B: CpuBackend>(
    [x, weight, bias]: [&FloatTensor<B>; 3],
    layout: Layout,
    packed: &WeightCache<PackedWeights>,
) -> (FloatTensor<B>, Layer) {
    let ([batch, steps, d_input], [d_weight, d_output]) = (B::dims(x), B::dims(weight));
    assert_eq!((d_weight, B::dims(bias)), (d_input, [d_output]), "weights and biases for inputs of this width");
    let layer = Layer { sizes: Sizes { layout, d_input, d_output }, packed: packed.of::<B>(&[weight]) };
    let y = forward(&B::values(x), &B::values(weight), &B::values(bias), &layer.sizes, &layer.packed);
    (B::tensor(y, &[batch, steps, d_output], &x.device()), layer)
}

impl<B: LinearOp + CpuBackend, C: CheckpointStrategy> LinearOp for Autodiff<B, C> {
    fn linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        layout: Layout,
        packed: WeightCache<PackedWeights>,
    ) -> FloatTensor<Self> {
        let ((x, node_x), (weight, node_weight), (bias, node_bias)) =
            (x.into_parts(), weight.into_parts(), bias.into_parts());
        let (y, layer) = multiply::<B>([&x, &weight, &bias], layout, &packed);
        match LinearBackward.prepare::<C>([node_x, node_weight, node_bias]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(State { layer: Arc::new(layer), x, weight, bias }, y),
            OpsKind::UnTracked(prepared) => prepared.finish(y),
        }
    }
}

#[derive(Debug)]
struct LinearBackward;

#[derive(Debug)]
struct Layer {
    sizes: Sizes,
    packed: Arc<PackedWeights>,
}

#[derive(Clone, Debug)]
struct State<B: Backend> {
    layer: Arc<Layer>,
    x: FloatTensor<B>,
    weight: FloatTensor<B>,
    bias: FloatTensor<B>,
}

impl<B: CpuBackend> Backward<B, 3> for LinearBackward {
    type State = State<B>;

    fn backward(self, ops: Ops<State<B>, 3>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let [node_x, node_weight, node_bias] = ops.parents;
        let State { layer, x, weight, bias } = ops.state;
        let dy = gradients.consume::<B>(&ops.node);
        let computed = {
            let values = [&x, &weight, &dy].map(B::values);
            backward(values.each_ref().map(|values| &**values), &layer.sizes, &layer.packed, node_x.is_some())
        };
        let results =
            [(node_x, x, computed.x), (node_weight, weight, Some(computed.w)), (node_bias, bias, Some(computed.bias))];
        for (node, like, gradient) in results {
            register::<B>(gradients, node.map(|node| node.id), &like, gradient);
        }
    }
}
