//! Scaled dot-product attention of every head, sentence by sentence (eqs. 2 and 3).

use pulp::{Simd, WithSimd};

use super::{
    parallel::for_each,
    product::{Columns, Panels, Rows, RowsMut},
    scratch::Scratch,
    simd::{LANES, dispatch, exp, fma, vectors, vectors_mut},
};

/// Queries whose scores are in memory at once where nothing is kept.
const BLOCK: usize = 64;

/// The sizes of a batch.
#[derive(Clone, Debug)]
pub(super) struct Sizes {
    /// Places of a sentence, padding included.
    pub steps: usize,
    /// Width of queries, keys and values.
    pub d_model: usize,
    /// Number of heads, each `d_model / heads` wide.
    pub heads: usize,
    /// Number of tokens of each sentence.
    pub lengths: Vec<usize>,
}

impl Sizes {
    fn d_head(&self) -> usize {
        self.d_model / self.heads
    }

    /// Whether the batch is worth waking other threads for.
    fn is_large(&self) -> bool {
        self.lengths.iter().map(|n| n * n * self.d_model).sum::<usize>() > 1 << 18
    }

    /// A tensor `[batch, steps, d_model]` cut into sentences, each without its padding.
    fn sentences<'a>(&'a self, x: &'a [f32]) -> impl Iterator<Item = &'a [f32]> {
        x.chunks_exact(self.steps * self.d_model).zip(&self.lengths).map(|(x, n)| &x[..n * self.d_model])
    }
}

/// Width of a row of attention weights over `n` keys.
fn padded(n: usize) -> usize {
    n.next_multiple_of(LANES)
}

/// What each token gathers, `[batch, steps, d_model]`, zero at padding; and, if a backward pass will follow, the
/// attention weights of each sentence, `[heads, n, padded n]`.
pub(super) fn forward(q: &[f32], k: &[f32], v: &[f32], sizes: &Sizes, keep: bool) -> (Vec<f32>, Vec<Scratch>) {
    let mut output = vec![0.0; q.len()];
    let kept = |&n: &usize| Scratch::new(if keep { sizes.heads * n * padded(n) } else { 0 });
    let mut weights: Vec<Scratch> = sizes.lengths.iter().map(kept).collect();
    let tasks = output
        .chunks_exact_mut(sizes.steps * sizes.d_model)
        .zip(&mut weights)
        .zip(sizes.sentences(q).zip(sizes.sentences(k)).zip(sizes.sentences(v)))
        .map(|((output, weights), ((q, k), v))| Forward { sizes, q, k, v, output, weights });
    for_each(sizes.is_large(), tasks.collect(), dispatch);
    (output, weights)
}

/// The gradients of queries, keys and values from that of the output, `dy`; zero at padding.
pub(super) fn backward([q, k, v]: [&[f32]; 3], weights: &[Scratch], dy: &[f32], sizes: &Sizes) -> [Vec<f32>; 3] {
    let mut gradients = [(); 3].map(|()| vec![0.0; q.len()]);
    let [dq, dk, dv] = gradients.each_mut().map(|gradient| gradient.chunks_exact_mut(sizes.steps * sizes.d_model));
    let tasks = dq
        .zip(dk)
        .zip(dv)
        .zip(sizes.sentences(q).zip(sizes.sentences(k)).zip(sizes.sentences(v)))
        .zip(weights.iter().zip(sizes.sentences(dy)))
        .map(|((((dq, dk), dv), ((q, k), v)), (weights, dy))| Backward {
            sizes,
            q,
            k,
            v,
            weights,
            dy,
            to: [dq, dk, dv],
        });
    for_each(sizes.is_large(), tasks.collect(), dispatch);
    gradients
}

