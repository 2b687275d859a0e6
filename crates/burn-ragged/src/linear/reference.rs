//! The definition of the linear layer in burn operations.

use burn::tensor::Tensor;

use crate::ragged::Ragged;

/// [`Linear::forward`](super::Linear::forward) in burn operations, on any device, padding included.
pub fn linear_reference(x: Ragged, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Ragged {
    let [_, d_output] = weight.dims();
    x.map(|x| {
        let [batch, steps, d_input] = x.dims();
        // One product over all places. On a tensor of three dimensions burn makes one product per sequence.
        let y = x.reshape([batch * steps, d_input]).matmul(weight);
        let y = if let Some(bias) = bias { y + bias.unsqueeze() } else { y };
        y.reshape([batch, steps, d_output])
    })
}
