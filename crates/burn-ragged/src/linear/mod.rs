//! A linear layer on every element of a batch: `y = x W + b`.

mod autodiff;
mod cpu;
mod reference;

use burn::{
    module::{Module, Param},
    tensor::Tensor,
};

use crate::{
    ragged::Ragged,
    runtime::{cpu_backend::has_kernels, weight_cache::WeightCache},
};

pub use reference::linear_reference;

/// `y = x W + b` on every element.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use burn_ragged::{Init, Layout, Ragged};
///
/// let device = Device::flex();
/// let layer = Init::new(1, &device).linear(4, 6, true);
/// let x = Ragged::new(Tensor::ones([2, 3, 4], &device), Layout::new(vec![3, 1]));
/// assert_eq!(layer.forward(x).width(), 6);
/// ```
#[derive(Module, Debug)]
pub struct Linear {
    /// `W` `[d_input, d_output]`.
    pub weight: Param<Tensor<2>>,
    /// `b` `[d_output]`.
    pub bias: Option<Param<Tensor<1>>>,
    #[module(skip)]
    packed: WeightCache<cpu::PackedWeights>,
}

impl Linear {
    /// A layer of these weights.
    pub fn from_weights(weight: Param<Tensor<2>>, bias: Option<Param<Tensor<1>>>) -> Self {
        Self { weight, bias, packed: WeightCache::default() }
    }

    /// # Shapes
    /// - x: `[batch, steps, d_input]`
    /// - output: `[batch, steps, d_output]`; values at padding are unspecified
    pub fn forward(&self, x: Ragged) -> Ragged {
        let (weight, bias) = (self.weight.val(), self.bias.as_ref().map(Param::val));
        if has_kernels(&x.device(), x.dtype()) {
            let bias = bias.unwrap_or_else(|| Tensor::zeros([weight.dims()[1]], &x.device()));
            return autodiff::linear(x, weight, bias, &self.packed);
        }
        linear_reference(x, weight, bias)
    }
}
