//! The relation loss of eq. 12 over all pairs of tokens with its gradients in one pass, on plain numbers; its
//! definition is [`pair_loss_composed`](crate::relation::pair_loss_composed).
//!
//! One sentence and one relation make a task. For each head token the activations against all tail tokens are computed,
//! scored, and used for the gradients while they lie in the cache; no more of the table than that row ever exists.

use pulp::{Simd, WithSimd};

use super::{
    parallel::for_each,
    simd::{LANES, dispatch, exp, fma, fnma, ln_1p, sigmoid, tanh, vectors, vectors_mut},
};
use crate::relation::Positive;

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

/// The loss summed over a batch, and its gradients.
///
/// # Shapes
/// - head, tail: `[batch, steps, width]`
/// - v: `[relations, hidden]`
pub(super) fn pair_loss(
    head: &[f32],
    tail: &[f32],
    v: &[f32],
    sizes: Sizes,
    lengths: &[usize],
    positives: &[Positive],
) -> (f32, Gradients) {
    let Sizes { steps, width, relations, hidden } = sizes;
    let mut positives = positives.to_vec();
    positives.sort_unstable_by_key(|p| (p.sentence, p.kind, p.head, p.tail));
    positives.dedup();
    let d_padded = hidden.next_multiple_of(LANES);
    let mut tasks: Vec<Task> = Vec::with_capacity(lengths.len() * relations);
    for (sentence, &length) in lengths.iter().enumerate() {
        for kind in 0..relations {
            let first = sentence * steps * width + if width == hidden { 0 } else { kind * hidden };
            let rows = |x: &[f32]| {
                let mut rows = vec![0.0; length * d_padded];
                for (t, row) in rows.chunks_exact_mut(d_padded).enumerate() {
                    row[..hidden].copy_from_slice(&x[first + t * width..][..hidden]);
                }
                rows
            };
            let mut weights = vec![0.0; d_padded];
            weights[..hidden].copy_from_slice(&v[kind * hidden..][..hidden]);
            let from = positives.partition_point(|p| (p.sentence, p.kind) < (sentence, kind));
            let to = positives.partition_point(|p| (p.sentence, p.kind) <= (sentence, kind));
            tasks.push(Task {
                first,
                kind,
                head: rows(head),
                tail: rows(tail),
                v: weights,
                positives: &positives[from..to],
                found: Found::default(),
            });
        }
    }
    let n_activations: usize = lengths.iter().map(|n| n * n).sum::<usize>() * relations * hidden;
    for_each(n_activations > 1 << 17, tasks.iter_mut().collect(), |task| task.found = dispatch(&*task));

    let mut loss = 0.0;
    let mut gradients = Gradients {
        head: vec![0.0; lengths.len() * steps * width],
        tail: vec![0.0; lengths.len() * steps * width],
        v: vec![0.0; relations * hidden],
    };
    for task in &tasks {
        loss += task.found.loss;
        for (to, from) in [(&mut gradients.head, &task.found.head), (&mut gradients.tail, &task.found.tail)] {
            for (t, row) in from.chunks_exact(d_padded).enumerate() {
                add(&mut to[task.first + t * width..][..hidden], row);
            }
        }
        add(&mut gradients.v[task.kind * hidden..][..hidden], &task.found.v);
    }
    (loss as f32, gradients)
}

fn add(to: &mut [f32], from: &[f32]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
}

/// One relation in one sentence; rows padded to vectors with zeros.
struct Task<'a> {
    /// Where the first token's projection starts in the batch.
    first: usize,
    kind: usize,
    /// `[tokens, d_padded]`
    head: Vec<f32>,
    /// `[tokens, d_padded]`
    tail: Vec<f32>,
    /// `[d_padded]`
    v: Vec<f32>,
    /// Sorted by head and tail.
    positives: &'a [Positive],
    found: Found,
}

/// The loss of a task and its gradients, shaped as the task's own numbers.
#[derive(Default)]
struct Found {
    loss: f64,
    head: Vec<f32>,
    tail: Vec<f32>,
    v: Vec<f32>,
}

