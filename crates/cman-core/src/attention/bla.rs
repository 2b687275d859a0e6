//! The BiLSTM-enhanced label-attention unit (section 3.2, Figure 3b): `X~ = BLA(X, L)`.

use burn::{
    module::Module,
    tensor::{Bool, Tensor},
};
use serde::{Deserialize, Serialize};

use super::{MultiHeadAttention, SequenceEncoder};
use crate::{gather::ChosenTokens, init::Init, mode::Mode, model::ModelConfig, norm::LayerNorm};

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

/// `L~ = BiLSTM(L)`, `T = MultiHead(X, L~, L~)`, `X~ = LayerNorm(X + T)`: each token gathers what the labels of the
/// whole sentence tell it.
#[derive(Module, Debug)]
pub struct Bla {
    /// The BiLSTM over the label embeddings.
    pub sequence: SequenceEncoder,
    /// Tokens attend to encoded labels, eqs. 2 and 3.
    pub attention: MultiHeadAttention,
    /// The normalisation behind the residual connection.
    pub norm: LayerNorm,
    residual_on_keys: bool,
}

impl Bla {
    /// New weights.
    pub fn new(config: &ModelConfig, init: Init) -> Self {
        let d_model = config.d_model();
        Self {
            sequence: config.sequence_encoder(config.label.width, init.at("sequence")),
            attention: MultiHeadAttention::new(d_model, config.heads, config.attention_bias, init.at("attention")),
            norm: init.layer_norm(d_model),
            residual_on_keys: config.label.residual == Residual::Keys,
        }
    }

    /// # Shapes
    /// - x: `[batch, steps, 2d]`, token features
    /// - labels: `[batch, steps, d_label]`, label embeddings
    /// - mask_pad: `[batch, steps]`
    /// - output: `[batch, steps, 2d]`
    pub fn forward(
        &self,
        x: Tensor<3>,
        labels: Tensor<3>,
        lengths: &[usize],
        mask_pad: &Tensor<2, Bool>,
        mode: Mode,
    ) -> Tensor<3> {
        let labels = self.sequence.forward(labels, lengths, mask_pad, mode);
        let residual = if self.residual_on_keys { labels.clone() } else { x.clone() };
        self.norm.residual(residual, self.attention.forward(x, labels, [lengths; 2], mask_pad))
    }

    /// What [`forward`](Self::forward) gives for these tokens, in evaluation.
    ///
    /// # Shapes
    /// - output: `[batch, longest of tokens, 2d]`
    pub(crate) fn of_tokens(
        &self,
        x: Tensor<3>,
        labels: Tensor<3>,
        tokens: &ChosenTokens,
        lengths: &[usize],
        mask_pad: &Tensor<2, Bool>,
    ) -> Tensor<3> {
        let labels = self.sequence.forward(labels, lengths, mask_pad, Mode::Evaluate);
        let x = tokens.of(x);
        let residual = if self.residual_on_keys { tokens.of(labels.clone()) } else { x.clone() };
        self.norm.residual(residual, self.attention.forward(x, labels, [tokens.lengths(), lengths], mask_pad))
    }
}
