//! The losses of the network (section 3.5, eqs. 11-13).

use burn::tensor::Tensor;
use burn_ragged::{
    crf::{Potentials, negative_log_likelihood},
    pairs::{PairProjection, Positive, pair_loss},
};

use crate::batch::Gold;

/// The two losses of a batch, each summed over its sentences.
#[derive(Clone, Debug)]
pub struct Losses {
    /// `L_ner = sum -log Pr(Y | X)`: negative log-likelihood of the tags (eq. 11). `[1]`
    pub ner: Tensor<1>,
    /// `L_re`: binary cross-entropy of all pairs of tokens and all relations (eq. 12). `[1]`
    pub re: Tensor<1>,
}

impl Losses {
    /// The losses of a batch with this annotation. Without a `projection` there are no relations and `L_re` is 0.
    /// `none_label` is the index of the extra relation `N` of the multi-head baseline, if there is one.
    pub fn new(
        potentials: &Potentials,
        projection: Option<&PairProjection>,
        gold: &Gold,
        none_label: Option<usize>,
    ) -> Self {
        let ner = negative_log_likelihood(potentials, gold.tags());
        let re = projection.map(|projection| {
            let positives = positives(gold, projection.head().layout().lengths(), none_label);
            pair_loss(projection, &positives)
        });
        Self { re: re.unwrap_or_else(|| ner.zeros_like()), ner }
    }

    /// `L_joint = L_ner + L_re` (eq. 13). `[1]`
    pub fn joint(&self) -> Tensor<1> {
        self.ner.clone() + self.re.clone()
    }
}

/// The positive pairs of eq. 12. With the extra relation `N`, each token that is the head of no relation is paired with
/// itself.
fn positives(gold: &Gold, lengths: &[usize], none_label: Option<usize>) -> Vec<Positive> {
    let mut positives = Vec::new();
    for (sequence, (relations, &length)) in gold.relations().iter().zip(lengths).enumerate() {
        positives.extend(relations.iter().map(|&(head, tail, kind)| Positive { sequence, head, tail, kind }));
        if let Some(kind) = none_label {
            let free = (0..length).filter(|token| relations.iter().all(|relation| relation.0 != *token));
            positives.extend(free.map(|t| Positive { sequence, head: t, tail: t, kind }));
        }
    }
    positives
}
