//! The CPU kernel of the negative log-likelihood and its gradients, in one pass.
//!
//! The forward recursion `alpha_t[j] = log sum_i exp(alpha_{t-1}[i] + pair_t[i, j])` also gives the probability of each
//! previous tag given a tag: `P_t[i, j] = exp(alpha_{t-1}[i] + pair_t[i, j] - alpha_t[j])`. Its columns sum to one.
//! Going back from the probabilities of the last tag, `p_t[i, j] = P_t[i, j] p_t[j]` is the probability of every pair
//! of tags, which is the gradient of the log-partition. This takes no further exponential and cannot overflow.
//!
//! Allocation: the gradients come from pooled buffers. Each sequence allocates its recursion.

use pulp::{Simd, WithSimd};

use crate::runtime::{
    buffer::Buffer,
    parallel::for_each,
    simd::{LANES, dispatch, exp, load, select, store, vectors, vectors_mut},
};

/// The values of [`Potentials`](super::Potentials).
#[derive(Clone, Copy)]
pub(super) struct Potentials<'a> {
    /// `[batch, tags]`
    pub first: &'a [f32],
    /// `[batch, steps, from, to]`
    pub pair: &'a [f32],
    /// `[tags]`
    pub end: &'a [f32],
    /// Length of the padded sequences.
    pub steps: usize,
}

/// The gradients of the loss: probabilities under the model minus gold.
#[derive(Debug)]
pub(super) struct Gradients {
    /// `[batch, tags]`
    pub first: Buffer,
    /// `[batch, steps, from, to]`, zero at step 0 and at padding
    pub pair: Buffer,
    /// `[tags]`
    pub end: Buffer,
}

/// The loss summed over the sequences, and its gradients.
pub(super) fn negative_log_likelihood(potentials: Potentials, tags: &[Vec<u32>]) -> (f32, Gradients) {
    let Potentials { first, pair, end, steps } = potentials;
    let k = end.len();
    let (mut d_first, mut d_pair) = (Buffer::zeros(first.len()), Buffer::zeros(pair.len()));
    let mut results = vec![SequenceLoss { loss: 0.0, end: vec![0.0; k] }; tags.len()];
    let inputs = tags.iter().zip(first.chunks_exact(k)).zip(pair.chunks_exact(steps * k * k));
    let outputs = d_first.chunks_exact_mut(k).zip(d_pair.chunks_exact_mut(steps * k * k)).zip(&mut results);
    let mut tasks = Vec::with_capacity(tags.len());
    for (((tags, first), pair), ((d_first, d_pair), result)) in inputs.zip(outputs) {
        tasks.push(Task { tags, first, pair, end, d_first, d_pair, result });
    }
    for_each(pair.len() > 1 << 17, tasks, dispatch);

    let loss: f64 = results.iter().map(|result| result.loss).sum();
    let mut d_end = Buffer::zeros(k);
    for result in &results {
        d_end.iter_mut().zip(&result.end).for_each(|(sum, part)| *sum += part);
    }
    (loss as f32, Gradients { first: d_first, pair: d_pair, end: d_end })
}

/// A task: the potentials of a sequence and the gradients to write.
struct Task<'a> {
    tags: &'a [u32],
    first: &'a [f32],
    pair: &'a [f32],
    end: &'a [f32],
    d_first: &'a mut [f32],
    d_pair: &'a mut [f32],
    result: &'a mut SequenceLoss,
}

/// The loss of a sequence and its gradient with respect to the scores of the last tag.
#[derive(Clone)]
struct SequenceLoss {
    loss: f64,
    end: Vec<f32>,
}

