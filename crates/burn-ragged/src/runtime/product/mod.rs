//! Matrix products over selected rows, which multiply a padded batch without its padding and without a copy.
//!
//! A tile of the result, up to six rows by four vectors, is summed in registers, which keeps the multipliers of the CPU
//! busy. Every value is summed in the order of the inner dimension, independent of the number of threads.

mod outer;
mod panels;
mod transpose;

use std::ops::Range;

use pulp::Simd;

pub(crate) use outer::OuterProducts;
pub(crate) use panels::{Panels, pack};
pub use transpose::transpose;

use super::simd::{load, store, vectors, vectors_mut};

/// Most rows of a tile.
const TILE: usize = 6;

/// Selected rows of a row-major matrix.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    /// The matrix, from its first used column.
    pub data: &'a [f32],
    /// Width of its rows.
    pub width: usize,
    /// Indices of the rows.
    pub index: &'a [usize],
}

impl<'a> Rows<'a> {
    /// The first `n` values of `R` selected rows, from row `start` on.
    #[inline(always)]
    fn rows<const R: usize>(&self, start: usize, n: usize) -> [&'a [f32]; R] {
        let mut rows: [&[f32]; R] = [&[]; R];
        for (row, index) in rows.iter_mut().zip(&self.index[start..]) {
            *row = &self.data[index * self.width..][..n];
        }
        rows
    }
}

/// Selected rows of a row-major matrix, to be written.
pub(crate) struct RowsMut<'a> {
    /// The matrix, from its first used column.
    pub data: &'a mut [f32],
    /// Width of its rows.
    pub width: usize,
    /// Indices of the rows.
    pub index: &'a [usize],
}

impl RowsMut<'_> {
    /// Selected row `i` and all that follows it.
    #[inline(always)]
    fn row(&mut self, i: usize) -> &mut [f32] {
        &mut self.data[self.index[i] * self.width..]
    }
}

/// Sets the padding after each sequence to zero. Products do not write it.
///
/// # Shapes
/// - x: `[sequences, steps, width]`
pub(crate) fn clear_padding(x: &mut [f32], width: usize, lengths: &[usize]) {
    for (x, n) in x.chunks_exact_mut(x.len() / lengths.len()).zip(lengths) {
        x[n * width..].fill(0.0);
    }
}

/// The values to which a product is added.
#[derive(Clone, Copy)]
pub(crate) enum Base<'a> {
    /// Zero: the product replaces the old values.
    Zero,
    /// The old values.
    Old,
    /// This row, for every row of the product.
    Row(&'a [f32]),
}

impl Base<'_> {
    /// The base of the columns from `start` on.
    #[inline(always)]
    pub fn columns_from(self, start: usize) -> Self {
        match self {
            Self::Row(row) => Base::Row(&row[start..]),
            other => other,
        }
    }
}

/// A range of columns of a row-major matrix.
#[derive(Clone)]
pub(crate) struct Columns<'a> {
    /// The matrix.
    pub data: &'a [f32],
    /// Width of its rows.
    pub width: usize,
    /// The columns.
    pub range: Range<usize>,
}

impl<'a> Columns<'a> {
    /// All columns of a matrix `width` wide.
    pub fn all(data: &'a [f32], width: usize) -> Self {
        Self { data, width, range: 0..width }
    }
}

/// Vectors per row of a tile. They leave registers for the factors.
#[inline(always)]
const fn wide<S: Simd>() -> usize {
    if S::REGISTER_COUNT >= 32 { 4 } else { 2 }
}

/// Writes one row of a tile.
#[inline(always)]
fn put<S: Simd, const V: usize>(simd: S, to: &mut [f32], values: [S::f32s; V], base: Base) {
    if to.len() == V * S::F32_LANES {
        let to = &mut vectors_mut::<S>(to)[..V];
        match base {
            Base::Zero => to.copy_from_slice(&values),
            Base::Old => {
                for (to, value) in to.iter_mut().zip(values) {
                    *to = simd.add_f32s(*to, value);
                }
            }
            Base::Row(row) => {
                for ((to, value), &row) in to.iter_mut().zip(values).zip(&vectors::<S>(row)[..V]) {
                    *to = simd.add_f32s(row, value);
                }
            }
        }
    } else {
        for (v, value) in values.into_iter().enumerate() {
            let value = match base {
                Base::Zero => value,
                Base::Old => simd.add_f32s(load(simd, to, v), value),
                Base::Row(row) => simd.add_f32s(load(simd, row, v), value),
            };
            store(simd, to, v, value);
        }
    }
}

/// `0..n` in nearly equal pieces of at most [`TILE`], as (start, length).
#[inline(always)]
fn tiles(n: usize) -> impl Iterator<Item = (usize, usize)> {
    let pieces = n.div_ceil(TILE).max(1);
    let (size, larger) = (n / pieces, n % pieces);
    (0..pieces.min(n)).map(move |i| (i * size + i.min(larger), size + usize::from(i < larger)))
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn assert_close(found: &[f32], expected: &[f32], what: &str) {
        for (i, (a, b)) in found.iter().zip(expected).enumerate() {
            assert!((a - b).abs() < 1e-5, "{what}: {a} for {b} at {i}");
        }
    }

    #[test]
    fn tiles_cover_all_rows() {
        for n in 0..40 {
            let mut next = 0;
            for (start, length) in tiles(n) {
                assert!(start == next && (1..=TILE).contains(&length));
                next += length;
            }
            assert_eq!(next, n);
        }
    }
}
