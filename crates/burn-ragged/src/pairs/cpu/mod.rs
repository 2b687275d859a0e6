//! The CPU kernels: the loss over all pairs with its gradients in one pass, and the scores of selected pairs.
//!
//! A task is a sequence. It processes its relations one by one, or all at once if they share their projections. See
//! [`table`] for the pairs of one projection.
//!
//! Allocation: the gradients come from pooled buffers. Each sequence allocates the exponentials of its projections and
//! one block of pairs.

mod table;

use pulp::{Simd, WithSimd};

use super::Positive;
use crate::runtime::{
    buffer::Buffer,
    parallel::for_each,
    simd::{LANES, dispatch, fma, load, tanh, vectors, vectors_mut},
};
use table::{Side, Table};

/// Sizes of a batch of projections.
#[derive(Clone, Copy, Debug)]
pub(in crate::pairs) struct PairSizes {
    /// Length of the padded sequences.
    pub steps: usize,
    /// Width of the projections: `relations * hidden`, or `hidden` if all relations share them.
    pub width: usize,
    /// Number of relations.
    pub relations: usize,
    /// Width of one relation's projection.
    pub hidden: usize,
}

/// Gradients of the loss.
#[derive(Debug)]
pub(in crate::pairs) struct Gradients {
    /// `[batch, steps, width]`
    pub head: Buffer,
    /// `[batch, steps, width]`
    pub tail: Buffer,
    /// `[relations, hidden]`
    pub v: Buffer,
}

/// The loss summed over a batch and, if requested, its gradients.
///
/// # Shapes
/// - head, tail: `[batch, steps, width]`
/// - v: `[relations, hidden]`
pub(in crate::pairs) fn pair_loss(
    [head, tail, v]: [&[f32]; 3],
    sizes: PairSizes,
    lengths: &[usize],
    positives: &[Positive],
    with_gradients: bool,
) -> (f32, Option<Gradients>) {
    let PairSizes { steps, width, .. } = sizes;
    let scorers = Scorers::new(v, sizes);
    let mut positives = positives.to_vec();
    positives.sort_unstable_by_key(|p| (p.sequence, p.kind / scorers.sharing, p.head, p.tail, p.kind));
    positives.dedup();

    let size = if with_gradients { head.len() } else { 0 };
    let (mut d_head, mut d_tail) = (Buffer::zeros(size), Buffer::zeros(size));
    let mut gradients = d_head.chunks_exact_mut(steps * width).zip(d_tail.chunks_exact_mut(steps * width));
    let mut results = vec![SequenceLoss::default(); lengths.len()];
    let mut tasks = Vec::with_capacity(lengths.len());
    for ((sequence, &length), result) in lengths.iter().enumerate().zip(&mut results) {
        let rows = sequence * steps * width..(sequence * steps + length) * width;
        let first = positives.partition_point(|p| p.sequence < sequence);
        let end = positives.partition_point(|p| p.sequence <= sequence);
        tasks.push(Task {
            scorers: &scorers,
            head: &head[rows.clone()],
            tail: &tail[rows],
            width,
            positives: &positives[first..end],
            gradients: gradients.next(),
            result,
        });
    }
    let n_activations: usize = lengths.iter().map(|n| n * n * width).sum();
    for_each(n_activations > 1 << 17, tasks, dispatch);

    let loss: f64 = results.iter().map(|result| result.loss).sum();
    let gradients = with_gradients.then(|| {
        let mut d_v = Buffer::zeros(v.len());
        for result in &results {
            d_v.iter_mut().zip(&result.v).for_each(|(sum, part)| *sum += part);
        }
        Gradients { head: d_head, tail: d_tail, v: d_v }
    });
    (loss as f32, gradients)
}

/// Pairs per task.
const PAIRS: usize = 64;

