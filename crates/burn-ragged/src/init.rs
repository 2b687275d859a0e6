//! Initial weights, drawn from a key.

use burn::{
    module::Param,
    tensor::{Device, Tensor, TensorData},
};

use crate::{linear::Linear, norm::LayerNorm, random::Key};

/// Epsilon of layer normalisation.
const EPSILON: f64 = 1e-5;

/// Makes parameters on a device. Each part of a model draws from its own key.
#[derive(Clone, Copy, Debug)]
pub struct Init<'a> {
    /// The device of the parameters.
    pub device: &'a Device,
    /// `None`: nothing is drawn.
    key: Option<Key>,
}

impl<'a> Init<'a> {
    /// Parameters on `device`, drawn from `seed`.
    pub fn new(seed: u64, device: &'a Device) -> Self {
        Self { device, key: Some(Key::new(seed).at("weights")) }
    }

    /// Zeros on `device` in place of drawn values, for a model whose weights are read from a file.
    pub fn blank(device: &'a Device) -> Self {
        Self { device, key: None }
    }

    /// For the part of the model that is called `site`.
    pub fn at(self, site: &str) -> Self {
        Self { key: self.key.map(|key| key.at(site)), ..self }
    }

    /// For the part of the model with this number.
    pub fn with(self, part: usize) -> Self {
        Self { key: self.key.map(|key| key.with(part as u64)), ..self }
    }

    /// Uniform in [-bound, bound).
    pub fn uniform<const D: usize>(self, shape: [usize; D], bound: f64) -> Param<Tensor<D>> {
        let values = self.values(shape.iter().product(), bound);
        Param::from_data(TensorData::new(values, shape), self.device)
    }

    /// `n` values, uniform in [-bound, bound).
    pub fn values(self, n: usize, bound: f64) -> Vec<f32> {
        self.key.map_or_else(|| vec![0.0; n], |key| key.uniform(n, bound))
    }

    /// Uniform with the bound of Glorot and Bengio (2010): sqrt(6 / (d_input + d_output)).
    pub fn glorot(self, d_input: usize, d_output: usize) -> Param<Tensor<2>> {
        self.uniform([d_input, d_output], (6.0 / (d_input + d_output) as f64).sqrt())
    }

    /// All zero.
    pub fn zeros<const D: usize>(self, shape: [usize; D]) -> Param<Tensor<D>> {
        Param::from_tensor(Tensor::zeros(shape, self.device))
    }

    /// A linear layer: Glorot weights, zero bias.
    pub fn linear(self, d_input: usize, d_output: usize, bias: bool) -> Linear {
        Linear::from_weights(self.glorot(d_input, d_output), bias.then(|| self.zeros([d_output])))
    }

    /// Layer normalisation of vectors `d_model` wide, with gamma 1 and beta 0.
    pub fn layer_norm(self, d_model: usize) -> LayerNorm {
        LayerNorm::new(d_model, EPSILON, self.device)
    }
}
