//! The BiLSTM-enhanced self-attention unit (section 3.2, Figure 3a): `X' = BSA(X)`.

use burn::{config::Config, module::Module, tensor::Device};
use burn_ragged::{Init, LayerNorm, Mode, Ragged};

use super::{MultiHeadAttention, MultiHeadAttentionConfig, SequenceEncoder, SequenceEncoderConfig, SequenceKind};

/// Settings of a [`Bsa`] unit.
#[derive(Config, Debug)]
pub struct BsaConfig {
    /// Width of the output (the paper's 2d).
    pub d_model: usize,
    /// Number of attention heads (the paper's z), a divisor of `d_model`.
    pub n_heads: usize,
    /// Width of the input; `d_model` if `None`.
    #[config(default = "None")]
    pub d_input: Option<usize>,
    /// Whether the projections of the attention have biases.
    #[config(default = false)]
    pub attention_bias: bool,
    /// Whether there is self-attention (off: Table 4, "- self-attention in BSA").
    #[config(default = true)]
    pub self_attention: bool,
    /// Whether there is layer normalisation.
    #[config(default = true)]
    pub layer_norm: bool,
    /// The sequence encoder.
    #[config(default = "SequenceKind::Bilstm")]
    pub sequence: SequenceKind,
    /// Dropout rate after the sequence encoder.
    #[config(default = 0.0)]
    pub dropout: f64,
}

/// `H = BiLSTM(X)`, `T = MultiHead(H, H, H)`, `X' = LayerNorm(H + T)`.
///
/// Without attention (Table 4, "- self-attention in BSA") `X' = LayerNorm(H)`. Without the normalisation too, it is the
/// BiLSTM layer of the multi-head baseline.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use burn_ragged::{Layout, Mode, Ragged};
/// use cman_core::attention::BsaConfig;
///
/// let device = Device::flex();
/// let unit = BsaConfig::new(256, 8).with_d_input(Some(178)).init(&device);
/// let x = Ragged::new(Tensor::zeros([2, 9, 178], &device), Layout::new(vec![9, 4]));
/// assert_eq!(unit.forward(x, Mode::Evaluate).width(), 256);
/// ```
#[derive(Module, Debug)]
pub struct Bsa {
    /// The BiLSTM of eq. 1.
    pub sequence: SequenceEncoder,
    /// Self-attention, eqs. 2 and 3.
    pub attention: Option<MultiHeadAttention>,
    /// The normalisation after the residual connection.
    pub norm: Option<LayerNorm>,
}

impl BsaConfig {
    /// New weights, drawn from seed 0.
    ///
    /// # Panics
    /// If `d_model` is odd, or `n_heads` does not divide it.
    pub fn init(&self, device: &Device) -> Bsa {
        self.init_with(Init::new(0, device))
    }

    /// New weights.
    ///
    /// # Panics
    /// If `d_model` is odd, or `n_heads` does not divide it.
    pub fn init_with(&self, init: Init) -> Bsa {
        let d_model = self.d_model;
        assert!(d_model.is_multiple_of(2), "a width of two directions, found {d_model}");
        let sequence = SequenceEncoderConfig::new(self.d_input.unwrap_or(d_model), d_model / 2)
            .with_kind(self.sequence)
            .with_dropout(self.dropout);
        let attention = MultiHeadAttentionConfig::new(d_model, self.n_heads).with_bias(self.attention_bias);
        Bsa {
            sequence: sequence.init_with(init.at("sequence")),
            attention: self.self_attention.then(|| attention.init_with(init.at("attention"))),
            norm: self.layer_norm.then(|| init.layer_norm(d_model)),
        }
    }
}

impl Bsa {
    /// # Shapes
    /// - x: `[batch, steps, d_input]`
    /// - output: `[batch, steps, 2d]`
    pub fn forward(&self, x: Ragged, mode: Mode) -> Ragged {
        let h = self.sequence.forward(x, mode);
        let attended = self.attention.as_ref().map(|attention| attention.forward(h.clone(), h.clone()));
        match (&self.norm, attended) {
            (Some(norm), Some(attended)) => norm.residual(h, attended),
            (Some(norm), None) => h.map(|h| norm.forward(h)),
            (None, Some(attended)) => h + attended,
            (None, None) => h,
        }
    }
}
