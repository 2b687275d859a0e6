//! The Cross-Modal Attention Network (section 3.3, Figure 2): token embeddings, the stack of BSA units (eq. 4), tags,
//! label interaction, relations.

use burn::{module::Module, tensor::Device};
use burn_ragged::{Init, Mode, Ragged};
use cman_data::Tag;

use super::{CheckedModelConfig, LabelInteraction};
use crate::{
    attention::Bsa,
    batch::{Gold, TokenBatch},
    crf::Crf,
    embedding::TokenEmbedding,
    losses::Losses,
    relation::RelationScorer,
};

/// The sizes of a network that the data determine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Words of the training data, padding and the unknown word included.
    pub words: usize,
    /// Characters, likewise.
    pub characters: usize,
    /// Entity types.
    pub entities: usize,
    /// Relation types (the paper's o).
    pub relations: usize,
}

/// Token features through `m` BSA units to BIO tags, and through label attention to relations.
#[derive(Module, Debug)]
pub struct Cman {
    /// Token representations (section 3.1).
    pub embedding: TokenEmbedding,
    /// The stack of BSA units (eq. 4).
    pub bsa: Vec<Bsa>,
    /// The tag decoder (eq. 8).
    pub crf: Crf,
    /// Label-aware features (eqs. 5-7), if relations read them.
    pub labels: Option<LabelInteraction>,
    /// The relation scorer (eq. 9); `None` if the data has no relation types.
    pub relation: Option<RelationScorer>,
    dropout: f64,
    none_label: bool,
    n_relations: usize,
}

impl Cman {
    /// A new network on `device`, with weights drawn from `seed`. Without relation types it recognizes entities alone.
    pub fn new(config: &CheckedModelConfig, sizes: Sizes, seed: u64, device: &Device) -> Self {
        Self::init_with(config, sizes, Init::new(seed, device))
    }

    /// A new network with weights of `init`. Without relation types it recognizes entities alone.
    pub fn init_with(config: &CheckedModelConfig, sizes: Sizes, init: Init) -> Self {
        let n_tags = Tag::count(sizes.entities);
        let d_relation = LabelInteraction::d_output(config);
        let relations = (sizes.relations > 0).then_some(sizes.relations);
        Self {
            embedding: config.token_embedding().init_with(sizes.words, sizes.characters, init.at("embedding")),
            bsa: (0..config.layers).map(|i| config.bsa(i).init_with(init.at("bsa").with(i))).collect(),
            crf: config.crf.init_with(config.d_model(), n_tags, init.at("crf")),
            labels: relations.and_then(|_| LabelInteraction::new(config, n_tags, init.at("labels"))),
            relation: relations.map(|n| config.relation.init_with(d_relation, n, init.at("relation"))),
            dropout: config.dropout.input,
            none_label: config.relation.none_label,
            n_relations: sizes.relations,
        }
    }

    /// The concatenated input `X` (section 3.1), before dropout. `[batch, steps, d_w]`
    pub fn embed(&self, batch: &TokenBatch) -> Ragged {
        self.embedding.forward(batch)
    }

    /// `X^i = BSA^i(X^{i-1})`, `X^m` (eq. 4) from the concatenated input. `[batch, steps, d_w]` -> `[batch, steps, 2d]`
    pub fn encode(&self, x: Ragged, mode: Mode) -> Ragged {
        let x = mode.at("input").dropout(x, self.dropout);
        self.bsa.iter().enumerate().fold(x, |x, (i, unit)| unit.forward(x, mode.at("bsa").with(i)))
    }

    /// Label-aware features (eqs. 5-7), given the tags of each sentence. `[batch, steps, 2d]` -> `[batch, steps, ..]`
    ///
    /// # Panics
    /// If there is not one tag per token.
    pub fn interact(&self, x: Ragged, tags: &[Vec<u32>], mode: Mode) -> Ragged {
        let Some(labels) = &self.labels else { return x };
        let tags = x.layout().pad(tags.iter().map(Vec::as_slice), &x.device());
        labels.forward(x, tags, mode.at("labels"))
    }

    /// Both losses, given the concatenated input `x` of [`embed`](Self::embed), perturbed or not. `labels` are the tags
    /// that the relations see, gold or predicted.
    ///
    /// # Panics
    /// If the annotation is that of another batch.
    pub fn losses(&self, x: Ragged, gold: &Gold, labels: &[Vec<u32>], mode: Mode) -> Losses {
        let x = self.encode(x, mode);
        let potentials = self.crf.potentials(x.clone());
        let projection = self.relation.as_ref().map(|scorer| scorer.project(self.interact(x, labels, mode)));
        Losses::new(&potentials, projection.as_ref(), gold, self.none_label.then_some(self.n_relations))
    }

    /// Number of relation types, the extra `N` not counted.
    pub fn n_relations(&self) -> usize {
        self.n_relations
    }
}
