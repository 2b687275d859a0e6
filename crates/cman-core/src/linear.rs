//! A linear layer on the tokens of a ragged batch.

use burn::{
    module::{Module, Param},
    tensor::Tensor,
};

use crate::kernels::{self, LinearPacks, Memo};

/// `y = x W + b` on every token.
#[derive(Module, Debug)]
pub struct Linear {
    /// `W` `[d_input, d_output]`.
    pub weight: Param<Tensor<2>>,
    /// `b` `[d_output]`.
    pub bias: Option<Param<Tensor<1>>>,
    #[module(skip)]
    packs: Memo<LinearPacks>,
}

impl Linear {
    /// A layer of these weights.
    pub fn from_weights(weight: Param<Tensor<2>>, bias: Option<Param<Tensor<1>>>) -> Self {
        Self { weight, bias, packs: Memo::default() }
    }

    /// # Shapes
    /// - x: `[batch, steps, d_input]`, sentence `b` in its first `lengths[b]` places
    /// - output: `[batch, steps, d_output]`; what stands at padding means nothing
    ///
    /// # Panics
    /// If there is not one length a sentence, or a length is more than `steps`.
    pub fn forward(&self, x: Tensor<3>, lengths: &[usize]) -> Tensor<3> {
        let [batch, steps, _] = x.dims();
        assert_eq!(lengths.len(), batch, "one length a sentence");
        assert!(lengths.iter().all(|&n| n <= steps), "lengths {lengths:?} within {steps}");
        let (weight, bias) = (self.weight.val(), self.bias.as_ref().map(Param::val));
        if kernels::on_host(x.device(), x.dtype()) {
            let bias = bias.unwrap_or_else(|| Tensor::zeros([weight.dims()[1]], &x.device()));
            return kernels::linear(x, weight, bias, lengths, &self.packs);
        }
        linear_composed(x, weight, bias)
    }
}

/// [`Linear::forward`] made of burn's operations, on any device, padding included.
pub fn linear_composed(x: Tensor<3>, weight: Tensor<2>, bias: Option<Tensor<1>>) -> Tensor<3> {
    let ([batch, steps, d_input], [_, d_output]) = (x.dims(), weight.dims());
    // As one product over all places: on a tensor of three dimensions burn makes one a sentence.
    let y = x.reshape([batch * steps, d_input]).matmul(weight);
    let y = if let Some(bias) = bias { y + bias.unsqueeze() } else { y };
    y.reshape([batch, steps, d_output])
}
