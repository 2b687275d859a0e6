//! The relation loss of eq. 12 over all pairs of tokens with its gradients in one pass, on plain numbers; its
//! definition is [`pair_loss_composed`](crate::relation::pair_loss_composed).
//!
//! A sentence makes a task, which goes through its relations one by one (through all of them at once where they share
//! their projections); see [`table`] for the pairs of one projection.

mod table;

use pulp::{Simd, WithSimd};

use super::{
    parallel::for_each,
    simd::{LANES, dispatch},
};
use crate::relation::Positive;
use table::{Side, Table};

/// Sizes of a batch of projections.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    /// Places of each sentence.
    pub steps: usize,
    /// Width of the projections: `relations * hidden`, or `hidden` where all relations share them.
    pub width: usize,
    /// Number of relations.
    pub relations: usize,
    /// Width of one relation's projection.
    pub hidden: usize,
}

/// Gradients of the loss.
#[derive(Clone, Debug)]
pub(super) struct Gradients {
    /// `[batch, steps, width]`
    pub head: Vec<f32>,
    /// `[batch, steps, width]`
    pub tail: Vec<f32>,
    /// `[relations, hidden]`
    pub v: Vec<f32>,
}

/// The loss summed over a batch and, if wanted, its gradients.
///
/// # Shapes
/// - head, tail: `[batch, steps, width]`
/// - v: `[relations, hidden]`
pub(super) fn pair_loss(
    [head, tail, v]: [&[f32]; 3],
    sizes: Sizes,
    lengths: &[usize],
    positives: &[Positive],
    with_gradients: bool,
) -> (f32, Option<Gradients>) {
    let Sizes { steps, width, .. } = sizes;
    let scorers = Scorers::new(v, sizes);
    let mut positives = positives.to_vec();
    positives.sort_unstable_by_key(|p| (p.sentence, p.kind / scorers.sharing, p.head, p.tail, p.kind));
    positives.dedup();

    let size = if with_gradients { head.len() } else { 0 };
    let (mut d_head, mut d_tail) = (vec![0.0; size], vec![0.0; size]);
    let mut gradients = d_head.chunks_exact_mut(steps * width).zip(d_tail.chunks_exact_mut(steps * width));
    let mut found = vec![Found::default(); lengths.len()];
    let mut tasks = Vec::with_capacity(lengths.len());
    for ((sentence, &length), found) in lengths.iter().enumerate().zip(&mut found) {
        let rows = sentence * steps * width..(sentence * steps + length) * width;
        let first = positives.partition_point(|p| p.sentence < sentence);
        let end = positives.partition_point(|p| p.sentence <= sentence);
        tasks.push(Task {
            scorers: &scorers,
            head: &head[rows.clone()],
            tail: &tail[rows],
            width,
            positives: &positives[first..end],
            gradients: gradients.next(),
            found,
        });
    }
    let n_activations: usize = lengths.iter().map(|n| n * n * width).sum();
    for_each(n_activations > 1 << 17, tasks, dispatch);

    let loss: f64 = found.iter().map(|found| found.loss).sum();
    let gradients = with_gradients.then(|| {
        let mut d_v = vec![0.0; v.len()];
        for found in &found {
            d_v.iter_mut().zip(&found.v).for_each(|(sum, part)| *sum += part);
        }
        Gradients { head: d_head, tail: d_tail, v: d_v }
    });
    (loss as f32, gradients)
}

/// `V`, its rows padded to vectors with zeros.
struct Scorers {
    /// `[relations, d_padded]`
    rows: Vec<f32>,
    hidden: usize,
    d_padded: usize,
    /// Number of relations that share a projection.
    sharing: usize,
}

impl Scorers {
    fn new(v: &[f32], sizes: Sizes) -> Self {
        let hidden = sizes.hidden;
        let d_padded = hidden.next_multiple_of(LANES);
        let mut rows = vec![0.0; sizes.relations * d_padded];
        for (to, from) in rows.chunks_exact_mut(d_padded).zip(v.chunks_exact(hidden)) {
            to[..hidden].copy_from_slice(from);
        }
        Self { rows, hidden, d_padded, sharing: if sizes.width == hidden { sizes.relations } else { 1 } }
    }
}

/// A sentence.
struct Task<'a> {
    scorers: &'a Scorers,
    /// `[tokens, width]`
    head: &'a [f32],
    /// `[tokens, width]`
    tail: &'a [f32],
    width: usize,
    /// In the order of projection, head and tail.
    positives: &'a [Positive],
    /// Those of head and tail `[steps, width]`, if wanted.
    gradients: Option<(&'a mut [f32], &'a mut [f32])>,
    found: &'a mut Found,
}

/// The loss of a sentence and, if wanted, its gradient by V `[relations, hidden]`.
#[derive(Clone, Default)]
struct Found {
    loss: f64,
    v: Vec<f32>,
}

impl WithSimd for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { scorers, head, tail, width, mut positives, mut gradients, found } = self;
        let Scorers { hidden, d_padded, sharing, .. } = *scorers;
        let mut table = Table::new(head.len() / width, sharing, d_padded, gradients.is_some());
        for (projection, v) in scorers.rows.chunks_exact(sharing * d_padded).enumerate() {
            let columns = projection * hidden..(projection + 1) * hidden;
            let n_own = positives.partition_point(|p| p.kind / sharing <= projection);
            let (own, others) = positives.split_at(n_own);
            positives = others;
            let sides = [head, tail].map(|x| Side { rows: x.chunks_exact(width), columns: columns.clone() });
            found.loss += table.run(simd, sides, v, own, projection * sharing);
            if let Some((d_head, d_tail)) = &mut gradients {
                for (to, from) in [(d_head, &table.d_head), (d_tail, &table.d_tail)] {
                    for (to, from) in to.chunks_exact_mut(width).zip(from.chunks_exact(d_padded)) {
                        to[columns.clone()].copy_from_slice(&from[..hidden]);
                    }
                }
                found.v.extend(table.d_v.chunks_exact(d_padded).flat_map(|row| &row[..hidden]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{kernels::simd::tests::with_every_width, random::Key};

    #[test]
    fn every_kind_of_vector_gives_the_same() {
        let draw = |site: &str, n: usize| Key::new(2).at(site).uniform(n, 1.0);
        for (relations, width) in [(3, 60), (3, 20), (1, 20)] {
            let sizes = Sizes { steps: 20, width, relations, hidden: 20 };
            let (mut head, tail) = (draw("head", 2 * 20 * width), draw("tail", 2 * 20 * width));
            head[width..2 * width].iter_mut().for_each(|u| *u += 25.0);
            let v = draw("v", relations * 20);
            let positives = [Positive { sentence: 1, head: 2, tail: 18, kind: relations - 1 }];
            let results = with_every_width(|| {
                let (loss, gradients) = pair_loss([&head, &tail, &v], sizes, &[3, 19], &positives, true);
                let gradients = gradients.unwrap();
                [vec![loss], gradients.head, gradients.tail, gradients.v]
            });
            for others in &results[1..] {
                for (found, expected) in others.iter().flatten().zip(results[0].iter().flatten()) {
                    assert!((found - expected).abs() < 1e-5 * expected.abs().max(10.0), "{found} for {expected}");
                }
            }
        }
    }
}