impl WithSimd for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { tags, first, pair, end, d_first, d_pair, result } = self;
        let (n, k) = (tags.len(), end.len());
        let width = k.next_multiple_of(LANES);
        // alpha minus its largest value, to keep precision in long sequences
        let mut alpha = vec![0.0; width];
        alpha[..k].copy_from_slice(first);
        let mut offset = normalise(&mut alpha[..k]);
        let mut before = vec![0.0; n * k * width];
        let mut next = vec![0.0; width];
        for (pair, before) in pair.chunks_exact(k * k).zip(before.chunks_exact_mut(k * width)).take(n).skip(1) {
            recur(simd, &alpha[..k], pair, before, &mut next);
            std::mem::swap(&mut alpha, &mut next);
            offset += normalise(&mut alpha[..k]);
        }
        let last: Vec<f64> = alpha.iter().zip(end).map(|(&a, &e)| f64::from(a) + f64::from(e)).collect();
        let largest = last.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = last.iter().map(|score| (score - largest).exp()).sum();

        let mut probability = vec![0.0; width];
        for (p, score) in probability.iter_mut().zip(&last) {
            *p = ((score - largest).exp() / sum) as f32;
        }
        result.end.copy_from_slice(&probability[..k]);
        for t in (1..n).rev() {
            let before = &before[t * k * width..][..k * width];
            go_back(simd, before, &mut d_pair[t * k * k..][..k * k], &mut probability, &mut next);
        }
        d_first.copy_from_slice(&probability[..k]);

        let mut gold = f64::from(first[tags[0] as usize]) + f64::from(end[tags[n - 1] as usize]);
        d_first[tags[0] as usize] -= 1.0;
        result.end[tags[n - 1] as usize] -= 1.0;
        for (t, from_to) in (1..n).zip(tags.windows(2)) {
            let at = (t * k + from_to[0] as usize) * k + from_to[1] as usize;
            gold += f64::from(pair[at]);
            d_pair[at] -= 1.0;
        }
        result.loss = offset + largest + sum.ln() - gold;
    }
}

/// Subtracts the largest value from all values and returns it.
fn normalise(alpha: &mut [f32]) -> f64 {
    let largest = alpha.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    alpha.iter_mut().for_each(|a| *a -= largest);
    largest.into()
}

/// One step of the forward recursion: from `alpha` to `next`, and `before`, the probabilities of the previous tag.
#[inline(always)]
fn recur<S: Simd>(simd: S, alpha: &[f32], pair: &[f32], before: &mut [f32], next: &mut [f32]) {
    let k = alpha.len();
    let width = next.len() / S::F32_LANES;
    let before = vectors_mut::<S>(before);
    for (j, next) in vectors_mut::<S>(next).iter_mut().enumerate() {
        let mut largest = simd.splat_f32s(f32::NEG_INFINITY);
        for (i, (&alpha, pair)) in alpha.iter().zip(pair.chunks_exact(k)).enumerate() {
            let score = simd.add_f32s(simd.splat_f32s(alpha), load(simd, pair, j));
            before[i * width + j] = score;
            largest = simd.max_f32s(largest, score);
        }
        let mut sum = simd.splat_f32s(0.0);
        for before in before[j..].iter_mut().step_by(width) {
            *before = exp_or_zero(simd, simd.sub_f32s(*before, largest));
            sum = simd.add_f32s(sum, *before);
        }
        let scale = simd.div_f32s(simd.splat_f32s(1.0), sum);
        for before in before[j..].iter_mut().step_by(width) {
            *before = simd.mul_f32s(*before, scale);
        }
        *next = simd.add_f32s(largest, ln(simd, sum));
    }
}

/// One backward step. `probability` holds the probabilities of a tag and is replaced by those of the previous tag. Sets
/// `d_pair` to the probabilities of the pairs of both.
#[inline(always)]
fn go_back<S: Simd>(simd: S, before: &[f32], d_pair: &mut [f32], probability: &mut Vec<f32>, scratch: &mut Vec<f32>) {
    let width = probability.len();
    let k = before.len() / width;
    scratch.fill(0.0);
    for ((before, d_pair), earlier) in
        before.chunks_exact(width).zip(d_pair.chunks_exact_mut(k)).zip(scratch.iter_mut())
    {
        let mut sum = simd.splat_f32s(0.0);
        for (j, (&b, &p)) in vectors::<S>(before).iter().zip(vectors::<S>(probability)).enumerate() {
            let both = simd.mul_f32s(b, p);
            store(simd, d_pair, j, both);
            sum = simd.add_f32s(sum, both);
        }
        *earlier = simd.reduce_sum_f32s(sum);
    }
    std::mem::swap(probability, scratch);
}

/// `e^x` for `x <= 0`; zero if it is too small to change a sum.
#[inline(always)]
fn exp_or_zero<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let is_zero = simd.less_than_f32s(x, simd.splat_f32s(-87.0));
    select(simd, is_zero, simd.splat_f32s(0.0), exp(simd, x))
}

