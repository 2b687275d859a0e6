//! A linear layer on every token of a batch.

use burn::{nn::Linear, tensor::Tensor};

/// `x W + b` as one product over all tokens: on a tensor of three dimensions burn makes one a sentence, and a gradient
/// of W for each.
///
/// # Shapes
/// - x: `[batch, steps, d_input]`
/// - output: `[batch, steps, d_output]`
pub(crate) fn each_token(layer: &Linear, x: Tensor<3>) -> Tensor<3> {
    let [batch, steps, d_input] = x.dims();
    let y = layer.forward(x.reshape([batch * steps, d_input]));
    let d_output = y.dims()[1];
    y.reshape([batch, steps, d_output])
}
