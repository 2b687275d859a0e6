//! The Cross-Modal Attention Network (section 3.3, Figure 2) and its losses (section 3.5).

use burn::{
    module::Module,
    tensor::{Device, Tensor},
};
use cman_data::Tag;

use super::{ConfigError, LabelInteraction, ModelConfig};
use crate::{
    attention::Bsa,
    batch::{Gold, TokenBatch, pad},
    crf::{Crf, negative_log_likelihood},
    embedding::TokenEmbedding,
    init::Init,
    mode::Mode,
    relation::{Positive, RelationScorer, pair_loss},
};

/// What the data fixes about a network.
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

/// Token features through `m` BSA units to BIO tags, on through label attention to relations.
#[derive(Module, Debug)]
pub struct Cman {
    /// Token representations (section 3.1).
    pub embedding: TokenEmbedding,
    /// The stack of BSA units (eq. 4).
    pub bsa: Vec<Bsa>,
    /// The tag decoder (eq. 8).
    pub crf: Crf,
    /// The way of the labels (eqs. 5-7).
    pub labels: Option<LabelInteraction>,
    /// The relation scorer (eq. 9).
    pub relation: RelationScorer,
    dropout: f64,
    none_label: bool,
    n_relations: usize,
}

/// The two losses of a batch, each summed over its sentences.
#[derive(Clone, Debug)]
pub struct Losses {
    /// Negative log-likelihood of the tags (eq. 11). `[1]`
    pub ner: Tensor<1>,
    /// Cross-entropy of the relations (eq. 12). `[1]`
    pub re: Tensor<1>,
}

impl Losses {
    /// `L_joint = L_ner + L_re` (eq. 13). `[1]`
    pub fn joint(&self) -> Tensor<1> {
        self.ner.clone() + self.re.clone()
    }
}

impl Cman {
    /// A new network on `device`, its weights drawn from `seed`.
    ///
    /// # Errors
    /// A setting outside of its range.
    pub fn new(config: &ModelConfig, sizes: Sizes, seed: u64, device: &Device) -> Result<Self, ConfigError> {
        config.validate()?;
        let init = Init::new(seed, device);
        let n_tags = Tag::count(sizes.entities);
        let bsa = |i: usize| {
            let d_input = if i == 0 { config.d_input() } else { config.d_model() };
            Bsa::new(config, d_input, init.at("bsa").with(i))
        };
        let d_relation = LabelInteraction::d_output(config);
        Ok(Self {
            embedding: TokenEmbedding::new(config, sizes.words, sizes.characters, init.at("embedding")),
            bsa: (0..config.layers).map(bsa).collect(),
            crf: Crf::new(&config.crf, config.d_model(), n_tags, init.at("crf")),
            labels: LabelInteraction::new(config, n_tags, init.at("labels")),
            relation: RelationScorer::new(&config.relation, d_relation, sizes.relations, init.at("relation")),
            dropout: config.dropout.input,
            none_label: config.relation.none_label,
            n_relations: sizes.relations,
        })
    }

    /// The concatenated input `X` (section 3.1), before dropout. `[batch, steps, d_w]`
    pub fn embed(&self, batch: &TokenBatch) -> Tensor<3> {
        self.embedding.forward(batch)
    }

    /// `X^m` (eq. 4) from the concatenated input. `[batch, steps, d_w]` -> `[batch, steps, 2d]`
    pub fn encode(&self, x: Tensor<3>, batch: &TokenBatch, mode: Mode) -> Tensor<3> {
        let x = mode.at("input").dropout(x, batch.lengths(), self.dropout);
        self.bsa
            .iter()
            .enumerate()
            .fold(x, |x, (i, unit)| unit.forward(x, batch.lengths(), &batch.mask_pad, mode.at("bsa").with(i)))
    }

    /// Label-aware features (eqs. 5-7), given each sentence's tags. `[batch, steps, 2d]` -> `[batch, steps, ..]`
    pub fn interact(&self, x: Tensor<3>, tags: &[Vec<u32>], batch: &TokenBatch, mode: Mode) -> Tensor<3> {
        let Some(labels) = &self.labels else { return x };
        let tags = pad(tags.iter().map(Vec::as_slice), batch.steps(), &batch.device());
        labels.forward(x, tags, batch.lengths(), &batch.mask_pad, mode.at("labels"))
    }

    /// Both losses, from the concatenated input `x` of [`embed`](Self::embed), perturbed or not; `labels` are the tags
    /// that the relations see, gold or predicted.
    pub fn losses(&self, x: Tensor<3>, batch: &TokenBatch, gold: &Gold, labels: &[Vec<u32>], mode: Mode) -> Losses {
        let x = self.encode(x, batch, mode);
        let ner = negative_log_likelihood(&self.crf.potentials(x.clone(), batch.lengths()), &gold.tags);
        let projection = self.relation.project(self.interact(x, labels, batch, mode), batch.lengths());
        let re = pair_loss(&projection, &self.positives(gold, batch.lengths()), batch.lengths());
        Losses { ner, re }
    }

    /// The positive pairs of eq. 12; with the extra relation `N`, each token that heads no relation and itself.
    fn positives(&self, gold: &Gold, lengths: &[usize]) -> Vec<Positive> {
        let mut positives = Vec::new();
        for (sentence, (relations, &length)) in gold.relations.iter().zip(lengths).enumerate() {
            positives.extend(relations.iter().map(|&(head, tail, kind)| Positive { sentence, head, tail, kind }));
            if self.none_label {
                let free = (0..length).filter(|token| relations.iter().all(|relation| relation.0 != *token));
                positives.extend(free.map(|t| Positive { sentence, head: t, tail: t, kind: self.n_relations }));
            }
        }
        positives
    }

    /// Number of relation types, the extra `N` not counted.
    pub fn n_relations(&self) -> usize {
        self.n_relations
    }
}
