//! The BiLSTM of eq. 1 over a ragged batch, forward and backward, on plain numbers; its definition is
//! [`bilstm_composed`](crate::lstm::bilstm_composed).
//!
//! One product gives the input's share of all gates of all tokens. The recurrence then goes step by step through a
//! group of sentences that is sorted by length, so that those which have a token left always come first and no step
//! meets padding. Groups and directions are independent of each other and run in parallel.

mod backward;
mod forward;
mod packs;
mod plan;

use std::borrow::Cow;

pub(super) use backward::backward;
pub(super) use forward::{Trace, forward};
pub(crate) use packs::Packs;

use super::{buffer::Buffer, simd::LANES};
use plan::Direction;

/// Sizes of a BiLSTM and of the padded batch it reads.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    /// Places of each sentence.
    pub steps: usize,
    /// Width of the input.
    pub d_input: usize,
    /// Width of one direction's state.
    pub d_hidden: usize,
}

/// Weights of both directions, the gates in the order input, forget, cell, output.
#[derive(Clone, Copy)]
pub(super) struct Weights<'a> {
    /// `[2, d_input, 4 d_hidden]`
    pub w_ih: &'a [f32],
    /// `[2, d_hidden, 4 d_hidden]`
    pub w_hh: &'a [f32],
    /// `[2, 4 d_hidden]`
    pub bias: &'a [f32],
}

impl Sizes {
    /// Width of a state in internal buffers. The numbers beyond `d_hidden` stay zero: gates of zero keep a state of
    /// zero, and no weight leads out of it.
    fn d_padded(self) -> usize {
        self.d_hidden.next_multiple_of(LANES)
    }

    /// What belongs to one direction of weights `x` of both, each gate padded.
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

    /// Whether a pass over this many tokens is worth waking other threads for; those of one sentence are not, at the
    /// paper's widths.
    fn is_large(self, n_tokens: usize) -> bool {
        n_tokens * self.d_hidden * (self.d_input + self.d_hidden) > 1 << 22
    }
}

/// `x` in pieces of `sizes`.
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
    use crate::{kernels::simd::tests::with_every_width, random::Key};

    #[test]
    fn every_kind_of_vector_gives_the_same() {
        let (lengths, sizes) = ([3, 1, 4], Sizes { steps: 5, d_input: 7, d_hidden: 18 });
        let draw = |site: &str, n: usize| Key::new(2).at(site).uniform(n, 0.5);
        let (w_ih, w_hh) = (draw("w_ih", 2 * 7 * 72), draw("w_hh", 2 * 18 * 72));
        let (x, bias, dy) = (draw("x", 3 * 5 * 7), draw("bias", 2 * 72), draw("dy", 3 * 5 * 36));
        let weights = Weights { w_ih: &w_ih, w_hh: &w_hh, bias: &bias };
        let results = with_every_width(|| {
            let (y, trace) = forward(&x, weights, sizes, &lengths, Arc::default(), true);
            let found = backward(&trace, &x, weights, &dy, true);
            [y, found.x.unwrap(), found.w_ih, found.w_hh, found.bias].map(|numbers| numbers.to_vec())
        });
        for others in &results[1..] {
            for (found, expected) in others.iter().flatten().zip(results[0].iter().flatten()) {
                assert!((found - expected).abs() < 2e-6, "{found} for {expected}");
            }
        }
    }
}