impl WithSimd for &Task<'_> {
    type Output = Found;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Found {
        let d = self.v.len();
        let n = self.head.len() / d;
        let n_padded = n.next_multiple_of(LANES);
        let v = vectors::<S>(&self.v);
        let mut found = Found { loss: 0.0, head: vec![0.0; n * d], tail: vec![0.0; n * d], v: vec![0.0; d] };
        let mut activations = vec![0.0f32; n * d];
        let mut scores = vec![0.0f32; n_padded];
        let mut errors = vec![0.0f32; n_padded];
        let mut positives = self.positives.iter().peekable();
        for (i, (head, head_gradient)) in self.head.chunks_exact(d).zip(found.head.chunks_exact_mut(d)).enumerate() {
            let head = vectors::<S>(head);
            let rows = activations.chunks_exact_mut(d).zip(self.tail.chunks_exact(d));
            for ((row, tail), score) in rows.zip(&mut scores) {
                let mut sum = simd.splat_f32s(0.0);
                let row = vectors_mut::<S>(row);
                for (((y, &u), &w), &v) in row.iter_mut().zip(head).zip(vectors::<S>(tail)).zip(v) {
                    *y = tanh(simd, simd.add_f32s(u, w));
                    sum = fma(simd, *y, v, sum);
                }
                *score = simd.reduce_sum_f32s(sum);
            }

            // sigma(s) - y, and log(1 + e^s) - y s, for the whole row
            let mut softplus = simd.splat_f32s(0.0);
            scores[n..].fill(-87.0);
            for (error, &s) in vectors_mut::<S>(&mut errors).iter_mut().zip(vectors::<S>(&scores)) {
                let zero = simd.splat_f32s(0.0);
                let small = exp(simd, simd.neg_f32s(simd.abs_f32s(s)));
                softplus = simd.add_f32s(softplus, simd.add_f32s(simd.max_f32s(s, zero), ln_1p(simd, small)));
                *error = sigmoid(simd, s);
            }
            found.loss += f64::from(simd.reduce_sum_f32s(softplus));
            while let Some(positive) = positives.next_if(|p| p.head == i) {
                found.loss -= f64::from(scores[positive.tail]);
                errors[positive.tail] -= 1.0;
            }

            let head_gradient = vectors_mut::<S>(head_gradient);
            let v_gradient = vectors_mut::<S>(&mut found.v);
            let rows = activations.chunks_exact(d).zip(found.tail.chunks_exact_mut(d));
            for ((row, tail_gradient), &error) in rows.zip(&errors) {
                let error = simd.splat_f32s(error);
                let one = simd.splat_f32s(1.0);
                let places = vectors_mut::<S>(tail_gradient).iter_mut().zip(head_gradient.iter_mut());
                for ((((dw, du), dv), &y), &v) in places.zip(v_gradient.iter_mut()).zip(vectors::<S>(row)).zip(v) {
                    let step = simd.mul_f32s(simd.mul_f32s(error, v), fnma(simd, y, y, one));
                    *du = simd.add_f32s(*du, step);
                    *dw = simd.add_f32s(*dw, step);
                    *dv = fma(simd, error, y, *dv);
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{kernels::simd::tests::with_every_width, random::Key};

    /// The definition, number by number in double precision.
    fn reference(task: &Task, n: usize, d: usize) -> (f64, Vec<f64>) {
        let (mut loss, mut head_gradient) = (0.0, vec![0.0; n * d]);
        for i in 0..n {
            for j in 0..n {
                let y: Vec<f64> =
                    (0..d).map(|c| f64::from(task.head[i * d + c] + task.tail[j * d + c]).tanh()).collect();
                let score: f64 = y.iter().zip(&task.v).map(|(y, &v)| y * f64::from(v)).sum();
                let gold = f64::from(u8::from(task.positives.iter().any(|p| (p.head, p.tail) == (i, j))));
                loss += score.max(0.0) + (-score.abs()).exp().ln_1p() - gold * score;
                let error = 1.0 / (1.0 + (-score).exp()) - gold;
                for c in 0..d {
                    head_gradient[i * d + c] += error * f64::from(task.v[c]) * (1.0 - y[c] * y[c]);
                }
            }
        }
        (loss, head_gradient)
    }

    #[test]
    fn extreme_projections_keep_their_differences() {
        let (n, d) = (5, LANES);
        let positives = [Positive { sentence: 0, head: 1, tail: 3, kind: 0 }];
        let mut head = Key::new(1).uniform(n * d, 1.0);
        let mut tail = Key::new(2).uniform(n * d, 1.0);
        // Large numbers of opposite sign: their sum decides, not their sizes.
        for c in 0..d {
            head[d + c] += 90.0;
            tail[3 * d + c] -= 90.0;
            head[2 * d + c] -= 500.0;
        }
        let task = Task {
            first: 0,
            kind: 0,
            head,
            tail,
            v: Key::new(3).uniform(d, 2.0),
            positives: &positives,
            found: Found::default(),
        };
        #[derive(Clone)]
        struct Run<'a>(&'a Task<'a>);
        impl WithSimd for Run<'_> {
            type Output = Found;
            #[inline(always)]
            fn with_simd<S: Simd>(self, simd: S) -> Found {
                self.0.with_simd(simd)
            }
        }
        let (loss, head_gradient) = reference(&task, n, d);
        for found in with_every_width(&Run(&task)) {
            assert!((found.loss - loss).abs() < 1e-5 * loss, "{} for {loss}", found.loss);
            let largest = head_gradient.iter().fold(0.0f64, |m, x| m.max(x.abs()));
            for (a, b) in found.head.iter().zip(&head_gradient) {
                assert!((f64::from(*a) - b).abs() < 1e-5 * largest, "{a} for {b}");
            }
        }
    }
}
