//! How the labels of the tokens reach the relation scorer (section 3.3, eqs. 5-7).

use burn::{
    module::Module,
    tensor::{Int, Tensor},
};

use super::{LabelKind, ModelConfig};
use crate::{
    attention::{Bla, SequenceEncoder},
    batch::TokenBatch,
    embedding::LabelEmbedding,
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
    /// - output: `[batch, steps, d_output]`
    pub fn forward(&self, x: Tensor<3>, tags: Tensor<2, Int>, batch: &TokenBatch, mode: Mode) -> Tensor<3> {
        let (lengths, mask_pad) = (batch.lengths(), &batch.mask_pad);
        let labels = mode.at("label").dropout(self.embedding.forward(tags), lengths, self.dropout);
        let Some(LabelFusion { first, fuse, second }) = &self.fusion else {
            return Tensor::cat(vec![x, labels], 2);
        };
        let x1 = first.forward(x.clone(), labels.clone(), lengths, mask_pad, mode.at("first"));
        let x2 = fuse.forward(Tensor::cat(vec![x, x1], 2), lengths, mask_pad, mode.at("fuse"));
        second.forward(x2, labels, lengths, mask_pad, mode.at("second"))
    }
}