/// Natural logarithm, elementwise.
#[inline(always)]
fn ln<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let (mut from, mut to) = ([0.0f32; LANES], [0.0f32; LANES]);
    store(simd, &mut from, 0, x);
    for (to, from) in to.iter_mut().zip(from).take(S::F32_LANES) {
        *to = from.ln();
    }
    load(simd, &to, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{crf::Lattice, ragged::FORBIDDEN, random::Key, runtime::simd::tests::with_every_width};

    /// Random potentials within ±`bound` of two sequences of up to `steps` elements.
    fn draw(k: usize, steps: usize, bound: f64) -> [Vec<f32>; 3] {
        let draw = |site: &str, n: usize| Key::new(4).at(site).with(k as u64).uniform(n, bound);
        [draw("first", 2 * k), draw("pair", 2 * steps * k * k), draw("end", k)]
    }

    /// The loss and the gradients, from the lattice in double precision.
    fn reference(potentials: Potentials, tags: &[Vec<u32>]) -> (f64, [Vec<f64>; 3]) {
        let Potentials { first, pair, end, steps } = potentials;
        let k = end.len();
        let double = |x: &[f32]| x.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
        let mut loss = 0.0;
        let (mut d_first, mut d_pair, mut d_end) = (vec![0.0; 2 * k], vec![0.0; pair.len()], vec![0.0; k]);
        for (b, tags) in tags.iter().enumerate() {
            let n = tags.len();
            let pair = &pair[b * steps * k * k..][..n * k * k];
            let lattice = Lattice::new(&double(&first[b * k..][..k]), &double(pair), &double(end));
            let marginals = lattice.marginals();
            loss += marginals.log_partition() - lattice.score(tags);
            let gold = |t: usize, tag: usize| f64::from(u8::from(tags[t] as usize == tag));
            for to in 0..k {
                d_first[b * k + to] = marginals.tag(0, to as u32) - gold(0, to);
                d_end[to] += marginals.tag(n - 1, to as u32) - gold(n - 1, to);
                for (t, from) in (1..n).flat_map(|t| (0..k).map(move |from| (t, from))) {
                    d_pair[((b * steps + t) * k + from) * k + to] =
                        marginals.pair(t, from as u32, to as u32) - gold(t - 1, from) * gold(t, to);
                }
            }
        }
        (loss, [d_first, d_pair, d_end])
    }

    fn check(name: &str, [first, pair, end]: &[Vec<f32>; 3], steps: usize, tags: &[Vec<u32>]) {
        let potentials = Potentials { first, pair, end, steps };
        let (expected, gradients_expected) = reference(potentials, tags);
        for (loss, gradients) in with_every_width(|| negative_log_likelihood(potentials, tags)) {
            assert!((f64::from(loss) - expected).abs() < 2e-6 * expected.max(1.0), "{name}: {loss} for {expected}");
            for (found, expected) in [gradients.first, gradients.pair, gradients.end].iter().zip(&gradients_expected) {
                for (found, expected) in found.iter().zip(expected) {
                    assert!((f64::from(*found) - expected).abs() < 5e-6, "{name}: {found} for {expected}");
                }
            }
        }
    }

    #[test]
    fn the_gradient_is_marginals_minus_gold() {
        for k in [1, 2, 3, 8, 9, 16, 17, 37] {
            let tags = [vec![0; 7], (0..4).map(|t| (t * 5 % k) as u32).collect()];
            for bound in [0.1, 3.0, 40.0] {
                check(&format!("{k} tags within {bound}"), &draw(k, 7, bound), 7, &tags);
            }
        }
    }

    #[test]
    fn long_sequences_keep_precision() {
        check("long", &draw(5, 400, 4.0), 400, &[vec![3; 400], vec![1; 399]]);
    }

    #[test]
    fn forbidden_tags_have_probability_zero() {
        let k = 3;
        let [mut first, mut pair, end] = draw(k, 6, 2.0);
        // Tag 2 is never first, and follows only 1 and itself.
        (first[2], first[5]) = (FORBIDDEN, FORBIDDEN);
        pair.chunks_mut(k * k).for_each(|pair| pair[2] = FORBIDDEN);
        let tags = [vec![0, 1, 2, 2, 0, 1], vec![1]];
        let all = [first, pair, end];
        check("forbidden", &all, 6, &tags);
        let potentials = Potentials { first: &all[0], pair: &all[1], end: &all[2], steps: 6 };
        let (_, gradients) = negative_log_likelihood(potentials, &tags);
        assert_eq!((gradients.first[2], gradients.first[5]), (0.0, 0.0));
        assert!(gradients.pair.chunks(k * k).all(|pair| pair[2] == 0.0));
    }
}
