//! Vector arithmetic for the instruction set of the CPU at run time: AVX-512, AVX2 with FMA, what `pulp` supports on
//! other architectures, or scalars.
//!
//! Every function on a vector path is `#[inline(always)]`. Otherwise it would not be compiled for the instruction set
//! of the calling [`dispatch`]. Closures are not, nor what the standard library and `pulp` do with them, so a loop
//! stands where it would run vector instructions: the compiler inlines small closures often, not always.

use pulp::{Simd, WithSimd};

/// Lanes of the widest vector. Rows of internal buffers are padded to a multiple of it, so that kernels have no tail.
pub(crate) const LANES: usize = 16;

/// Runs `op` with the widest vectors of this CPU.
pub(crate) fn dispatch<Op: WithSimd>(op: Op) -> Op::Output {
    #[cfg(test)]
    if tests::IS_SCALAR.get() {
        return Simd::vectorize(pulp::Scalar::new(), op);
    }
    #[cfg(target_arch = "x86_64")]
    {
        #[cfg(test)]
        if let (true, Some(simd)) = (tests::IS_V3.get(), pulp::x86::V3::try_new()) {
            return Simd::vectorize(simd, op);
        }
        if let Some(simd) = pulp::x86::V4::try_new() {
            return Simd::vectorize(simd, op);
        }
        if let Some(simd) = pulp::x86::V3::try_new() {
            return Simd::vectorize(simd, op);
        }
    }
    pulp::Arch::new().dispatch(op)
}

/// Runs `op` as a function of its own, so that a large one is compiled once per instruction set and not again for each of
/// its callers.
#[inline(always)]
pub(crate) fn call<S: Simd, Op: WithSimd>(simd: S, op: Op) -> Op::Output {
    #[inline(never)]
    fn scalar<S: Simd, Op: WithSimd>(simd: S, op: Op) -> Op::Output {
        op.with_simd(simd)
    }
    if S::IS_SCALAR { scalar(simd, op) } else { simd.vectorize(op) }
}

/// `x` as vectors, without a partial vector at the end.
#[inline(always)]
pub(crate) fn vectors<S: Simd>(x: &[f32]) -> &[S::f32s] {
    S::as_simd_f32s(x).0
}

/// See [`vectors`].
#[inline(always)]
pub(crate) fn vectors_mut<S: Simd>(x: &mut [f32]) -> &mut [S::f32s] {
    S::as_mut_simd_f32s(x).0
}

/// Vector `i` of `x`, zero beyond the end of `x`.
#[inline(always)]
pub(crate) fn load<S: Simd>(simd: S, x: &[f32], i: usize) -> S::f32s {
    // A partial load is a call; a whole vector is not.
    match vectors::<S>(x).get(i) {
        Some(&vector) => vector,
        None => simd.partial_load_f32s(&x[(i * S::F32_LANES).min(x.len())..]),
    }
}

/// Sets vector `i` of `x`, up to the end of `x`.
#[inline(always)]
pub(crate) fn store<S: Simd>(simd: S, x: &mut [f32], i: usize, value: S::f32s) {
    match vectors_mut::<S>(x).get_mut(i) {
        Some(vector) => *vector = value,
        None => {
            let start = (i * S::F32_LANES).min(x.len());
            simd.partial_store_f32s(&mut x[start..], value);
        }
    }
}

/// `a * b + c`, rounded once where the CPU can do so.
#[inline(always)]
pub(crate) fn fma<S: Simd>(simd: S, a: S::f32s, b: S::f32s, c: S::f32s) -> S::f32s {
    // Without the instruction, a fused product is a library call per value.
    if S::IS_SCALAR { simd.add_f32s(simd.mul_f32s(a, b), c) } else { simd.mul_add_e_f32s(a, b, c) }
}

/// `c - a * b`, rounded once where the CPU can do so.
#[inline(always)]
pub(crate) fn fnma<S: Simd>(simd: S, a: S::f32s, b: S::f32s, c: S::f32s) -> S::f32s {
    fma(simd, negate(simd, a), b, c)
}

/// `c_0 + c_1 x + c_2 x² + ..`
#[inline(always)]
pub(crate) fn polynomial<S: Simd, const N: usize>(simd: S, x: S::f32s, coefficients: [f32; N]) -> S::f32s {
    let mut y = simd.splat_f32s(coefficients[N - 1]);
    for &c in coefficients[..N - 1].iter().rev() {
        y = fma(simd, y, x, simd.splat_f32s(c));
    }
    y
}

