//! Multi-head relation extraction (section 3.4, eqs. 9 and 10; loss of eq. 12).

mod composed;
mod decode;
mod scorer;

pub use composed::{pair_loss as pair_loss_composed, table as table_composed};
pub use decode::{Ends, ScoredRelation, candidates, decode};
pub use scorer::{Projection, RelationConfig, RelationScorer};

use burn::tensor::Tensor;

use crate::kernels;

/// A positive pair of a batch: sentence, head token, tail token, relation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Positive {
    /// Sentence of the batch.
    pub sentence: usize,
    /// Last token of the first argument.
    pub head: usize,
    /// Last token of the second argument.
    pub tail: usize,
    /// Relation.
    pub kind: usize,
}

/// Binary cross-entropy summed over all real pairs of tokens and all relations (eq. 12, with the negatives that the
/// cross-entropy of eq. 10 implies). `[1]`
///
/// # Panics
/// If a positive pair lies outside of its sentence.
pub fn pair_loss(projection: &Projection, positives: &[Positive], lengths: &[usize]) -> Tensor<1> {
    for p in positives {
        assert!(p.head < lengths[p.sentence] && p.tail < lengths[p.sentence], "{p:?} in its sentence");
    }
    let head = &projection.head;
    let run = if kernels::on_host(head.device(), head.dtype()) { kernels::pair_loss } else { composed::pair_loss };
    run(projection, positives, lengths)
}
