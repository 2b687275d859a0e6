//! The BiLSTM-enhanced label-attention unit (section 3.2, Figure 3b): `X~ = BLA(X, L)`.

use burn::{config::Config, module::Module, tensor::Device};
use burn_ragged::{Init, LayerNorm, Mode, Ragged, gather::Selection};
use serde::{Deserialize, Serialize};

use super::{MultiHeadAttention, MultiHeadAttentionConfig, SequenceEncoder, SequenceEncoderConfig, SequenceKind};

/// What the residual connection of the label-attention unit adds to the attended labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Residual {
    /// The token features.
    #[default]
    Query,
    /// The encoded labels.
    Keys,
}

/// Settings of a [`Bla`] unit.
#[derive(Config, Debug)]
pub struct BlaConfig {
    /// Width of the token features and of the output (the paper's 2d).
    pub d_model: usize,
    /// Width of the label embeddings (the paper's d_l).
    pub d_label: usize,
    /// Number of attention heads (the paper's z), a divisor of `d_model`.
    pub n_heads: usize,
    /// Whether the projections of the attention have biases.
    #[config(default = false)]
    pub attention_bias: bool,
    /// What the residual connection adds.
    #[config(default = "Residual::Query")]
    pub residual: Residual,
    /// The sequence encoder of the labels.
    #[config(default = "SequenceKind::Bilstm")]
    pub sequence: SequenceKind,
    /// Dropout rate after the sequence encoder.
    #[config(default = 0.0)]
    pub dropout: f64,
}

/// `L~ = BiLSTM(L)`, `T = MultiHead(X, L~, L~)`, `X~ = LayerNorm(X + T)`: each token attends to the labels of the whole
/// sentence.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use burn_ragged::{Layout, Mode, Ragged};
/// use cman_core::attention::BlaConfig;
///
/// let device = Device::flex();
/// let unit = BlaConfig::new(256, 25, 8).init(&device);
/// let layout = Layout::new(vec![9, 4]);
/// let x = Ragged::new(Tensor::zeros([2, 9, 256], &device), layout.clone());
/// let labels = Ragged::new(Tensor::zeros([2, 9, 25], &device), layout);
/// assert_eq!(unit.forward(x, labels, Mode::Evaluate).width(), 256);
/// ```
#[derive(Module, Debug)]
pub struct Bla {
    /// The BiLSTM over the label embeddings.
    pub sequence: SequenceEncoder,
    /// Tokens attend to encoded labels, eqs. 2 and 3.
    pub attention: MultiHeadAttention,
    /// The normalisation after the residual connection.
    pub norm: LayerNorm,
    #[module(skip)]
    residual: Residual,
}

impl BlaConfig {
    /// New weights, drawn from seed 0.
    ///
    /// # Panics
    /// If `d_model` is odd, or `n_heads` does not divide it.
    pub fn init(&self, device: &Device) -> Bla {
        self.init_with(Init::new(0, device))
    }

    /// New weights.
    ///
    /// # Panics
    /// If `d_model` is odd, or `n_heads` does not divide it.
    pub fn init_with(&self, init: Init) -> Bla {
        let d_model = self.d_model;
        assert!(d_model.is_multiple_of(2), "a width of two directions, found {d_model}");
        let sequence =
            SequenceEncoderConfig::new(self.d_label, d_model / 2).with_kind(self.sequence).with_dropout(self.dropout);
        let attention = MultiHeadAttentionConfig::new(d_model, self.n_heads).with_bias(self.attention_bias);
        Bla {
            sequence: sequence.init_with(init.at("sequence")),
            attention: attention.init_with(init.at("attention")),
            norm: init.layer_norm(d_model),
            residual: self.residual,
        }
    }
}

impl Bla {
    /// # Shapes
    /// - x: `[batch, steps, 2d]`, token features
    /// - labels: `[batch, steps, d_label]`, label embeddings
    /// - output: `[batch, steps, 2d]`
    pub fn forward(&self, x: Ragged, labels: Ragged, mode: Mode) -> Ragged {
        let labels = self.sequence.forward(labels, mode);
        let residual = match self.residual {
            Residual::Query => x.clone(),
            Residual::Keys => labels.clone(),
        };
        self.norm.residual(residual, self.attention.forward(x, labels))
    }

    /// [`forward`](Self::forward) for the selected tokens alone, in evaluation.
    ///
    /// # Shapes
    /// - output: `[batch, selected tokens, 2d]`
    pub(crate) fn of_tokens(&self, x: Ragged, labels: Ragged, tokens: &Selection) -> Ragged {
        let labels = self.sequence.forward(labels, Mode::Evaluate);
        let x = tokens.of(x);
        let residual = match self.residual {
            Residual::Query => x.clone(),
            Residual::Keys => tokens.of(labels.clone()),
        };
        self.norm.residual(residual, self.attention.forward(x, labels))
    }
}