/// The scores of pairs of rows of `head` and `tail`. `[pairs, relations]`
///
/// # Shapes
/// As in [`pair_loss`].
pub(in crate::pairs) fn pair_scores(
    [head, tail, v]: [&[f32]; 3],
    sizes: PairSizes,
    pairs: impl ExactSizeIterator<Item = (usize, usize)>,
) -> Vec<f32> {
    let scorers = Scorers::new(v, sizes);
    let mut scores = vec![0.0; pairs.len() * sizes.relations];
    let pairs: Vec<(usize, usize)> = pairs.collect();
    let parts = pairs.chunks(PAIRS).zip(scores.chunks_mut(PAIRS * sizes.relations));
    let width = sizes.width;
    let tasks: Vec<_> = parts.map(|(pairs, to)| Score { scorers: &scorers, head, tail, width, pairs, to }).collect();
    for_each(tasks.len() > 1, tasks, dispatch);
    scores
}

/// A task of [`pair_scores`].
struct Score<'a> {
    scorers: &'a Scorers,
    head: &'a [f32],
    tail: &'a [f32],
    width: usize,
    pairs: &'a [(usize, usize)],
    to: &'a mut [f32],
}

impl WithSimd for Score<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { scorers, head, tail, width, pairs, to } = self;
        let Scorers { hidden, d_padded, sharing, .. } = *scorers;
        let mut activations = vec![0.0; d_padded];
        for (&(i, j), to) in pairs.iter().zip(to.chunks_exact_mut(scorers.rows.len() / d_padded)) {
            let projections = scorers.rows.chunks_exact(sharing * d_padded).zip(to.chunks_exact_mut(sharing));
            for (projection, (v, to)) in projections.enumerate() {
                let u = &head[i * width + projection * hidden..][..hidden];
                let w = &tail[j * width + projection * hidden..][..hidden];
                for (q, activation) in vectors_mut::<S>(&mut activations).iter_mut().enumerate() {
                    *activation = tanh(simd, simd.add_f32s(load(simd, u, q), load(simd, w, q)));
                }
                for (v, to) in v.chunks_exact(d_padded).zip(to) {
                    let mut sum = simd.splat_f32s(0.0);
                    for (&v, &activation) in vectors::<S>(v).iter().zip(vectors::<S>(&activations)) {
                        sum = fma(simd, v, activation, sum);
                    }
                    *to = simd.reduce_sum_f32s(sum);
                }
            }
        }
    }
}

/// `V`, with rows padded to vectors with zeros.
struct Scorers {
    /// `[relations, d_padded]`
    rows: Vec<f32>,
    hidden: usize,
    d_padded: usize,
    /// Number of relations that share a projection.
    sharing: usize,
}

impl Scorers {
    fn new(v: &[f32], sizes: PairSizes) -> Self {
        let hidden = sizes.hidden;
        let d_padded = hidden.next_multiple_of(LANES);
        let mut rows = vec![0.0; sizes.relations * d_padded];
        for (to, from) in rows.chunks_exact_mut(d_padded).zip(v.chunks_exact(hidden)) {
            to[..hidden].copy_from_slice(from);
        }
        Self { rows, hidden, d_padded, sharing: if sizes.width == hidden { sizes.relations } else { 1 } }
    }
}

/// A task of [`pair_loss`]: one sequence.
struct Task<'a> {
    scorers: &'a Scorers,
    /// `[elements, width]`
    head: &'a [f32],
    /// `[elements, width]`
    tail: &'a [f32],
    width: usize,
    /// Sorted by projection, head and tail.
    positives: &'a [Positive],
    /// Gradients of head and tail `[steps, width]`, if requested.
    gradients: Option<(&'a mut [f32], &'a mut [f32])>,
    result: &'a mut SequenceLoss,
}

/// The loss of a sequence and, if requested, its gradient with respect to V `[relations, hidden]`.
#[derive(Clone, Default)]
struct SequenceLoss {
    loss: f64,
    v: Vec<f32>,
}

