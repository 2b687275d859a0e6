//! The sequence encoder inside the attention units: a BiLSTM, or a perceptron for the ablation of Table 4.

use burn::{
    module::Module,
    tensor::{Bool, Tensor},
};
use serde::{Deserialize, Serialize};

use crate::{init::Init, linear::Linear, lstm::BiLstm, mask::zero_padding, mode::Mode};

/// Which sequence encoder the attention units contain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SequenceKind {
    /// A BiLSTM, as in the paper.
    #[default]
    Bilstm,
    /// A two-layer perceptron on each token alone (Table 4, "replace BiLSTM with MLP").
    Mlp,
}

/// Encodes a sequence of features as one twice `d_hidden` wide, with dropout behind it.
#[derive(Module, Debug)]
pub struct SequenceEncoder {
    /// The BiLSTM, if that is the encoder.
    pub lstm: Option<BiLstm>,
    /// The perceptron, if that is the encoder.
    pub mlp: Option<Mlp>,
    dropout: f64,
}

/// A two-layer perceptron: `tanh(x W_1 + b_1) W_2 + b_2`.
#[derive(Module, Debug)]
pub struct Mlp {
    /// `W_1`, `b_1`.
    pub inner: Linear,
    /// `W_2`, `b_2`.
    pub outer: Linear,
}

impl SequenceEncoder {
    /// New weights; the output is `2 d_hidden` wide.
    pub fn new(kind: SequenceKind, d_input: usize, d_hidden: usize, dropout: f64, init: Init) -> Self {
        let d_output = 2 * d_hidden;
        let mlp = || Mlp {
            inner: init.at("inner").linear(d_input, d_output, true),
            outer: init.at("outer").linear(d_output, d_output, true),
        };
        match kind {
            SequenceKind::Bilstm => Self { lstm: Some(BiLstm::new(d_input, d_hidden, init)), mlp: None, dropout },
            SequenceKind::Mlp => Self { lstm: None, mlp: Some(mlp()), dropout },
        }
    }

    /// # Shapes
    /// - x: `[batch, steps, d_input]`
    /// - mask_pad: `[batch, steps]`
    /// - output: `[batch, steps, 2 d_hidden]`, zero at padding
    pub fn forward(&self, x: Tensor<3>, lengths: &[usize], mask_pad: &Tensor<2, Bool>, mode: Mode) -> Tensor<3> {
        let h = match (&self.lstm, &self.mlp) {
            (Some(lstm), _) => lstm.forward(x, lengths),
            (None, Some(Mlp { inner, outer })) => {
                zero_padding(outer.forward(inner.forward(x, lengths).tanh(), lengths), mask_pad)
            }
            (None, None) => unreachable!("one of the two encoders is there from the start"),
        };
        mode.at("sequence").dropout(h, lengths, self.dropout)
    }
}
