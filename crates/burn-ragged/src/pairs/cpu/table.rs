//! All pairs of the elements of a sequence under one projection.
//!
//! With `r = 1 / (e^2u e^2w + 1)` the activation is `tanh(u + w) = 1 - 2 r` and its derivative `4 (r - r²)`.
//! Exponentials are computed once per element. A pair costs a product and half a division, because two values share one
//! division: `1/a = b / (a b)`. Each head element is paired with blocks of tail elements. A block is scored and used
//! for the gradients while it is in the cache. No more of the table is ever stored.

use std::{ops::Range, slice::ChunksExact};

use pulp::Simd;

use crate::{
    pairs::Positive,
    runtime::simd::{LANES, abs, exp, fma, fnma, ln_1p, load, negate, select, tanh, vectors, vectors_mut},
};

/// Tail elements of a block.
const BLOCK: usize = LANES;

/// Up to this sum of the largest |u| and the largest |w|, the product of two values `e^2u e^2w + 1` is finite. Beyond
/// it, tanh is computed directly.
const LARGEST_SUM: f32 = 20.0;

/// One projection of the elements of a sequence, as heads or as tails.
pub(super) struct Side<'a> {
    /// The projections of the elements, for all relations.
    pub rows: ChunksExact<'a, f32>,
    /// The columns of this projection.
    pub columns: Range<usize>,
}

impl<'a> Side<'a> {
    /// u or w of an element.
    fn element(&self, t: usize) -> &'a [f32] {
        let row = self.rows.clone().nth(t).expect("an element of the sequence");
        &row[self.columns.clone()]
    }
}

/// Values per element, computed once for all pairs.
#[derive(Default)]
struct Prepared {
    /// `e^2u` or `e^2w` `[elements, d]`.
    exponentials: Vec<f32>,
    /// The largest |u| or |w| of each element.
    largest: Vec<f32>,
}

impl Prepared {
    #[inline(always)]
    fn fill<S: Simd>(&mut self, simd: S, side: &Side, d: usize) {
        self.exponentials.resize(side.rows.len() * d, 0.0);
        self.largest.clear();
        for (row, to) in side.rows.clone().zip(self.exponentials.chunks_exact_mut(d)) {
            let row = &row[side.columns.clone()];
            let mut largest = simd.splat_f32s(0.0);
            for (q, to) in vectors_mut::<S>(to).iter_mut().enumerate() {
                let x = load(simd, row, q);
                *to = exp(simd, simd.add_f32s(x, x));
                largest = simd.max_f32s(abs(simd, x), largest);
            }
            self.largest.push(simd.reduce_max_f32s(largest));
        }
    }
}

/// See the [module](self). It is reused for all projections of a sequence.
pub(super) struct Table {
    d: usize,
    with_gradients: bool,
    head: Prepared,
    tail: Prepared,
    /// The `r` of a head element and a block of tail elements `[BLOCK, d]`.
    r: Vec<f32>,
    /// The scores of a block `[relations, BLOCK]`.
    scores: Vec<f32>,
    /// Gradient of the loss with respect to the scores `[relations, BLOCK]`.
    d_scores: Vec<f32>,
    /// Gradient of u `[elements, d]`.
    pub d_head: Vec<f32>,
    /// Gradient of w `[elements, d]`.
    pub d_tail: Vec<f32>,
    /// Gradient of v `[relations, d]`.
    pub d_v: Vec<f32>,
}

impl Table {
    /// For sequences of `n` elements and projections that `sharing` relations share, padded to `d` values.
    pub fn new(n: usize, sharing: usize, d: usize, with_gradients: bool) -> Self {
        let zeros = |n| vec![0.0; if with_gradients { n } else { 0 }];
        Self {
            d,
            with_gradients,
            head: Prepared::default(),
            tail: Prepared::default(),
            r: vec![0.0; BLOCK * d],
            scores: vec![0.0; sharing * BLOCK],
            d_scores: vec![0.0; sharing * BLOCK],
            d_head: zeros(n * d),
            d_tail: zeros(n * d),
            d_v: zeros(sharing * d),
        }
    }

