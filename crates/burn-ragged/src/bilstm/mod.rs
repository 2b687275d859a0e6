//! A bidirectional LSTM that knows the length of every sequence.

mod autodiff;
mod cpu;
#[cfg(feature = "gpu")]
mod gpu;
mod reference;

use burn::{
    config::Config,
    module::{Module, Param},
    tensor::{Device, Tensor},
};

use crate::{
    init::Init,
    ragged::Ragged,
    runtime::{cpu_backend::has_kernels, weight_cache::WeightCache},
};

pub use reference::bilstm_reference;

/// Widths of a [`BiLstm`].
#[derive(Config, Debug)]
pub struct BiLstmConfig {
    /// Width of the input.
    pub d_input: usize,
    /// Width of the state of one direction.
    pub d_hidden: usize,
}

/// A one-layer bidirectional LSTM. The backward direction starts at the last element of each sequence, and padding
/// reaches no result and no gradient.
///
/// The gates are in the order input, forget, cell, output, each `d_hidden` wide:
/// `i, f, o = sigmoid(.)`, `g = tanh(.)`, `c = f c' + i g`, `h = o tanh(c)`.
/// Index 0 of the weights is the forward direction, index 1 the backward direction.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use burn_ragged::{BiLstmConfig, Layout, Ragged};
///
/// let device = Device::flex();
/// let lstm = BiLstmConfig::new(8, 16).init(&device);
/// let x = Ragged::new(Tensor::ones([2, 5, 8], &device), Layout::new(vec![5, 3]));
/// let states = lstm.forward(x); // forward states, then backward states
/// assert_eq!(states.width(), 32);
/// ```
#[derive(Module, Debug)]
pub struct BiLstm {
    /// Input weights `[2, d_input, 4 d_hidden]`.
    pub w_ih: Param<Tensor<3>>,
    /// Recurrent weights `[2, d_hidden, 4 d_hidden]`.
    pub w_hh: Param<Tensor<3>>,
    /// Biases `[2, 4 d_hidden]`.
    pub bias: Param<Tensor<2>>,
    #[module(skip)]
    packed: WeightCache<cpu::PackedWeights>,
}

impl BiLstmConfig {
    /// New weights, drawn from seed 0.
    pub fn init(&self, device: &Device) -> BiLstm {
        self.init_with(Init::new(0, device))
    }

    /// New weights, uniform in ±1/sqrt(d_hidden).
    pub fn init_with(&self, init: Init) -> BiLstm {
        let &Self { d_input, d_hidden } = self;
        let bound = 1.0 / (d_hidden as f64).sqrt();
        BiLstm::from_weights(
            init.at("w_ih").uniform([2, d_input, 4 * d_hidden], bound),
            init.at("w_hh").uniform([2, d_hidden, 4 * d_hidden], bound),
            init.at("bias").uniform([2, 4 * d_hidden], bound),
        )
    }
}

impl BiLstm {
    /// A BiLSTM of these weights, in the shapes of the fields.
    pub fn from_weights(w_ih: Param<Tensor<3>>, w_hh: Param<Tensor<3>>, bias: Param<Tensor<2>>) -> Self {
        Self { w_ih, w_hh, bias, packed: WeightCache::default() }
    }

    /// Encodes every sequence in both directions.
    ///
    /// # Shapes
    /// - x: `[batch, steps, d_input]`; values at padding are ignored
    /// - output: `[batch, steps, 2 d_hidden]`, forward states then backward states, zero at padding
    pub fn forward(&self, x: Ragged) -> Ragged {
        let (w_ih, w_hh, bias) = (self.w_ih.val(), self.w_hh.val(), self.bias.val());
        if has_kernels(&x.device(), x.dtype()) {
            return autodiff::bilstm(x, w_ih, w_hh, bias, &self.packed);
        }
        #[cfg(feature = "gpu")]
        if crate::runtime::gpu::has_kernels(&x.device(), x.dtype(), w_hh.dims()[1]) {
            let layout = x.layout().clone();
            return Ragged::new(gpu::states(reference::input_gates(x, w_ih, bias), w_hh, &layout), layout);
        }
        bilstm_reference(x, w_ih, w_hh, bias)
    }
}
