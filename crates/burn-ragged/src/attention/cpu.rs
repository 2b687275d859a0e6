//! The CPU kernel of attention, sequence by sequence and head by head, forward and backward.
//!
//! Allocation: results, gradients, attention weights and packed keys and values come from pooled buffers.

use pulp::{Simd, WithSimd};

use crate::runtime::{
    buffer::Buffer,
    parallel::for_each,
    product::{Base, Columns, Panels, Rows, RowsMut, transpose},
    simd::{LANES, dispatch, exp, fma, vectors, vectors_mut},
};
use crate::{
    dropout::{DropoutMasks, RowMask},
    ragged::Layout,
};

/// Queries per block of scores if nothing is saved.
const BLOCK: usize = 64;

/// The sizes of a batch.
#[derive(Clone, Debug)]
pub(super) struct AttentionSizes {
    /// Width of queries, keys and values.
    pub d_model: usize,
    /// Number of heads, each `d_model / heads` wide.
    pub heads: usize,
    /// The queries.
    pub queries: Layout,
    /// The keys and the values.
    pub keys: Layout,
}

impl AttentionSizes {
    fn d_head(&self) -> usize {
        self.d_model / self.heads
    }

    /// Whether the batch is worth waking other threads for.
    fn is_large(&self) -> bool {
        let pairs = self.queries.lengths().iter().zip(self.keys.lengths()).map(|(queries, keys)| queries * keys);
        pairs.sum::<usize>() * self.d_model > 1 << 18
    }
}

/// A tensor `[batch, steps, width]` cut into sequences, each without its padding.
fn sequences<'a>(layout: &'a Layout, x: &'a [f32], width: usize) -> impl Iterator<Item = &'a [f32]> {
    x.chunks_exact(layout.steps() * width).zip(layout.lengths()).map(move |(x, n)| &x[..n * width])
}

/// Width of a row of attention weights over `n` keys.
fn padded(n: usize) -> usize {
    n.next_multiple_of(LANES)
}

/// Values of a sequence that the backward pass needs; empty if there is no backward pass.
#[derive(Debug)]
pub(super) struct Saved {
    /// Attention weights `[heads, queries, padded keys]`.
    weights: Buffer,
    /// Their dropout mask, in the same shape; empty without dropout.
    mask: Buffer,
}

/// The output `[batch, queries, d_model]`, zero at padding, and what the backward pass needs. `keep`: whether one
/// follows.
pub(super) fn forward(
    [q, k, v]: [&[f32]; 3],
    sizes: &AttentionSizes,
    dropout: Option<&DropoutMasks>,
    keep: bool,
) -> (Buffer, Vec<Saved>) {
    let &AttentionSizes { d_model, heads, ref queries, ref keys } = sizes;
    let mut output = Buffer::new(q.len());
    let saved = |(n, &m): (&usize, &usize)| {
        let buffer = |is_kept| Buffer::new(if is_kept { heads * n * padded(m) } else { 0 });
        Saved { weights: buffer(keep), mask: buffer(keep && dropout.is_some()) }
    };
    let mut saved: Vec<Saved> = queries.lengths().iter().zip(keys.lengths()).map(saved).collect();
    let tasks = output
        .chunks_exact_mut(queries.steps() * d_model)
        .zip(&mut saved)
        .zip(sequences(queries, q, d_model).zip(sequences(keys, k, d_model)).zip(sequences(keys, v, d_model)))
        .enumerate()
        .map(|(i, ((output, saved), ((q, k), v)))| {
            let dropout = dropout.map(|masks| masks.of(i));
            Forward { sizes, q, k, v, dropout, output, saved }
        });
    for_each(sizes.is_large(), tasks.collect(), dispatch);
    (output, saved)
}

/// The gradients of queries, keys and values, given that of the output, `dy`; zero at padding.
pub(super) fn backward([q, k, v]: [&[f32]; 3], saved: &[Saved], dy: &[f32], sizes: &AttentionSizes) -> [Buffer; 3] {
    let &AttentionSizes { d_model, ref queries, ref keys, .. } = sizes;
    let mut gradients = [q, k, v].map(|x| Buffer::new(x.len()));
    let [dq, dk, dv] = &mut gradients;
    let tasks = dq
        .chunks_exact_mut(queries.steps() * d_model)
        .zip(dk.chunks_exact_mut(keys.steps() * d_model))
        .zip(dv.chunks_exact_mut(keys.steps() * d_model))
        .zip(sequences(queries, q, d_model).zip(sequences(keys, k, d_model)).zip(sequences(keys, v, d_model)))
        .zip(saved.iter().zip(sequences(queries, dy, d_model)))
        .map(|((((dq, dk), dv), ((q, k), v)), (saved, dy))| Backward { sizes, q, k, v, saved, dy, to: [dq, dk, dv] });
    for_each(sizes.is_large(), tasks.collect(), dispatch);
    gradients
}

