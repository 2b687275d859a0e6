//! The sequence encoder of the attention units: a BiLSTM (eq. 1), or a perceptron for the ablation of Table 4.

use burn::{config::Config, module::Module, tensor::Device};
use burn_ragged::{BiLstm, BiLstmConfig, Init, Linear, Mode, Ragged};
use serde::{Deserialize, Serialize};

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

/// Settings of a [`SequenceEncoder`].
#[derive(Config, Debug)]
pub struct SequenceEncoderConfig {
    /// Width of the input.
    pub d_input: usize,
    /// Half the width of the output: one direction of the BiLSTM (the paper's d).
    pub d_hidden: usize,
    /// Which encoder.
    #[config(default = "SequenceKind::Bilstm")]
    pub kind: SequenceKind,
    /// Dropout rate of the output.
    #[config(default = 0.0)]
    pub dropout: f64,
}

/// `H = BiLSTM(X)` (eq. 1), with dropout. The output is `2 d_hidden` wide.
#[derive(Module, Debug)]
pub enum SequenceEncoder {
    /// A BiLSTM.
    BiLstm(BiLstmEncoder),
    /// A perceptron on each token.
    Mlp(MlpEncoder),
}

/// A BiLSTM with dropout.
#[derive(Module, Debug)]
pub struct BiLstmEncoder {
    /// The BiLSTM.
    pub lstm: BiLstm,
    dropout: f64,
}

/// A perceptron on each token, with dropout.
#[derive(Module, Debug)]
pub struct MlpEncoder {
    /// The perceptron.
    pub mlp: Mlp,
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

impl SequenceEncoderConfig {
    /// New weights, drawn from seed 0.
    pub fn init(&self, device: &Device) -> SequenceEncoder {
        self.init_with(Init::new(0, device))
    }

    /// New weights.
    pub fn init_with(&self, init: Init) -> SequenceEncoder {
        let &Self { d_input, d_hidden, kind, dropout } = self;
        match kind {
            SequenceKind::Bilstm => {
                let lstm = BiLstmConfig::new(d_input, d_hidden).init_with(init);
                SequenceEncoder::BiLstm(BiLstmEncoder { lstm, dropout })
            }
            SequenceKind::Mlp => {
                let inner = init.at("inner").linear(d_input, 2 * d_hidden, true);
                let outer = init.at("outer").linear(2 * d_hidden, 2 * d_hidden, true);
                SequenceEncoder::Mlp(MlpEncoder { mlp: Mlp { inner, outer }, dropout })
            }
        }
    }
}

impl SequenceEncoder {
    /// # Shapes
    /// - x: `[batch, steps, d_input]`
    /// - output: `[batch, steps, 2 d_hidden]`, zero at padding
    pub fn forward(&self, x: Ragged, mode: Mode) -> Ragged {
        let (h, dropout) = match self {
            Self::BiLstm(BiLstmEncoder { lstm, dropout }) => (lstm.forward(x), *dropout),
            Self::Mlp(MlpEncoder { mlp: Mlp { inner, outer }, dropout }) => {
                (outer.forward(inner.forward(x).map(|x| x.tanh())).zero_padding(), *dropout)
            }
        };
        mode.at("sequence").dropout(h, dropout)
    }
}
