//! Bidirectional LSTM over a ragged batch (section 3.2, eq. 1): `H = BiLSTM(X)`.

mod composed;

use burn::{
    module::{Module, Param},
    tensor::Tensor,
};

use crate::{
    init::Init,
    kernels::{self, BiLstmPacks, Memo},
};

pub use composed::bilstm as bilstm_composed;

/// A one-layer bidirectional LSTM that knows the length of every sentence: the backward direction starts at a
/// sentence's own last token, and padding reaches no result and no gradient.
///
/// The gates stand in the order input, forget, cell, output, each `d_hidden` wide:
/// `i, f, o = sigmoid(.)`, `g = tanh(.)`, `c = f c' + i g`, `h = o tanh(c)`.
/// Index 0 of the weights is the forward direction, 1 the backward one.
#[derive(Module, Debug)]
pub struct BiLstm {
    /// Input weights `[2, d_input, 4 d_hidden]`.
    pub w_ih: Param<Tensor<3>>,
    /// Recurrent weights `[2, d_hidden, 4 d_hidden]`.
    pub w_hh: Param<Tensor<3>>,
    /// Biases `[2, 4 d_hidden]`.
    pub bias: Param<Tensor<2>>,
    #[module(skip)]
    packs: Memo<BiLstmPacks>,
}

impl BiLstm {
    /// New weights, uniform in ±1/sqrt(d_hidden); `d_hidden` is the width of one direction (the paper's d).
    pub fn new(d_input: usize, d_hidden: usize, init: Init) -> Self {
        let bound = 1.0 / (d_hidden as f64).sqrt();
        Self::from_weights(
            init.at("w_ih").uniform([2, d_input, 4 * d_hidden], bound),
            init.at("w_hh").uniform([2, d_hidden, 4 * d_hidden], bound),
            init.at("bias").uniform([2, 4 * d_hidden], bound),
        )
    }

    /// A BiLSTM of these weights, in the shapes of the fields.
    pub fn from_weights(w_ih: Param<Tensor<3>>, w_hh: Param<Tensor<3>>, bias: Param<Tensor<2>>) -> Self {
        Self { w_ih, w_hh, bias, packs: Memo::default() }
    }

    /// Encodes every sentence from both ends.
    ///
    /// # Shapes
    /// - x: `[batch, steps, d_input]`, sentence `b` in its first `lengths[b]` places; what stands behind is ignored
    /// - output: `[batch, steps, 2 d_hidden]`, forward states then backward states, zero at padding
    ///
    /// # Panics
    /// If there is not one length a sentence, or a length is 0 or more than `steps`.
    pub fn forward(&self, x: Tensor<3>, lengths: &[usize]) -> Tensor<3> {
        let [batch, steps, _] = x.dims();
        assert_eq!(lengths.len(), batch, "one length a sentence");
        assert!(lengths.iter().all(|&n| (1..=steps).contains(&n)), "lengths {lengths:?} within 1..={steps}");
        let (w_ih, w_hh, bias) = (self.w_ih.val(), self.w_hh.val(), self.bias.val());
        if kernels::on_host(x.device(), x.dtype()) {
            return kernels::bilstm(x, w_ih, w_hh, bias, lengths, &self.packs);
        }
        #[cfg(feature = "gpu")]
        if kernels::cube::runs(&x.device(), x.dtype(), w_hh.dims()[1]) {
            return kernels::cube::states(composed::input_gates(x, w_ih, bias), w_hh, lengths);
        }
        composed::bilstm(x, w_ih, w_hh, bias, lengths)
    }
}