/// `a` where `mask` is set, else `b`. (`select` and `abs` of pulp are not always inlined, and then spill all registers
/// of the caller.)
#[inline(always)]
pub(crate) fn select<S: Simd>(simd: S, mask: S::m32s, a: S::f32s, b: S::f32s) -> S::f32s {
    let (a, b) = (simd.transmute_u32s_f32s(a), simd.transmute_u32s_f32s(b));
    simd.transmute_f32s_u32s(simd.select_u32s(mask, a, b))
}

/// `-x`. (See [`select`]; this is the same for `neg` of pulp.)
#[inline(always)]
pub(crate) fn negate<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    simd.xor_f32s(simd.splat_f32s(-0.0), x)
}

/// `|x|`
#[inline(always)]
pub(crate) fn abs<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    simd.max_f32s(negate(simd, x), x)
}

/// `x` within ±`bound`; NaN stays NaN.
#[inline(always)]
pub(crate) fn clamp<S: Simd>(simd: S, x: S::f32s, bound: f32) -> S::f32s {
    let (low, high) = (simd.splat_f32s(-bound), simd.splat_f32s(bound));
    if S::IS_SCALAR {
        let x = select(simd, simd.greater_than_f32s(x, high), high, x);
        return select(simd, simd.less_than_f32s(x, low), low, x);
    }
    // Vector minimum and maximum return the second operand if an operand is NaN, or NaN.
    simd.min_f32s(high, simd.max_f32s(low, x))
}

/// `e^x`, with `x` clamped to ±87; relative error below 2e-7.
///
/// `x = n ln 2 + r`. `e^r` is a minimax polynomial on |r| <= ln 2 / 2, and `2^n` is written into the exponent.
#[inline(always)]
pub(crate) fn exp<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let x = clamp(simd, x, 87.0);
    // Adding 1.5 * 2^23 leaves the rounded value in the lowest bits.
    let shift = simd.splat_f32s(12_582_912.0);
    let shifted = fma(simd, x, simd.splat_f32s(std::f32::consts::LOG2_E), shift);
    let n = simd.sub_f32s(shifted, shift);
    // ln 2 in two parts. The first has few bits, so that its product with n is exact.
    let r = fma(simd, n, simd.splat_f32s(-0.693_359_4), x);
    let r = fma(simd, n, simd.splat_f32s(2.121_944_4e-4), r);
    let p = polynomial(simd, r, [0.499_999_93, 0.166_665_21, 0.041_668_39, 0.008_368_745, 0.001_381_454]);
    let y = simd.add_f32s(fma(simd, simd.mul_f32s(p, r), r, r), simd.splat_f32s(1.0));
    let exponent = simd.wrapping_dyn_shl_u32s(simd.transmute_u32s_f32s(shifted), simd.splat_u32s(23));
    let scale = simd.add_u32s(exponent, simd.splat_u32s(0x3f80_0000));
    simd.mul_f32s(y, simd.transmute_f32s_u32s(scale))
}

/// `1 / (1 + e^-x)`; relative error below 5e-7 for `x` > -87.
#[inline(always)]
pub(crate) fn sigmoid<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let one = simd.splat_f32s(1.0);
    simd.div_f32s(one, simd.add_f32s(one, exp(simd, negate(simd, x))))
}

/// Hyperbolic tangent; relative error below 5e-7, small arguments included.
///
/// A minimax rational function up to 8.2. Beyond, the value is 1 to within 2e-7.
#[inline(always)]
pub(crate) fn tanh<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let x = clamp(simd, x, 8.2);
    let z = simd.mul_f32s(x, x);
    let p = polynomial(simd, z, [1.0, 0.134_321_33, 0.003_556_697, 2.163_745_2e-5, 1.484_080_4e-8]);
    let q = polynomial(simd, z, [1.0, 0.467_654_6, 0.026_108_34, 3.386_458_8e-4, 8.370_704_6e-7]);
    simd.div_f32s(simd.mul_f32s(x, p), q)
}