    /// The loss of one projection; sets its gradients. The relations of the projection start at `first_kind` and have
    /// the scorers `v` `[relations, d]`. Their `positives` are sorted by head and tail.
    #[inline(always)]
    pub fn run<S: Simd>(
        &mut self,
        simd: S,
        [head, tail]: [Side; 2],
        v: &[f32],
        positives: &[Positive],
        first_kind: usize,
    ) -> f64 {
        self.head.fill(simd, &head, self.d);
        self.tail.fill(simd, &tail, self.d);
        self.d_head.fill(0.0);
        self.d_tail.fill(0.0);
        self.d_v.fill(0.0);
        let n = head.rows.len();
        let mut positives = positives.iter().peekable();
        let mut loss = 0.0;
        for i in 0..n {
            for start in (0..n).step_by(BLOCK) {
                let block = start..(start + BLOCK).min(n);
                let largest = self.tail.largest[block.clone()].iter().fold(0.0f32, |m, &x| m.max(x));
                if self.head.largest[i] + largest <= LARGEST_SUM {
                    self.activate(simd, i, block.clone());
                } else {
                    self.activate_directly(simd, head.element(i), &tail, block.clone());
                }
                self.score(simd, v, block.len());
                loss += f64::from(self.compare(simd));
                while let Some(p) = positives.next_if(|p| p.head == i && p.tail < block.end) {
                    let at = (p.kind - first_kind) * BLOCK + p.tail - start;
                    loss -= f64::from(self.scores[at]);
                    self.d_scores[at] -= 1.0;
                }
                if self.with_gradients {
                    self.spread(simd, v, i, block);
                }
            }
        }
        loss
    }

    /// Fills `r` from the exponentials.
    #[inline(always)]
    fn activate<S: Simd>(&mut self, simd: S, i: usize, block: Range<usize>) {
        let d = self.d;
        let one = simd.splat_f32s(1.0);
        let r = &mut self.r[..block.len() * d];
        let w = &self.tail.exponentials[block.start * d..block.end * d];
        let u = vectors::<S>(&self.head.exponentials[i * d..][..d]);
        for (r, w) in r.chunks_mut(2 * d).zip(w.chunks(2 * d)) {
            let (r0, r1) = vectors_mut::<S>(r).split_at_mut(u.len());
            let (w0, w1) = vectors::<S>(w).split_at(u.len());
            if r1.is_empty() {
                for ((r, &w), &u) in r0.iter_mut().zip(w0).zip(u) {
                    *r = simd.div_f32s(one, fma(simd, u, w, one));
                }
            } else {
                for ((((r0, r1), &w0), &w1), &u) in r0.iter_mut().zip(r1).zip(w0).zip(w1).zip(u) {
                    let (a, b) = (fma(simd, u, w0, one), fma(simd, u, w1, one));
                    let both = simd.div_f32s(one, simd.mul_f32s(a, b));
                    (*r0, *r1) = (simd.mul_f32s(both, b), simd.mul_f32s(both, a));
                }
            }
        }
    }

    /// Fills `r` as `(1 - tanh(u + w)) / 2`, for values of any size.
    #[inline(always)]
    fn activate_directly<S: Simd>(&mut self, simd: S, u: &[f32], tail: &Side, block: Range<usize>) {
        let (one, half) = (simd.splat_f32s(1.0), simd.splat_f32s(0.5));
        for (r, t) in self.r.chunks_exact_mut(self.d).zip(block) {
            let w = tail.element(t);
            for (q, r) in vectors_mut::<S>(r).iter_mut().enumerate() {
                let t = tanh(simd, simd.add_f32s(load(simd, u, q), load(simd, w, q)));
                *r = simd.mul_f32s(simd.sub_f32s(one, t), half);
            }
        }
    }

    /// Sets the scores of the first `n` tail elements of a block, `V tanh = sum v - 2 sum v r`.
    #[inline(always)]
    fn score<S: Simd>(&mut self, simd: S, v: &[f32], n: usize) {
        for (v, scores) in v.chunks_exact(self.d).zip(self.scores.chunks_exact_mut(BLOCK)) {
            let v = vectors::<S>(v);
            let mut total = simd.splat_f32s(0.0);
            for &v in v {
                total = simd.add_f32s(total, v);
            }
            scores[n..].fill(-87.0); // adds nothing to the loss
            for (r, score) in self.r.chunks_exact(self.d).zip(&mut scores[..n]) {
                let mut sum = simd.splat_f32s(0.0);
                for (&r, &v) in vectors::<S>(r).iter().zip(v) {
                    sum = fma(simd, r, v, sum);
                }
                *score = simd.reduce_sum_f32s(fnma(simd, simd.splat_f32s(2.0), sum, total));
            }
        }
    }