/// The forward pass of one sequence.
struct Forward<'a> {
    sizes: &'a AttentionSizes,
    q: &'a [f32],
    k: &'a [f32],
    v: &'a [f32],
    dropout: Option<RowMask>,
    output: &'a mut [f32],
    saved: &'a mut Saved,
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { sizes, q, k, v, mut dropout, output, saved } = self;
        let (d_model, d_head) = (sizes.d_model, sizes.d_head());
        let (n, n_keys) = (q.len() / d_model, k.len() / d_model);
        output[n * d_model..].fill(0.0);
        let width = padded(n_keys);
        let index: Vec<usize> = (0..n).collect();
        let scale = 1.0 / (d_head as f32).sqrt();
        let of_block = |is_needed| Buffer::new(if is_needed { BLOCK.min(n) * width } else { 0 });
        let mut scores = of_block(saved.weights.is_empty());
        let mut mask = of_block(dropout.is_some() && saved.mask.is_empty());
        let mut dropped = of_block(dropout.is_some());
        for head in 0..sizes.heads {
            let first = head * d_head;
            let columns = |data| Columns { data, width: d_model, range: first..first + d_head };
            let keys = Panels::transposed(simd, columns(k));
            let values = Panels::new(simd, columns(v));
            for start in (0..n).step_by(BLOCK) {
                let rows = start..(start + BLOCK).min(n);
                let (here, kept) = (..rows.len() * width, (head * n + start) * width);
                let block = match &mut *saved.weights {
                    [] => &mut scores[here],
                    weights => &mut weights[kept..][here],
                };
                let (queries, local) = (&index[rows.clone()], &index[..rows.len()]);
                let from = Rows { data: &q[first..], width: d_model, index: queries };
                keys.multiply(simd, from, RowsMut { data: block, width, index: local }, Base::Zero);
                for row in block.chunks_exact_mut(width) {
                    softmax(simd, row, n_keys, scale);
                }
                let mut weights = &*block;
                if let Some(dropout) = &mut dropout {
                    let mask = match &mut *saved.mask {
                        [] => &mut mask[here],
                        masks => &mut masks[kept..][here],
                    };
                    for row in mask.chunks_exact_mut(width) {
                        dropout.draw(&mut row[..n_keys]);
                        row[n_keys..].fill(0.0);
                    }
                    multiply(simd, block, mask, &mut dropped[here]);
                    weights = &dropped[here];
                }
                let from = Rows { data: weights, width, index: local };
                let to = RowsMut { data: &mut output[first..], width: d_model, index: queries };
                values.multiply(simd, from, to, Base::Zero);
            }
        }
    }
}

