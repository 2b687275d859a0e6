//! Layer normalisation (Ba et al. 2016), alone and after a residual connection.

mod autodiff;
mod cpu;
mod reference;

use burn::{
    module::{Module, Param},
    tensor::{Device, Tensor, module::layer_norm},
};

use crate::{ragged::Ragged, runtime::cpu_backend::has_kernels};

pub use reference::residual_reference;

/// `y = (x - mean) / sqrt(variance + epsilon) * gamma + beta` over the last dimension.
#[derive(Module, Debug)]
pub struct LayerNorm {
    /// `gamma` `[d_model]`.
    pub gamma: Param<Tensor<1>>,
    /// `beta` `[d_model]`.
    pub beta: Param<Tensor<1>>,
    epsilon: f64,
}

impl LayerNorm {
    /// Normalisation of vectors `d_model` wide, with gamma 1 and beta 0.
    pub fn new(d_model: usize, epsilon: f64, device: &Device) -> Self {
        let [gamma, beta] = [Tensor::ones([d_model], device), Tensor::zeros([d_model], device)].map(Param::from_tensor);
        Self { gamma, beta, epsilon }
    }

    /// Every vector normalised; the output has the shape of `x`.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        layer_norm(x, self.gamma.val(), Some(self.beta.val()), self.epsilon)
    }

    /// [`forward`](Self::forward) of `x + y`.
    ///
    /// # Shapes
    /// - x, y, output: `[batch, steps, d_model]`
    ///
    /// # Panics
    /// If the layouts of `x` and `y` differ.
    pub fn residual(&self, x: Ragged, y: Ragged) -> Ragged {
        assert_eq!(x.layout(), y.layout(), "batches of the same sequences");
        if has_kernels(&x.device(), x.dtype()) {
            return x
                .map(|x| autodiff::residual_norm(x, y.into_values(), self.gamma.val(), self.beta.val(), self.epsilon));
        }
        residual_reference(self, x, y)
    }
}
