//! Sums of outer products: the gradients of weights.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::{Base, Rows, put, tiles, wide};
use crate::runtime::{
    buffer::Buffer,
    simd::{fma, vectors, vectors_mut},
};

/// Rows of the sum per task.
const ROWS: usize = 96;

/// `to = sum_i a[i]^T b[i]` over all selected rows, for the columns `columns` of `a`. Row `p` of `to` belongs to column
/// `columns.start + p` of `a` and is as wide as the rows of `b`.
pub(crate) struct OuterProducts<'a> {
    a: Rows<'a>,
    b: Rows<'a>,
    columns: Range<usize>,
    to: &'a mut [f32],
}

impl<'a> OuterProducts<'a> {
    /// The sum for all columns of `a`, in tasks of some rows of `to` each.
    pub fn tasks(a: Rows<'a>, b: Rows<'a>, to: &'a mut [f32]) -> impl Iterator<Item = Self> {
        to.chunks_mut(ROWS * b.width).enumerate().map(move |(i, to)| {
            let columns = i * ROWS..i * ROWS + to.len() / b.width;
            Self { a, b, columns, to }
        })
    }
}

impl WithSimd for OuterProducts<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { a, b, columns, to } = self;
        if wide::<S>() == 4 {
            outer_wide::<S, 4>(simd, a, b, columns, to);
        } else {
            outer_wide::<S, 2>(simd, a, b, columns, to);
        }
    }
}

#[inline(always)]
fn outer_wide<S: Simd, const V: usize>(simd: S, a: Rows, b: Rows, columns: Range<usize>, to: &mut [f32]) {
    let width = V * S::F32_LANES;
    assert!(a.index.len() == b.index.len() && to.len() == columns.len() * b.width);
    // Terms per sum before the next columns, so that the operands stay in the cache.
    let depth = 512 / V;
    let mut panel_of_b = Buffer::new(depth * width);
    macro_rules! tile {
        ($rows:literal, $p:ident, $a:ident, $j:ident, $base:ident) => {{
            let panel = vectors::<S>(&panel_of_b[..$a.index.len() * width]).as_chunks::<V>().0;
            let sums = outer_tile::<S, $rows, V>(simd, $a, columns.start + $p, panel);
            for (r, sum) in sums.into_iter().enumerate() {
                put(simd, &mut to[($p + r) * b.width..][$j.clone()], sum, $base);
            }
        }};
    }
    if a.index.is_empty() {
        to.fill(0.0);
    }
    for (part, (a_index, b_index)) in a.index.chunks(depth).zip(b.index.chunks(depth)).enumerate() {
        let a = Rows { index: a_index, ..a };
        let base = if part > 0 { Base::Old } else { Base::Zero };
        for start in (0..b.width).step_by(width) {
            let j = start..(start + width).min(b.width);
            // Copied to adjacent rows: at distances of powers of two they would evict each other from the cache.
            for (&from, to) in b_index.iter().zip(panel_of_b.chunks_exact_mut(width)) {
                let from = &b.data[from * b.width + start..];
                if j.len() == width {
                    let (to, from) = (&mut vectors_mut::<S>(to)[..V], &vectors::<S>(from)[..V]);
                    to.copy_from_slice(from); // vector moves; copying single values would be a call
                } else {
                    to[..j.len()].copy_from_slice(&from[..j.len()]);
                }
            }
            for (p, rows) in tiles(columns.len()) {
                match rows {
                    1 => tile!(1, p, a, j, base),
                    2 => tile!(2, p, a, j, base),
                    3 => tile!(3, p, a, j, base),
                    4 => tile!(4, p, a, j, base),
                    5 => tile!(5, p, a, j, base),
                    _ => tile!(6, p, a, j, base),
                }
            }
        }
    }
}

/// The sum of the outer products of `R` values of `a`, from column `first` on, and `V` vectors each.
#[inline(always)]
fn outer_tile<S: Simd, const R: usize, const V: usize>(
    simd: S,
    a: Rows,
    first: usize,
    b: &[[S::f32s; V]],
) -> [[S::f32s; V]; R] {
    let mut sums = [[simd.splat_f32s(0.0); V]; R];
    for (row, y) in a.index.iter().zip(b) {
        let x: &[f32; R] = a.data[row * a.width + first..].first_chunk().expect("columns of a");
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
    use super::*;
    use crate::{
        random::Key,
        runtime::{
            product::tests::assert_close,
            simd::{dispatch, tests::with_every_width},
        },
    };

    #[test]
    fn outer_products_of_selected_rows_are_summed() {
        let shapes = [(1, 0..1, 1), (9, 2..9, 3), (14, 0..14, 40), (20, 6..19, 600), (5, 1..4, 0)];
        for (n, (width, columns, rows)) in [128, 21].into_iter().flat_map(|n| shapes.clone().map(|shape| (n, shape))) {
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
                dispatch(OuterProducts { a, b, columns: columns.clone(), to: &mut found });
                found
            });
            for found in found {
                assert_close(&found, &expected, &format!("{rows} rows"));
            }
        }
    }
}
