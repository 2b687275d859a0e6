//! Layer normalisation (Ba et al. 2016), alone and behind a residual connection.

use burn::{
    module::{Module, Param},
    tensor::{Device, Tensor, module::layer_norm},
};

use crate::kernels;

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
    /// The plain normalisation of vectors `d_model` wide.
    pub fn new(d_model: usize, epsilon: f64, device: &Device) -> Self {
        let [gamma, beta] = [Tensor::ones([d_model], device), Tensor::zeros([d_model], device)].map(Param::from_tensor);
        Self { gamma, beta, epsilon }
    }

    /// Every vector normalised; of the shape of `x`.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        layer_norm(x, self.gamma.val(), Some(self.beta.val()), self.epsilon)
    }

    /// [`forward`](Self::forward) of `x + y`.
    ///
    /// # Shapes
    /// - x, y, output: `[batch, steps, d_model]`
    pub fn residual(&self, x: Tensor<3>, y: Tensor<3>) -> Tensor<3> {
        if kernels::on_host(x.device(), x.dtype()) {
            return kernels::residual_norm(x, y, self.gamma.val(), self.beta.val(), self.epsilon);
        }
        self.residual_composed(x, y)
    }

    /// [`residual`](Self::residual) made of burn's operations, on any device.
    pub fn residual_composed(&self, x: Tensor<3>, y: Tensor<3>) -> Tensor<3> {
        self.forward(x + y)
    }
}
