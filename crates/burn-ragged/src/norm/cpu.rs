//! The CPU kernel of the normalised residual sum, forward and backward.
//!
//! Allocation: results, gradients and normalised vectors come from pooled buffers. Factors and partial sums are
//! allocated once per pass.

use pulp::{Simd, WithSimd};

use crate::runtime::{
    buffer::Buffer,
    parallel::for_each,
    simd::{LANES, dispatch, fma, fnma, load, store, vectors, vectors_mut},
};

/// Vectors per task.
const ROWS: usize = 256;

/// Values that the forward pass saves for the backward pass.
#[derive(Debug)]
pub(super) struct Saved {
    /// The normalised vectors, before `gamma` and `beta`. `[rows, padded d_model]`
    normalised: Buffer,
    /// The factor `1 / sqrt(variance + epsilon)` of each vector.
    factors: Vec<f32>,
}

/// `(z - mean) / sqrt(variance + epsilon) * gamma + beta` with `z = x + y`.
///
/// # Shapes
/// - x, y, output: `[rows, d_model]`
pub(super) fn forward(x: &[f32], y: &[f32], [gamma, beta]: [&[f32]; 2], epsilon: f32) -> (Buffer, Saved) {
    let (d, padded) = (gamma.len(), gamma.len().next_multiple_of(LANES));
    let rows = x.len() / d;
    let mut output = Buffer::new(x.len());
    let mut saved = Saved { normalised: Buffer::new(rows * padded), factors: vec![0.0; rows] };
    let tasks: Vec<Forward> = x
        .chunks(ROWS * d)
        .zip(y.chunks(ROWS * d))
        .zip(output.chunks_mut(ROWS * d))
        .zip(saved.normalised.chunks_mut(ROWS * padded).zip(saved.factors.chunks_mut(ROWS)))
        .map(|(((x, y), output), (normalised, factors))| Forward {
            x,
            y,
            gamma,
            beta,
            epsilon,
            output,
            normalised,
            factors,
        })
        .collect();
    for_each(true, tasks, dispatch);
    (output, saved)
}

/// The gradients of the sum `[rows, d_model]`, of gamma and of beta, given that of the output.
pub(super) fn backward(saved: &Saved, gamma: &[f32], dy: &[f32]) -> [Buffer; 3] {
    let (d, padded) = (gamma.len(), gamma.len().next_multiple_of(LANES));
    let mut dx = Buffer::new(dy.len());
    let mut parts = vec![0.0; 2 * padded * saved.factors.len().div_ceil(ROWS)];
    let tasks: Vec<Backward> = dy
        .chunks(ROWS * d)
        .zip(dx.chunks_mut(ROWS * d))
        .zip(saved.normalised.chunks(ROWS * padded).zip(saved.factors.chunks(ROWS)))
        .zip(parts.chunks_mut(2 * padded))
        .map(|(((dy, dx), (normalised, factors)), sums)| Backward { dy, gamma, normalised, factors, dx, sums })
        .collect();
    for_each(true, tasks, dispatch);
    let mut sums = [Buffer::zeros(d), Buffer::zeros(d)];
    for part in parts.chunks(2 * padded) {
        for (sum, part) in sums.iter_mut().zip(part.chunks(padded)) {
            sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
    }
    let [d_gamma, d_beta] = sums;
    [dx, d_gamma, d_beta]
}

/// The forward pass of some vectors.
struct Forward<'a> {
    x: &'a [f32],
    y: &'a [f32],
    gamma: &'a [f32],
    beta: &'a [f32],
    epsilon: f32,
    output: &'a mut [f32],
    normalised: &'a mut [f32],
    factors: &'a mut [f32],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { x, y, gamma, beta, epsilon, output, normalised, factors } = self;
        let (d, padded) = (gamma.len(), normalised.len() / factors.len());
        let rows = x.chunks_exact(d).zip(y.chunks_exact(d)).zip(output.chunks_exact_mut(d));
        for (((x, y), output), (row, factor)) in rows.zip(normalised.chunks_exact_mut(padded).zip(factors)) {
            let mut sum = simd.splat_f32s(0.0);
            for (i, z) in vectors_mut::<S>(row).iter_mut().enumerate() {
                *z = simd.add_f32s(load(simd, x, i), load(simd, y, i));
                sum = simd.add_f32s(sum, *z);
            }
            let mean = simd.splat_f32s(simd.reduce_sum_f32s(sum) / d as f32);
            for z in vectors_mut::<S>(row) {
                *z = simd.sub_f32s(*z, mean);
            }
            row[d..].fill(0.0);
            let mut sum = simd.splat_f32s(0.0);
            for &z in vectors::<S>(row) {
                sum = fma(simd, z, z, sum);
            }
            *factor = 1.0 / (simd.reduce_sum_f32s(sum) / d as f32 + epsilon).sqrt();
            let factor = simd.splat_f32s(*factor);
            for (i, z) in vectors_mut::<S>(row).iter_mut().enumerate() {
                *z = simd.mul_f32s(*z, factor);
                store(simd, output, i, fma(simd, *z, load(simd, gamma, i), load(simd, beta, i)));
            }
        }
    }
}

