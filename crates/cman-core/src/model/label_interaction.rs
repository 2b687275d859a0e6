//! Label-aware token features for the relation scorer (section 3.3, eqs. 5-7).

use burn::{
    module::Module,
    tensor::{Int, Tensor},
};
use burn_ragged::{Init, Mode, Ragged, gather::Selection};

use super::{LabelKind, ModelConfig};
use crate::{
    attention::{Bla, SequenceEncoder},
    embedding::LabelEmbedding,
};

/// Label-aware token features from token features and labels.
#[derive(Module, Debug)]
pub struct LabelInteraction {
    /// Vectors of the tags.
    pub embedding: LabelEmbedding,
    /// Label attention. Without it the vectors are concatenated to the token features (multi-head baseline).
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
    /// New weights; `None` if labels do not reach the relation scorer.
    pub fn new(config: &ModelConfig, n_tags: usize, init: Init) -> Option<Self> {
        let fusion = || LabelFusion {
            first: config.bla().init_with(init.at("first")),
            fuse: config.fusion().init_with(init.at("fuse")),
            second: config.bla().init_with(init.at("second")),
        };
        (config.label.kind != LabelKind::None).then(|| Self {
            embedding: LabelEmbedding::new(n_tags, config.label.width, init.at("embedding")),
            fusion: (config.label.kind == LabelKind::Attention).then(fusion),
            dropout: config.dropout.label,
        })
    }

    /// Width of the output of [`forward`](Self::forward).
    pub fn d_output(config: &ModelConfig) -> usize {
        match config.label.kind {
            LabelKind::Concatenate => config.d_model() + config.label.width,
            LabelKind::Attention | LabelKind::None => config.d_model(),
        }
    }

    /// `X~1 = BLA1(X, L)` (eq. 5), `X~2 = BiLSTM([X; X~1])` (eq. 6), `X~3 = BLA2(X~2, L)` (eq. 7); or `[X; L]`.
    ///
    /// # Shapes
    /// - x: `[batch, steps, 2d]`
    /// - tags: `[batch, steps]`, ids
    /// - output: `[batch, steps, d_output]`
    pub fn forward(&self, x: Ragged, tags: Tensor<2, Int>, mode: Mode) -> Ragged {
        let labels = mode.at("label").dropout(self.embedding.forward(tags, x.layout()), self.dropout);
        let Some(fusion) = &self.fusion else {
            return Ragged::cat(vec![x, labels]);
        };
        let x2 = fusion.fused(x, labels.clone(), mode);
        fusion.second.forward(x2, labels, mode.at("second"))
    }

    /// [`forward`](Self::forward) for the selected tokens alone, in evaluation.
    ///
    /// # Shapes
    /// - output: `[batch, selected tokens, d_output]`
    pub(super) fn of_tokens(&self, x: Ragged, tags: Tensor<2, Int>, tokens: &Selection) -> Ragged {
        let labels = self.embedding.forward(tags, x.layout());
        let Some(fusion) = &self.fusion else {
            return Ragged::cat(vec![tokens.of(x), tokens.of(labels)]);
        };
        let x2 = fusion.fused(x, labels.clone(), Mode::Evaluate);
        fusion.second.of_tokens(x2, labels, tokens)
    }
}

impl LabelFusion {
    /// `X~2`.
    fn fused(&self, x: Ragged, labels: Ragged, mode: Mode) -> Ragged {
        let x1 = self.first.forward(x.clone(), labels, mode.at("first"));
        self.fuse.forward(Ragged::cat(vec![x, x1]), mode.at("fuse"))
    }
}
