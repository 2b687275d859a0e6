//! The kernels on tensors: what each takes and gives, and its node in the graph of autodiff.

pub(super) mod attention;
pub(super) mod bilstm;
pub(super) mod crf;
pub(super) mod gather;
pub(super) mod gelu;
mod known;
pub(super) mod linear;
pub(super) mod norm;
pub(super) mod relation;

use burn::backend::{
    TensorMetadata,
    autodiff::{NodeId, grads::Gradients},
    tensor::FloatTensor,
};

use super::{buffer::Buffer, raw::RawF32};

/// Hands on the gradient of a tensor, if its node is tracked and there is one.
fn register<B: RawF32>(
    gradients: &mut Gradients,
    node: Option<NodeId>,
    tensor: &FloatTensor<B>,
    gradient: Option<Buffer>,
) {
    if let (Some(node), Some(gradient)) = (node, gradient) {
        gradients.register::<B>(node, B::tensor(gradient, &tensor.shape().to_vec(), &tensor.device()));
    }
}
