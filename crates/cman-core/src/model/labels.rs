//! How the labels of the tokens reach the relation scorer (section 3.3, eqs. 5-7).

use burn::{
    module::Module,
    tensor::{Bool, Int, Tensor},
};

use super::{LabelKind, ModelConfig};
use crate::{
    attention::{Bla, SequenceEncoder},
    embedding::LabelEmbedding,
    gather::ChosenTokens,
    init::Init,
    mode::Mode,
};

/// Label-aware token features from token features and labels.
#[derive(Module, Debug)]
pub struct LabelInteraction {
    /// Vectors of the tags.
    pub embedding: LabelEmbedding,
    /// Label attention; without it the vectors stand beside the token features (multi-head baseline).
    pub fusion: Option<LabelFusion>,
    dropout: f64,
}

/// The label-attention units and the BiLSTM between them.
#[derive(Module, Debug)]
pub struct LabelFusion {
    /// BLA¹ of eq. 5.
    pub first: Bla,
    /// The BiLSTM of eq. 6, over both units' input and output.
    pub fuse: SequenceEncoder,
    /// BLA² of eq. 7.
    pub second: Bla,
}

impl LabelInteraction {
    /// New weights; none if the configuration wants no labels.
    pub fn new(config: &ModelConfig, n_tags: usize, init: Init) -> Option<Self> {
        let fusion = || LabelFusion {
            first: Bla::new(config, init.at("first")),
            fuse: config.sequence_encoder(2 * config.d_model(), init.at("fuse")),
            second: Bla::new(config, init.at("second")),
        };
        (config.label.kind != LabelKind::None).then(|| Self {
            embedding: LabelEmbedding::new(n_tags, config.label.width, init.at("embedding")),
            fusion: (config.label.kind == LabelKind::Attention).then(fusion),
            dropout: config.dropout.label,
        })
    }

    /// Width of what [`forward`](Self::forward) gives.
    pub fn d_output(config: &ModelConfig) -> usize {
        match config.label.kind {
            LabelKind::Concatenate => config.d_model() + config.label.width,
            LabelKind::Attention | LabelKind::None => config.d_model(),
        }
    }

    /// `X~1 = BLA1(X, L)`, `X~2 = BiLSTM([X; X~1])`, `X~3 = BLA2(X~2, L)`; or `[X; L]`.
    ///
    /// # Shapes
    /// - x: `[batch, steps, 2d]`
    /// - tags: `[batch, steps]`, ids
    /// - mask_pad: `[batch, steps]`
    /// - output: `[batch, steps, d_output]`
    pub fn forward(
        &self,
        x: Tensor<3>,
        tags: Tensor<2, Int>,
        lengths: &[usize],
        mask_pad: &Tensor<2, Bool>,
        mode: Mode,
    ) -> Tensor<3> {
        let labels = mode.at("label").dropout(self.embedding.forward(tags), lengths, self.dropout);
        let Some(fusion) = &self.fusion else {
            return Tensor::cat(vec![x, labels], 2);
        };
        let x2 = fusion.fused(x, labels.clone(), lengths, mask_pad, mode);
        fusion.second.forward(x2, labels, lengths, mask_pad, mode.at("second"))
    }

    /// What [`forward`](Self::forward) gives for these tokens, in evaluation.
    ///
    /// # Shapes
    /// - output: `[batch, longest of tokens, d_output]`
    pub(super) fn of_tokens(
        &self,
        x: Tensor<3>,
        tags: Tensor<2, Int>,
        tokens: &ChosenTokens,
        lengths: &[usize],
        mask_pad: &Tensor<2, Bool>,
    ) -> Tensor<3> {
        let labels = self.embedding.forward(tags);
        let Some(fusion) = &self.fusion else {
            return Tensor::cat(vec![tokens.of(x), tokens.of(labels)], 2);
        };
        let x2 = fusion.fused(x, labels.clone(), lengths, mask_pad, Mode::Evaluate);
        fusion.second.of_tokens(x2, labels, tokens, lengths, mask_pad)
    }
}

impl LabelFusion {
    /// `X~2`.
    fn fused(
        &self,
        x: Tensor<3>,
        labels: Tensor<3>,
        lengths: &[usize],
        mask_pad: &Tensor<2, Bool>,
        mode: Mode,
    ) -> Tensor<3> {
        let x1 = self.first.forward(x.clone(), labels, lengths, mask_pad, mode.at("first"));
        self.fuse.forward(Tensor::cat(vec![x, x1], 2), lengths, mask_pad, mode.at("fuse"))
    }
}
