//! The normalised residual sum as an operation of burn's CPU backends, and its node in the autodiff graph.
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

use super::cpu::{Saved, backward, forward};
use crate::runtime::cpu_backend::{CpuBackend, impl_for_cpu_backends, register};

/// See [`LayerNorm::residual`](super::LayerNorm::residual).
pub(super) fn residual_norm(x: Tensor<3>, y: Tensor<3>, gamma: Tensor<1>, beta: Tensor<1>, epsilon: f64) -> Tensor<3> {
    let [x, y, gamma, beta] = [x.into_dispatch(), y.into_dispatch(), gamma.into_dispatch(), beta.into_dispatch()];
    Tensor::from_dispatch(<Dispatch as ResidualNormOp>::residual_norm(x, y, gamma, beta, epsilon))
}

#[backend_extension(Flex: cfg(feature = "flex"), NdArray: cfg(feature = "ndarray"), Autodiff)]
pub(crate) trait ResidualNormOp: Backend {
    fn residual_norm(
        x: FloatTensor<Self>,
        y: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self>;
}

impl_for_cpu_backends!(ResidualNormOp {
    fn residual_norm(
        x: FloatTensor<Self>,
        y: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        normalise::<Self>([&x, &y, &gamma, &beta], epsilon).0
    }
});

fn normalise<B: CpuBackend>([x, y, gamma, beta]: [&FloatTensor<B>; 4], epsilon: f64) -> (FloatTensor<B>, Saved) {
    let dims @ [_, _, d_model] = B::dims(x);
    assert_eq!((B::dims(y), B::dims(gamma), B::dims(beta)), (dims, [d_model], [d_model]), "vectors of one width");
    let (output, saved) = forward(&B::values(x), &B::values(y), [&B::values(gamma), &B::values(beta)], epsilon as f32);
    (B::tensor(output, &dims, &x.device()), saved)
}

impl<B: ResidualNormOp + CpuBackend, C: CheckpointStrategy> ResidualNormOp for Autodiff<B, C> {
    fn residual_norm(
        x: FloatTensor<Self>,
        y: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f64,
    ) -> FloatTensor<Self> {
        let [(x, node_x), (y, node_y), (gamma, node_gamma), (beta, node_beta)] =
            [x, y, gamma, beta].map(|input| input.into_parts());
        let (output, saved) = normalise::<B>([&x, &y, &gamma, &beta], epsilon);
        match NormBackward.prepare::<C>([node_x, node_y, node_gamma, node_beta]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(State { saved: Arc::new(saved), gamma }, output),
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        }
    }
}

#[derive(Debug)]
struct NormBackward;

#[derive(Clone, Debug)]
struct State<B: Backend> {
    saved: Arc<Saved>,
    gamma: FloatTensor<B>,
}

impl<B: CpuBackend> Backward<B, 4> for NormBackward {
    type State = State<B>;

    fn backward(self, ops: Ops<State<B>, 4>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let [node_x, node_y, node_gamma, node_beta] = ops.parents.map(|node| node.map(|node| node.id));
        let State { saved, gamma } = ops.state;
        let dy = gradients.consume::<B>(&ops.node);
        let [dx, d_gamma, d_beta] = backward(&saved, &B::values(&gamma), &B::values(&dy));
        // The gradient of the sum is that of both summands.
        let dx = B::tensor(dx, &dy.shape().to_vec(), &dy.device());
        for node in [node_x, node_y].into_iter().flatten() {
            gradients.register::<B>(node, dx.clone());
        }
        register::<B>(gradients, node_gamma, &gamma, Some(d_gamma));
        register::<B>(gradients, node_beta, &gamma, Some(d_beta));
    }
}