/// The backward pass of one sequence.
struct Backward<'a> {
    sizes: &'a AttentionSizes,
    q: &'a [f32],
    k: &'a [f32],
    v: &'a [f32],
    saved: &'a Saved,
    dy: &'a [f32],
    to: [&'a mut [f32]; 3],
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { sizes, q, k, v, saved, dy, to: [dq, dk, dv] } = self;
        let (d_model, d_head) = (sizes.d_model, sizes.d_head());
        let (n, n_keys) = (q.len() / d_model, k.len() / d_model);
        for (gradient, n) in [(&mut *dq, n), (&mut *dk, n_keys), (&mut *dv, n_keys)] {
            gradient[n * d_model..].fill(0.0);
        }
        let (width, turned_width) = (padded(n_keys), padded(n));
        let index: Vec<usize> = (0..n.max(n_keys)).collect();
        let (of_queries, of_keys) = (&index[..n], &index[..n_keys]);
        let scale = 1.0 / (d_head as f32).sqrt();
        let (mut d_scores, mut turned) = (Buffer::new(n * width), Buffer::new(n_keys * turned_width));
        let mut dropped = Buffer::new(if saved.mask.is_empty() { 0 } else { n * width });
        for (head, weights) in saved.weights.chunks_exact(n * width).enumerate() {
            let first = head * d_head;
            let columns = |data| Columns { data, width: d_model, range: first..first + d_head };
            let mask = if saved.mask.is_empty() { None } else { Some(&saved.mask[head * n * width..][..n * width]) };
            // y = (P * mask) v
            if let Some(mask) = mask {
                multiply(simd, weights, mask, &mut dropped);
            }
            let used = if mask.is_some() { &dropped } else { weights };
            transpose(used, width, &mut turned, turned_width, [n, n_keys]);
            let from = Rows { data: &turned, width: turned_width, index: of_keys };
            let to = RowsMut { data: &mut dv[first..], width: d_model, index: of_keys };
            Panels::new(simd, columns(dy)).multiply(simd, from, to, Base::Zero);
            let from = Rows { data: &dy[first..], width: d_model, index: of_queries };
            let to = RowsMut { data: &mut d_scores, width, index: of_queries };
            Panels::transposed(simd, columns(v)).multiply(simd, from, to, Base::Zero);
            if let Some(mask) = mask {
                for (d_scores, &mask) in vectors_mut::<S>(&mut d_scores).iter_mut().zip(vectors::<S>(mask)) {
                    *d_scores = simd.mul_f32s(*d_scores, mask);
                }
            }
            // P = softmax(s / sqrt(d_head))
            for (d_scores, weights) in d_scores.chunks_exact_mut(width).zip(weights.chunks_exact(width)) {
                d_scores[n_keys..].fill(0.0);
                softmax_backward(simd, d_scores, weights, scale);
            }
            // s = q k^T
            let from = Rows { data: &d_scores, width, index: of_queries };
            let to = RowsMut { data: &mut dq[first..], width: d_model, index: of_queries };
            Panels::new(simd, columns(k)).multiply(simd, from, to, Base::Zero);
            transpose(&d_scores, width, &mut turned, turned_width, [n, n_keys]);
            let from = Rows { data: &turned, width: turned_width, index: of_keys };
            let to = RowsMut { data: &mut dk[first..], width: d_model, index: of_keys };
            Panels::new(simd, columns(q)).multiply(simd, from, to, Base::Zero);
        }
    }
}

/// `to = a * b`, elementwise.
#[inline(always)]
fn multiply<S: Simd>(simd: S, a: &[f32], b: &[f32], to: &mut [f32]) {
    for ((to, &a), &b) in vectors_mut::<S>(to).iter_mut().zip(vectors::<S>(a)).zip(vectors::<S>(b)) {
        *to = simd.mul_f32s(a, b);
    }
}

/// In place, the softmax of the first `n` values of a row times `scale`, which is above 0. The other values become 0.
#[inline(always)]
fn softmax<S: Simd>(simd: S, row: &mut [f32], n: usize, scale: f32) {
    row[n..].fill(f32::NEG_INFINITY);
    let mut largest = simd.splat_f32s(f32::NEG_INFINITY);
    for &x in vectors::<S>(row) {
        largest = simd.max_f32s(largest, x);
    }
    let largest = simd.splat_f32s(simd.reduce_max_f32s(largest));
    let scale = simd.splat_f32s(scale);
    for x in vectors_mut::<S>(row) {
        *x = exp(simd, simd.mul_f32s(simd.sub_f32s(*x, largest), scale));
    }
    row[n..].fill(0.0);
    let mut sum = simd.splat_f32s(0.0);
    for &x in vectors::<S>(row) {
        sum = simd.add_f32s(sum, x);
    }
    let factor = simd.splat_f32s(1.0 / simd.reduce_sum_f32s(sum));
    for x in vectors_mut::<S>(row) {
        *x = simd.mul_f32s(*x, factor);
    }
}

/// In place, the gradient of a row of weights to that of its unscaled scores: `scale P (dP - sum dP P)`.
#[inline(always)]
fn softmax_backward<S: Simd>(simd: S, gradient: &mut [f32], weights: &[f32], scale: f32) {
    let (gradient, weights) = (vectors_mut::<S>(gradient), vectors::<S>(weights));
    let mut sum = simd.splat_f32s(0.0);
    for (&g, &w) in gradient.iter().zip(weights) {
        sum = fma(simd, g, w, sum);
    }
    let (sum, scale) = (simd.splat_f32s(simd.reduce_sum_f32s(sum)), simd.splat_f32s(scale));
    for (g, &w) in gradient.iter_mut().zip(weights) {
        *g = simd.mul_f32s(simd.mul_f32s(w, scale), simd.sub_f32s(*g, sum));
    }
}