/// The backward pass of some vectors.
struct Backward<'a> {
    dy: &'a [f32],
    gamma: &'a [f32],
    normalised: &'a [f32],
    factors: &'a [f32],
    dx: &'a mut [f32],
    /// The gradients of gamma and of beta, each padded.
    sums: &'a mut [f32],
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { dy, gamma, normalised, factors, dx, sums } = self;
        let (d, padded) = (gamma.len(), sums.len() / 2);
        let (d_gamma, d_beta) = sums.split_at_mut(padded);
        let (d_gamma, d_beta) = (vectors_mut::<S>(d_gamma), vectors_mut::<S>(d_beta));
        let rows = dy.chunks_exact(d).zip(dx.chunks_exact_mut(d));
        for ((dy, dx), (row, &factor)) in rows.zip(normalised.chunks_exact(padded).zip(factors)) {
            let row = vectors::<S>(row);
            // The sum of the gradient of the normalised vector, and its dot product with the vector.
            let [mut sum, mut along] = [simd.splat_f32s(0.0); 2];
            for (i, &z) in row.iter().enumerate() {
                let dy = load(simd, dy, i);
                d_gamma[i] = fma(simd, dy, z, d_gamma[i]);
                d_beta[i] = simd.add_f32s(d_beta[i], dy);
                let dz = simd.mul_f32s(dy, load(simd, gamma, i));
                sum = simd.add_f32s(sum, dz);
                along = fma(simd, dz, z, along);
            }
            let mean = simd.splat_f32s(simd.reduce_sum_f32s(sum) / d as f32);
            let along = simd.splat_f32s(simd.reduce_sum_f32s(along) / d as f32);
            let factor = simd.splat_f32s(factor);
            for (i, &z) in row.iter().enumerate() {
                let dz =
                    fnma(simd, z, along, simd.sub_f32s(simd.mul_f32s(load(simd, dy, i), load(simd, gamma, i)), mean));
                store(simd, dx, i, simd.mul_f32s(dz, factor));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{random::Key, runtime::simd::tests::with_every_width};

    #[test]
    fn all_instruction_sets_agree() {
        for d in [1, 7, 16, 40] {
            let draw = |site: &str, n: usize| Key::new(2).at(site).uniform(n, 1.0);
            let (x, y, dy) = (draw("x", 3 * d), draw("y", 3 * d), draw("dy", 3 * d));
            let (gamma, beta) = (draw("gamma", d), draw("beta", d));
            let results = with_every_width(|| {
                let (output, saved) = forward(&x, &y, [&gamma, &beta], 1e-2);
                let [dx, d_gamma, d_beta] = backward(&saved, &gamma, &dy);
                [output, dx, d_gamma, d_beta].map(|values| values.to_vec())
            });
            for others in &results[1..] {
                for (found, expected) in others.iter().flatten().zip(results[0].iter().flatten()) {
                    assert!((found - expected).abs() < 2e-6, "{found} for {expected}");
                }
            }
        }
    }
}