impl WithSimd for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { scorers, head, tail, width, mut positives, mut gradients, result } = self;
        let Scorers { hidden, d_padded, sharing, .. } = *scorers;
        let mut table = Table::new(head.len() / width, sharing, d_padded, gradients.is_some());
        for (projection, v) in scorers.rows.chunks_exact(sharing * d_padded).enumerate() {
            let columns = projection * hidden..(projection + 1) * hidden;
            let n_own = positives.partition_point(|p| p.kind / sharing <= projection);
            let (own, others) = positives.split_at(n_own);
            positives = others;
            let sides = [head, tail].map(|x| Side { rows: x.chunks_exact(width), columns: columns.clone() });
            result.loss += table.run(simd, sides, v, own, projection * sharing);
            if let Some((d_head, d_tail)) = &mut gradients {
                for (to, from) in [(d_head, &table.d_head), (d_tail, &table.d_tail)] {
                    for (to, from) in to.chunks_exact_mut(width).zip(from.chunks_exact(d_padded)) {
                        to[columns.clone()].copy_from_slice(&from[..hidden]);
                    }
                }
                result.v.extend(table.d_v.chunks_exact(d_padded).flat_map(|row| &row[..hidden]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{random::Key, runtime::simd::tests::with_every_width};

    #[test]
    fn scores_of_selected_pairs_match_the_definition() {
        let draw = |site: &str, n: usize| Key::new(3).at(site).uniform(n, 1.0);
        for (relations, width) in [(3, 60), (3, 20), (1, 20)] {
            let sizes = PairSizes { steps: 9, width, relations, hidden: 20 };
            let (mut head, tail, v) = (draw("head", 9 * width), draw("tail", 9 * width), draw("v", relations * 20));
            head[..width].iter_mut().for_each(|u| *u += 1e4);
            let pairs: Vec<(usize, usize)> = (0..81).map(|pair| (pair / 9, pair % 9)).collect();
            for found in with_every_width(|| pair_scores([&head, &tail, &v], sizes, pairs.iter().copied())) {
                for (n, found) in found.into_iter().enumerate() {
                    let ((i, j), k) = (pairs[n / relations], n % relations);
                    let first = if width == 20 { 0 } else { 20 * k };
                    let part = |q: usize| {
                        let sum = f64::from(head[i * width + first + q]) + f64::from(tail[j * width + first + q]);
                        f64::from(v[20 * k + q]) * sum.tanh()
                    };
                    let expected: f64 = (0..20).map(part).sum();
                    assert!((f64::from(found) - expected).abs() < 1e-5, "{found} for {expected}");
                }
            }
        }
    }

    #[test]
    fn all_instruction_sets_agree() {
        let draw = |site: &str, n: usize| Key::new(2).at(site).uniform(n, 1.0);
        for (relations, width) in [(3, 60), (3, 20), (1, 20)] {
            let sizes = PairSizes { steps: 20, width, relations, hidden: 20 };
            let (mut head, tail) = (draw("head", 2 * 20 * width), draw("tail", 2 * 20 * width));
            head[width..2 * width].iter_mut().for_each(|u| *u += 25.0);
            let v = draw("v", relations * 20);
            let positives = [Positive { sequence: 1, head: 2, tail: 18, kind: relations - 1 }];
            let results = with_every_width(|| {
                let (loss, gradients) = pair_loss([&head, &tail, &v], sizes, &[3, 19], &positives, true);
                let gradients = gradients.unwrap();
                [vec![loss], gradients.head.to_vec(), gradients.tail.to_vec(), gradients.v.to_vec()]
            });
            for others in &results[1..] {
                for (found, expected) in others.iter().flatten().zip(results[0].iter().flatten()) {
                    assert!((found - expected).abs() < 1e-5 * expected.abs().max(10.0), "{found} for {expected}");
                }
            }
        }
    }
}
