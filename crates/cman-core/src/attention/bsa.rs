//! The BiLSTM-enhanced self-attention unit (section 3.2, Figure 3a): `X' = BSA(X)`.

use burn::{
    module::Module,
    tensor::{Bool, Tensor},
};

use super::{MultiHeadAttention, SequenceEncoder};
use crate::{init::Init, mode::Mode, model::ModelConfig, norm::LayerNorm};

/// `H = BiLSTM(X)`, `T = MultiHead(H, H, H)`, `X' = LayerNorm(H + T)`.
///
/// Without attention (Table 4, "- self-attention in BSA") `X' = LayerNorm(H)`; without the normalisation too it is the
/// BiLSTM layer of the multi-head baseline.
#[derive(Module, Debug)]
pub struct Bsa {
    /// The BiLSTM of eq. 1.
    pub sequence: SequenceEncoder,
    /// Self-attention, eqs. 2 and 3.
    pub attention: Option<MultiHeadAttention>,
    /// The normalisation behind the residual connection.
    pub norm: Option<LayerNorm>,
}

impl Bsa {
    /// New weights for features `d_input` wide.
    pub fn new(config: &ModelConfig, d_input: usize, init: Init) -> Self {
        let d_model = config.d_model();
        let attention = || MultiHeadAttention::new(d_model, config.heads, config.attention_bias, init.at("attention"));
        Self {
            sequence: config.sequence_encoder(d_input, init.at("sequence")),
            attention: config.self_attention.then(attention),
            norm: config.layer_norm.then(|| init.layer_norm(d_model)),
        }
    }

    /// # Shapes
    /// - x: `[batch, steps, d_input]`
    /// - mask_pad: `[batch, steps]`
    /// - output: `[batch, steps, 2d]`
    pub fn forward(&self, x: Tensor<3>, lengths: &[usize], mask_pad: &Tensor<2, Bool>, mode: Mode) -> Tensor<3> {
        let h = self.sequence.forward(x, lengths, mask_pad, mode);
        let attend = |attention: &MultiHeadAttention| attention.forward(h.clone(), h.clone(), [lengths; 2], mask_pad);
        let attended = self.attention.as_ref().map(attend);
        match (&self.norm, attended) {
            (Some(norm), Some(attended)) => norm.residual(h, attended),
            (Some(norm), None) => norm.forward(h),
            (None, Some(attended)) => h + attended,
            (None, None) => h,
        }
    }
}