    /// `sum log(1 + e^s)` of a block; sets `d_scores` to its gradient, `1 / (1 + e^-s)`.
    #[inline(always)]
    fn compare<S: Simd>(&mut self, simd: S) -> f32 {
        let (zero, one) = (simd.splat_f32s(0.0), simd.splat_f32s(1.0));
        let mut sum = zero;
        for (d_score, &s) in vectors_mut::<S>(&mut self.d_scores).iter_mut().zip(vectors::<S>(&self.scores)) {
            let e = exp(simd, negate(simd, abs(simd, s)));
            let is_negative = simd.less_than_f32s(s, zero);
            *d_score = simd.div_f32s(select(simd, is_negative, e, one), simd.add_f32s(one, e));
            let positive = select(simd, is_negative, zero, s);
            sum = simd.add_f32s(sum, simd.add_f32s(positive, ln_1p(simd, e)));
        }
        simd.reduce_sum_f32s(sum)
    }

    /// Adds the gradients of a block.
    #[inline(always)]
    fn spread<S: Simd>(&mut self, simd: S, v: &[f32], i: usize, block: Range<usize>) {
        let d = self.d;
        let (one, two, four) = (simd.splat_f32s(1.0), simd.splat_f32s(2.0), simd.splat_f32s(4.0));
        let width = d / S::F32_LANES;
        let n = block.len();
        let r = &vectors::<S>(&self.r)[..n * width];
        let v = vectors::<S>(v);
        let d_head = &mut vectors_mut::<S>(&mut self.d_head[i * d..][..d])[..width];
        let d_tail = &mut vectors_mut::<S>(&mut self.d_tail[block.start * d..block.end * d])[..n * width];
        let d_v = vectors_mut::<S>(&mut self.d_v);
        if v.len() == width {
            let g = &self.d_scores[..n];
            for q in 0..width {
                let v = simd.mul_f32s(four, v[q]);
                let (mut du, mut dv) = (d_head[q], simd.splat_f32s(0.0));
                for (j, &g) in g.iter().enumerate() {
                    let (g, r) = (simd.splat_f32s(g), r[j * width + q]);
                    let slope = simd.mul_f32s(simd.mul_f32s(g, v), fnma(simd, r, r, r));
                    du = simd.add_f32s(du, slope);
                    d_tail[j * width + q] = simd.add_f32s(d_tail[j * width + q], slope);
                    dv = fma(simd, g, fnma(simd, two, r, one), dv);
                }
                d_head[q] = du;
                d_v[q] = simd.add_f32s(d_v[q], dv);
            }
            return;
        }
        for q in 0..width {
            let mut du = d_head[q];
            for j in 0..n {
                let r = r[j * width + q];
                let mut along_v = simd.splat_f32s(0.0);
                for (v, g) in v.chunks_exact(width).zip(self.d_scores.chunks_exact(BLOCK)) {
                    along_v = fma(simd, simd.splat_f32s(g[j]), v[q], along_v);
                }
                let slope = simd.mul_f32s(simd.mul_f32s(along_v, four), fnma(simd, r, r, r));
                du = simd.add_f32s(du, slope);
                d_tail[j * width + q] = simd.add_f32s(d_tail[j * width + q], slope);
            }
            d_head[q] = du;
            for (d_v, g) in d_v.chunks_exact_mut(width).zip(self.d_scores.chunks_exact(BLOCK)) {
                let mut dv = simd.splat_f32s(0.0);
                for (j, &g) in g[..n].iter().enumerate() {
                    dv = fma(simd, simd.splat_f32s(g), fnma(simd, two, r[j * width + q], one), dv);
                }
                d_v[q] = simd.add_f32s(d_v[q], dv);
            }
        }
    }
}
