//! The CPU kernel of GELU, `x Phi(x)`, and its derivative, `Phi(x) + x phi(x)`.

use pulp::{Simd, WithSimd};

use crate::runtime::{
    buffer::Buffer,
    parallel::for_each,
    simd::{abs, dispatch, exp, load, negate, polynomial, select, store},
};

/// Values per task.
const CHUNK: usize = 1 << 14;

/// `x Phi(x)` of every value.
pub(super) fn gelu(x: &[f32]) -> Buffer {
    let mut y = Buffer::new(x.len());
    let tasks: Vec<(&[f32], &mut [f32])> = x.chunks(CHUNK).zip(y.chunks_mut(CHUNK)).collect();
    for_each(tasks.len() > 1, tasks, |(x, y)| dispatch(Gelu { x, y }));
    y
}

/// The gradient of x, given that of `x Phi(x)`.
pub(super) fn gelu_backward(x: &[f32], gradient: &[f32]) -> Buffer {
    assert_eq!(x.len(), gradient.len(), "a gradient per value");
    let mut d_x = Buffer::new(x.len());
    d_x.copy_from_slice(gradient);
    let tasks: Vec<(&[f32], &mut [f32])> = x.chunks(CHUNK).zip(d_x.chunks_mut(CHUNK)).collect();
    for_each(tasks.len() > 1, tasks, |(x, gradient)| dispatch(Backward { x, gradient }));
    d_x
}

/// `Phi(x)` and `exp(-x²/2)`.
///
/// By the complementary error function of |x| / sqrt(2) (Abramowitz and Stegun 1964, 7.1.26). The absolute error is
/// below 1.5e-7. For negative x it decreases with the function.
#[inline(always)]
fn normal<S: Simd>(simd: S, x: S::f32s) -> (S::f32s, S::f32s) {
    let one = simd.splat_f32s(1.0);
    let z = simd.mul_f32s(abs(simd, x), simd.splat_f32s(std::f32::consts::FRAC_1_SQRT_2));
    let bell = exp(simd, negate(simd, simd.mul_f32s(z, z)));
    let t = simd.div_f32s(one, simd.add_f32s(one, simd.mul_f32s(z, simd.splat_f32s(0.327_591_1))));
    let p = polynomial(simd, t, [0.0, 0.254_829_6, -0.284_496_74, 1.421_413_7, -1.453_152, 1.061_405_4]);
    let tail = simd.mul_f32s(simd.splat_f32s(0.5), simd.mul_f32s(p, bell));
    let is_left = simd.less_than_f32s(x, simd.splat_f32s(0.0));
    (select(simd, is_left, tail, simd.sub_f32s(one, tail)), bell)
}

struct Gelu<'a> {
    x: &'a [f32],
    y: &'a mut [f32],
}

impl WithSimd for Gelu<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for i in 0..self.x.len().div_ceil(S::F32_LANES) {
            let x = load(simd, self.x, i);
            store(simd, self.y, i, simd.mul_f32s(x, normal(simd, x).0));
        }
    }
}

struct Backward<'a> {
    x: &'a [f32],
    gradient: &'a mut [f32],
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // 1 / sqrt(2 pi)
        let scale = simd.splat_f32s(0.398_942_3);
        for i in 0..self.x.len().div_ceil(S::F32_LANES) {
            let x = load(simd, self.x, i);
            let (phi, bell) = normal(simd, x);
            let slope = simd.add_f32s(phi, simd.mul_f32s(simd.mul_f32s(x, bell), scale));
            store(simd, self.gradient, i, simd.mul_f32s(load(simd, self.gradient, i), slope));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::simd::tests::with_every_width;

    /// `Phi(x)` by the series of the error function.
    fn phi(x: f64) -> f64 {
        if x.abs() > 6.0 {
            return if x > 0.0 { 1.0 } else { 0.0 };
        }
        let (mut term, mut sum) = (x, x);
        for n in 1..200 {
            term *= -x * x / (2.0 * f64::from(n));
            sum += term / f64::from(2 * n + 1);
        }
        0.5 + sum / (2.0 * std::f64::consts::PI).sqrt()
    }

    #[test]
    fn values_and_derivatives_match_the_definition() {
        let x: Vec<f32> = (-50_003..50_000).map(|i| i as f32 * 2e-4).chain([-90.0, 90.0, 1e30, -1e30]).collect();
        let ones = vec![1.0; x.len()];
        for (y, slope) in with_every_width(|| (gelu(&x), gelu_backward(&x, &ones))) {
            for (i, &x) in x.iter().enumerate() {
                let x = f64::from(x);
                let expected = x * phi(x);
                assert!((f64::from(y[i]) - expected).abs() <= 4e-7 * x.abs().max(1.0), "{x}: {} for {expected}", y[i]);
                let expected = phi(x) + x * (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
                assert!((f64::from(slope[i]) - expected).abs() <= 6e-7, "slope at {x}: {} for {expected}", slope[i]);
            }
        }
        assert!(gelu(&[f32::NAN])[0].is_nan());
    }
}