/// One sentence.
struct Forward<'a> {
    sizes: &'a Sizes,
    q: &'a [f32],
    k: &'a [f32],
    v: &'a [f32],
    output: &'a mut [f32],
    weights: &'a mut [f32],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { sizes, q, k, v, output, weights } = self;
        let (d_model, d_head) = (sizes.d_model, sizes.d_head());
        let n = q.len() / d_model;
        let width = padded(n);
        let index: Vec<usize> = (0..n).collect();
        let scale = 1.0 / (d_head as f32).sqrt();
        let mut scores = Scratch::new(if weights.is_empty() { BLOCK.min(n) * width } else { 0 });
        for head in 0..sizes.heads {
            let first = head * d_head;
            let columns = |data| Columns { data, width: d_model, range: first..first + d_head };
            let keys = Panels::transposed(simd, columns(k));
            let values = Panels::new(simd, columns(v));
            for start in (0..n).step_by(BLOCK) {
                let rows = start..(start + BLOCK).min(n);
                let block = if weights.is_empty() {
                    &mut scores[..rows.len() * width]
                } else {
                    &mut weights[(head * n + start) * width..][..rows.len() * width]
                };
                let (queries, here) = (&index[rows.clone()], &index[..rows.len()]);
                let from = Rows { data: &q[first..], width: d_model, index: queries };
                keys.multiply(simd, from, RowsMut { data: block, width, index: here }, false);
                for row in block.chunks_exact_mut(width) {
                    softmax(simd, row, n, scale);
                }
                let from = Rows { data: block, width, index: here };
                let to = RowsMut { data: &mut output[first..], width: d_model, index: queries };
                values.multiply(simd, from, to, false);
            }
        }
    }
}

/// One sentence back.
struct Backward<'a> {
    sizes: &'a Sizes,
    q: &'a [f32],
    k: &'a [f32],
    v: &'a [f32],
    weights: &'a [f32],
    dy: &'a [f32],
    to: [&'a mut [f32]; 3],
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { sizes, q, k, v, weights, dy, to: [dq, dk, dv] } = self;
        let (d_model, d_head) = (sizes.d_model, sizes.d_head());
        let n = q.len() / d_model;
        let width = padded(n);
        let index: Vec<usize> = (0..n).collect();
        let scale = 1.0 / (d_head as f32).sqrt();
        let [mut d_scores, mut turned] = [(); 2].map(|()| Scratch::new(n * width));
        for (head, weights) in weights.chunks_exact(n * width).enumerate() {
            let first = head * d_head;
            let columns = |data| Columns { data, width: d_model, range: first..first + d_head };
            // y = P v
            transpose(weights, width, n, &mut turned);
            let from = Rows { data: &turned, width, index: &index };
            let to = RowsMut { data: &mut dv[first..], width: d_model, index: &index };
            Panels::new(simd, columns(dy)).multiply(simd, from, to, false);
            let from = Rows { data: &dy[first..], width: d_model, index: &index };
            let to = RowsMut { data: &mut d_scores, width, index: &index };
            Panels::transposed(simd, columns(v)).multiply(simd, from, to, false);
            // P = softmax(s / sqrt(d_head))
            for (d_scores, weights) in d_scores.chunks_exact_mut(width).zip(weights.chunks_exact(width)) {
                d_scores[n..].fill(0.0);
                softmax_backward(simd, d_scores, weights, scale);
            }
            // s = q k^T
            let from = Rows { data: &d_scores, width, index: &index };
            let to = RowsMut { data: &mut dq[first..], width: d_model, index: &index };
            Panels::new(simd, columns(k)).multiply(simd, from, to, false);
            transpose(&d_scores, width, n, &mut turned);
            let from = Rows { data: &turned, width, index: &index };
            let to = RowsMut { data: &mut dk[first..], width: d_model, index: &index };
            Panels::new(simd, columns(q)).multiply(simd, from, to, false);
        }
    }
}

/// `to[j, i] = x[i, j]` for `i` and `j` below `n`, rows of both `width` apart.
fn transpose(x: &[f32], width: usize, n: usize, to: &mut [f32]) {
    for (i, row) in x.chunks_exact(width).enumerate() {
        row[..n].iter().enumerate().for_each(|(j, &x)| to[j * width + i] = x);
    }
}

/// The softmax of the first `n` numbers of a row times `scale`, above 0, in their place; the others become 0.
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

/// From the gradient of a row of weights to that of its scores before they were scaled: `scale P (dP - sum dP P)`.
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
