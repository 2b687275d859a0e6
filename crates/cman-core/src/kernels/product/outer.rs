//! Sums of outer products: the gradients of weights.

use std::ops::Range;

use pulp::Simd;

use super::{Rows, put, tiles, wide};
use crate::kernels::simd::{fma, vectors};

/// Terms that a sum over rows takes before it turns to the next columns, so that what it reads stays in the cache.
const DEPTH: usize = 256;

/// `to = sum_i a[i]^T b[i]` over all chosen rows, for the columns `columns` of `a`: row `p` of `to` belongs to column
/// `columns.start + p` of `a`, and is as wide as the rows of `b`, a multiple of four [`LANES`](crate::kernels::simd::LANES).
#[inline(always)]
pub(in crate::kernels) fn sum_of_outer_products<S: Simd>(
    simd: S,
    a: Rows,
    b: Rows,
    columns: Range<usize>,
    to: &mut [f32],
) {
    if wide::<S>() == 4 {
        outer_wide::<S, 4>(simd, a, b, columns, to);
    } else {
        outer_wide::<S, 2>(simd, a, b, columns, to);
    }
}

#[inline(always)]
fn outer_wide<S: Simd, const V: usize>(simd: S, a: Rows, b: Rows, columns: Range<usize>, to: &mut [f32]) {
    let width = V * S::F32_LANES;
    assert!(a.index.len() == b.index.len() && b.width.is_multiple_of(width) && to.len() == columns.len() * b.width);
    macro_rules! tile {
        ($rows:literal, $a:ident, $b:ident, $at:expr, $p:ident, $j:ident, $add:expr) => {{
            let sums = outer_tile::<S, $rows, V>(simd, $a, $b, $at, $j);
            for (r, sum) in sums.into_iter().enumerate() {
                put(simd, &mut to[($p + r) * b.width + $j..][..width], sum, $add);
            }
        }};
    }
    if a.index.is_empty() {
        to.fill(0.0);
    }
    for (depth, (a_index, b_index)) in a.index.chunks(DEPTH).zip(b.index.chunks(DEPTH)).enumerate() {
        let (a, b) = (Rows { index: a_index, ..a }, Rows { index: b_index, ..b });
        for j in (0..b.width).step_by(width) {
            for (p, n) in tiles(columns.len()) {
                match n {
                    1 => tile!(1, a, b, columns.start + p, p, j, depth > 0),
                    2 => tile!(2, a, b, columns.start + p, p, j, depth > 0),
                    3 => tile!(3, a, b, columns.start + p, p, j, depth > 0),
                    4 => tile!(4, a, b, columns.start + p, p, j, depth > 0),
                    5 => tile!(5, a, b, columns.start + p, p, j, depth > 0),
                    _ => tile!(6, a, b, columns.start + p, p, j, depth > 0),
                }
            }
        }
    }
}

/// The part of a sum of outer products with `R` columns of `a` from `p` and `V` vectors of `b` from `j`.
#[inline(always)]
fn outer_tile<S: Simd, const R: usize, const V: usize>(
    simd: S,
    a: Rows,
    b: Rows,
    p: usize,
    j: usize,
) -> [[S::f32s; V]; R] {
    let mut sums = [[simd.splat_f32s(0.0); V]; R];
    for (&from_a, &from_b) in a.index.iter().zip(b.index) {
        let x = &a.data[from_a * a.width + p..][..R];
        let y = &vectors::<S>(&b.data[from_b * b.width + j..][..V * S::F32_LANES])[..V];
        for r in 0..R {
            let x = simd.splat_f32s(x[r]);
            for v in 0..V {
                sums[r][v] = fma(simd, x, y[v], sums[r][v]);
            }
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use pulp::WithSimd;

    use super::*;
    use crate::{
        kernels::{
            product::tests::assert_close,
            simd::{dispatch, tests::with_every_width},
        },
        random::Key,
    };

    /// Part of the sum of outer products of chosen rows.
    struct Outer<'a> {
        a: Rows<'a>,
        b: Rows<'a>,
        columns: Range<usize>,
        to: &'a mut [f32],
    }

    impl WithSimd for Outer<'_> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            sum_of_outer_products(simd, self.a, self.b, self.columns, self.to);
        }
    }

    #[test]
    fn outer_products_of_chosen_rows_are_summed() {
        let n = 128;
        for (width, columns, rows) in [(1, 0..1, 1), (9, 2..9, 3), (14, 0..14, 40), (20, 6..19, 600), (5, 1..4, 0)] {
            let bound = 1.0 / (1.0 + rows as f64).sqrt();
            let a = Key::new(1).uniform((rows + 5) * width, bound);
            let b = Key::new(2).uniform((rows + 5) * n, bound);
            let (a_index, b_index): (Vec<usize>, Vec<usize>) = ((5..rows + 5).collect(), (0..rows).rev().collect());
            let mut expected = vec![0.0; columns.len() * n];
            for (&row_a, &row_b) in a_index.iter().zip(&b_index) {
                for (p, column) in columns.clone().enumerate() {
                    for c in 0..n {
                        expected[p * n + c] += a[row_a * width + column] * b[row_b * n + c];
                    }
                }
            }
            let found = with_every_width(|| {
                let mut found = vec![7.0; expected.len()];
                let (a, b) = (Rows { data: &a, width, index: &a_index }, Rows { data: &b, width: n, index: &b_index });
                dispatch(Outer { a, b, columns: columns.clone(), to: &mut found });
                found
            });
            for found in found {
                assert_close(&found, &expected, &format!("{rows} rows"));
            }
        }
    }
}
