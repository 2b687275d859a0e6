//! The CPU kernel of the BiLSTM, forward and backward.
//!
//! One product gives the input's contribution to all gates of all elements. The recurrence then runs step by step
//! through a group of sequences sorted by length: those with an element left come first, so no step meets padding.
//! Groups and directions are independent and run in parallel.
//!
//! Allocation: results, gradients and states come from pooled buffers. The packed weights are allocated once per set of
//! weights; the plan and each task's lists of rows once per pass.

mod backward;
mod forward;
mod packed;
mod plan;

use std::borrow::Cow;

pub(super) use backward::backward;
pub(super) use forward::{Saved, forward};
pub(crate) use packed::PackedWeights;

use crate::runtime::{buffer::Buffer, simd::LANES};
use plan::Direction;

/// Sizes of a BiLSTM and its batch.
#[derive(Clone, Copy, Debug)]
pub(super) struct LstmSizes {
    /// Length of the padded sequences.
    pub steps: usize,
    /// Width of the input.
    pub d_input: usize,
    /// Width of one direction's state.
    pub d_hidden: usize,
}

/// Weights of both directions, with the gates in the order input, forget, cell, output.
#[derive(Clone, Copy)]
pub(super) struct Weights<'a> {
    /// `[2, d_input, 4 d_hidden]`
    pub w_ih: &'a [f32],
    /// `[2, d_hidden, 4 d_hidden]`
    pub w_hh: &'a [f32],
    /// `[2, 4 d_hidden]`
    pub bias: &'a [f32],
}

impl LstmSizes {
    /// Width of a state in internal buffers. The values from `d_hidden` on stay zero: gates of zero keep a state of
    /// zero, and no weight reads it.
    fn d_padded(self) -> usize {
        self.d_hidden.next_multiple_of(LANES)
    }

    /// The weights of one direction, from those of both directions. Each gate is padded.
    fn of_direction(self, x: &[f32], direction: Direction) -> Cow<'_, [f32]> {
        let (forward, backward) = x.split_at(x.len() / 2);
        self.pad_gates(match direction {
            Direction::Forward => forward,
            Direction::Backward => backward,
        })
    }

    /// Rows of gates, each gate padded.
    fn pad_gates(self, gates: &[f32]) -> Cow<'_, [f32]> {
        let (d_hidden, d_padded) = (self.d_hidden, self.d_padded());
        if d_hidden == d_padded {
            return Cow::Borrowed(gates);
        }
        let mut padded = vec![0.0; gates.len() / d_hidden * d_padded];
        for (to, from) in padded.chunks_exact_mut(d_padded).zip(gates.chunks_exact(d_hidden)) {
            to[..d_hidden].copy_from_slice(from);
        }
        Cow::Owned(padded)
    }

    /// Undoes [`pad_gates`](Self::pad_gates).
    fn cut_gates(self, padded: Buffer) -> Buffer {
        let (d_hidden, d_padded) = (self.d_hidden, self.d_padded());
        if d_hidden == d_padded {
            return padded;
        }
        let mut gates = Buffer::new(padded.len() / d_padded * d_hidden);
        for (to, from) in gates.chunks_exact_mut(d_hidden).zip(padded.chunks_exact(d_padded)) {
            to.copy_from_slice(&from[..d_hidden]);
        }
        gates
    }

    /// Whether a pass over this many elements is worth waking other threads for. One sequence is not, at usual widths.
    fn is_large(self, n_elements: usize) -> bool {
        n_elements * self.d_hidden * (self.d_input + self.d_hidden) > 1 << 22
    }
}

/// Splits `x` into pieces of these sizes.
fn split_mut(mut x: &mut [f32], sizes: impl Iterator<Item = usize>) -> Vec<&mut [f32]> {
    let mut pieces = Vec::new();
    for size in sizes {
        let (piece, rest) = x.split_at_mut(size);
        pieces.push(piece);
        x = rest;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{random::Key, runtime::simd::tests::with_every_width};

    #[test]
    fn all_instruction_sets_agree() {
        let (lengths, sizes) = ([3, 1, 4], LstmSizes { steps: 5, d_input: 7, d_hidden: 18 });
        let draw = |site: &str, n: usize| Key::new(2).at(site).uniform(n, 0.5);
        let (w_ih, w_hh) = (draw("w_ih", 2 * 7 * 72), draw("w_hh", 2 * 18 * 72));
        let (x, bias, dy) = (draw("x", 3 * 5 * 7), draw("bias", 2 * 72), draw("dy", 3 * 5 * 36));
        let weights = Weights { w_ih: &w_ih, w_hh: &w_hh, bias: &bias };
        let results = with_every_width(|| {
            let (y, saved) = forward(&x, weights, sizes, &lengths, Arc::default(), true);
            let found = backward(&saved, &x, weights, &dy, true);
            [y, found.x.unwrap(), found.w_ih, found.w_hh, found.bias].map(|values| values.to_vec())
        });
        for others in &results[1..] {
            for (found, expected) in others.iter().flatten().zip(results[0].iter().flatten()) {
                assert!((found - expected).abs() < 2e-6, "{found} for {expected}");
            }
        }
    }
}
