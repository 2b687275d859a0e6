//! Scores of ordered pairs of elements of a sequence: `s(i, j, k) = V_k tanh(u_i + w_j)` for `k` of some relations, and
//! their binary cross-entropy over all pairs.
//!
//! The table of all pairs has `steps² * relations * hidden` values under the tanh. The kernel never stores it.

mod autodiff;
mod cpu;
mod reference;

use burn::tensor::{Int, Tensor, TensorData};

use crate::{
    ragged::Ragged,
    runtime::cpu_backend::{has_kernels, with_values},
};

pub use reference::{pair_loss_reference, pair_table_reference};

/// A positive pair of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Positive {
    /// Sequence of the batch.
    pub sequence: usize,
    /// First element of the pair.
    pub head: usize,
    /// Second element of the pair.
    pub tail: usize,
    /// Relation.
    pub kind: usize,
}

/// What the scores of all pairs of a batch are made of.
#[derive(Clone, Debug)]
pub struct PairProjection {
    head: Ragged,
    tail: Ragged,
    v: Tensor<2>,
}

impl PairProjection {
    /// Projections of the elements as first and as second members of pairs.
    ///
    /// # Shapes
    /// - head: `u` `[batch, steps, relations * hidden]`, or `[batch, steps, hidden]` if all relations share it
    /// - tail: `w`, likewise
    /// - v: `V` `[relations, hidden]`
    ///
    /// # Panics
    /// If the shapes or layouts do not fit each other.
    pub fn new(head: Ragged, tail: Ragged, v: Tensor<2>) -> Self {
        let [relations, hidden] = v.dims();
        assert_eq!(head.layout(), tail.layout(), "projections of the same sequences");
        assert_eq!(head.width(), tail.width(), "projections of one width");
        let width = head.width();
        assert!(
            width == hidden || width == relations * hidden,
            "a width of {hidden} or {relations} x {hidden}: {width}"
        );
        Self { head, tail, v }
    }

    /// `u`.
    pub fn head(&self) -> &Ragged {
        &self.head
    }

    /// `w`.
    pub fn tail(&self) -> &Ragged {
        &self.tail
    }

    /// `V` `[relations, hidden]`.
    pub fn v(&self) -> &Tensor<2> {
        &self.v
    }

    /// Scores of the given pairs (sequence, first element, second element). `[pairs, relations]`
    ///
    /// # Panics
    /// If there is no pair.
    pub fn scores(&self, pairs: &[(usize, usize, usize)]) -> Tensor<2> {
        let (steps, width) = (self.head.layout().steps(), self.head.width());
        let [relations, hidden] = self.v.dims();
        let device = self.head.device();
        if has_kernels(&device, self.head.dtype()) && !self.head.values().is_tracked() {
            let sizes = cpu::PairSizes { steps, width, relations, hidden };
            let rows = pairs.iter().map(|&(sequence, i, j)| (sequence * steps + i, sequence * steps + j));
            let scores = with_values(self.head.values(), |head| {
                with_values(self.tail.values(), |tail| {
                    with_values(&self.v, |v| cpu::pair_scores([head, tail, v], sizes, rows))
                })
            });
            return Tensor::from_data(TensorData::new(scores, [pairs.len(), relations]), &device);
        }
        let rows = |x: &Ragged, place: fn(&(usize, usize, usize)) -> usize| {
            let rows: Vec<i64> = pairs.iter().map(|pair| (pair.0 * steps + place(pair)) as i64).collect();
            let rows = Tensor::<1, Int>::from_data(TensorData::new(rows, [pairs.len()]), &device);
            x.clone().into_rows().select(0, rows).unsqueeze_dims::<4>(&[0, 0])
        };
        let sum = rows(&self.head, |pair| pair.1) + rows(&self.tail, |pair| pair.2); // [1, 1, pairs, width]
        reference::scores(sum, &self.v).reshape([pairs.len(), relations])
    }
}

/// Binary cross-entropy summed over all pairs of real elements, an element with itself included, and all relations.
/// `[1]`
///
/// # Panics
/// If a positive pair lies outside of its sequence.
pub fn pair_loss(projection: &PairProjection, positives: &[Positive]) -> Tensor<1> {
    let lengths = projection.head.layout().lengths();
    for p in positives {
        assert!(p.head < lengths[p.sequence] && p.tail < lengths[p.sequence], "{p:?} in its sequence");
    }
    if has_kernels(&projection.head.device(), projection.head.dtype()) {
        autodiff::pair_loss(projection, positives)
    } else {
        pair_loss_reference(projection, positives)
    }
}