/// `ln(1 + x)` for `x` in [0, 1]; relative error below 5e-7, small arguments included.
#[inline(always)]
pub(crate) fn ln_1p<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let p = polynomial(simd, x, [1.0, 1.066_218_5, 0.238_157_58, 0.003_417_283_8]);
    let q = polynomial(simd, x, [1.0, 1.566_218_4, 0.687_936_4, 0.075_287_31]);
    simd.div_f32s(simd.mul_f32s(x, p), q)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        /// Whether this thread computes with scalars.
        pub(super) static IS_SCALAR: Cell<bool> = const { Cell::new(false) };
        /// Whether this thread computes with AVX2, if the CPU has it.
        pub(super) static IS_V3: Cell<bool> = const { Cell::new(false) };
    }

    /// Runs `f` with every kind of vector. The setting applies to this thread alone.
    pub(crate) fn with_every_width<T>(f: impl Fn() -> T) -> Vec<T> {
        let widest = f();
        IS_V3.set(true);
        let avx2 = f();
        IS_V3.set(false);
        IS_SCALAR.set(true);
        let scalar = f();
        IS_SCALAR.set(false);
        vec![widest, avx2, scalar]
    }

    #[derive(Clone)]
    struct Functions(Vec<f32>);

    impl WithSimd for Functions {
        type Output = [Vec<f32>; 4];

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
            let mut outputs = [(); 4].map(|()| vec![0.0; self.0.len()]);
            for (i, &x) in vectors::<S>(&self.0).iter().enumerate() {
                let magnitude = abs(simd, x);
                let unit = simd.div_f32s(magnitude, simd.add_f32s(magnitude, simd.splat_f32s(1.0)));
                let values = [exp(simd, x), sigmoid(simd, x), tanh(simd, x), ln_1p(simd, unit)];
                for (output, value) in outputs.iter_mut().zip(values) {
                    vectors_mut::<S>(output)[i] = value;
                }
            }
            outputs
        }
    }

    #[test]
    fn functions_are_accurate_to_five_parts_in_ten_million() {
        let magnitudes = (0..64_000).map(|i| (1e-9 * 86.0e9f64.powf(f64::from(i) / 64_000.0)) as f32);
        let x: Vec<f32> = magnitudes.flat_map(|x| [x, -x]).collect();
        for outputs in with_every_width(|| dispatch(Functions(x.clone()))) {
            for (i, &x) in x.iter().enumerate() {
                let magnitude = x.abs();
                let unit = f64::from(magnitude / (magnitude + 1.0));
                let x = f64::from(x);
                let expected = [x.exp(), 1.0 / (1.0 + (-x).exp()), x.tanh(), unit.ln_1p()];
                for (function, (output, expected)) in outputs.iter().zip(expected).enumerate() {
                    let error = (f64::from(output[i]) / expected - 1.0).abs();
                    assert!(error < 5e-7, "function {function} at {x}: {} for {expected}", output[i]);
                }
            }
        }
    }

    #[test]
    fn extreme_arguments_saturate_and_nan_stays() {
        let x = [f32::INFINITY, f32::NEG_INFINITY, f32::NAN, 0.0, -0.0, 1e30, -1e30, 89.0];
        let x: Vec<f32> = x.into_iter().chain([0.0; 8]).collect();
        for [exp, sigmoid, tanh, _] in with_every_width(|| dispatch(Functions(x.clone()))) {
            assert!(exp[0] > 1e37 && exp[1] < 1e-37 && exp[2].is_nan() && exp[3] == 1.0 && exp[7] > 1e37);
            assert!(sigmoid[0] == 1.0 && sigmoid[1] < 1e-37 && sigmoid[2].is_nan() && sigmoid[3] == 0.5);
            let is_one = |x: f32| (x - 1.0).abs() < 4e-7;
            assert!(is_one(tanh[0]) && is_one(-tanh[1]) && tanh[2].is_nan() && tanh[3] == 0.0 && is_one(-tanh[6]));
        }
    }

    #[derive(Clone)]
    struct Copy(Vec<f32>);

    impl WithSimd for Copy {
        type Output = Vec<f32>;

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
            let mut copy = vec![0.0; self.0.len()];
            for i in 0..self.0.len() / S::F32_LANES + 2 {
                store(simd, &mut copy, i, load(simd, &self.0, i));
            }
            copy
        }
    }

    #[test]
    fn partial_vectors_are_loaded_and_stored() {
        for n in 0..40 {
            let x: Vec<f32> = (0..n).map(|i| i as f32 + 1.0).collect();
            for copy in with_every_width(|| dispatch(Copy(x.clone()))) {
                assert_eq!(copy, x);
            }
        }
    }
}
