//! Products with a packed matrix.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::{Base, Columns, Rows, RowsMut, put, tiles, transpose, wide};
use crate::runtime::{
    buffer::Buffer,
    simd::{call, dispatch, fma, vectors},
};

/// A matrix `[k, n]` packed into panels of columns, which a tile reads sequentially. The last panel contains the
/// remaining columns, padded with zeros to whole vectors. The layout depends on the instruction set it was packed for.
#[derive(Debug)]
pub(crate) struct Panels {
    k: usize,
    n: usize,
    data: Buffer,
}

impl Panels {
    /// Number of rows.
    pub fn k(&self) -> usize {
        self.k
    }

    /// Packs these columns of `k` rows.
    #[inline(always)]
    pub fn new<S: Simd>(simd: S, x: Columns) -> Self {
        call(simd, Pack { columns: x, is_transposed: false })
    }

    /// Packs the transpose of these `k` columns.
    #[inline(always)]
    pub fn transposed<S: Simd>(simd: S, x: Columns) -> Self {
        call(simd, Pack { columns: x, is_transposed: true })
    }

    #[inline(always)]
    fn copied<S: Simd>(x: Columns) -> Self {
        Self::cut::<S>(x.data.len() / x.width, x.range.len(), |panel, columns, width| {
            let columns = x.range.start + columns.start..x.range.start + columns.end;
            for (to, from) in panel.chunks_exact_mut(width).zip(x.data.chunks_exact(x.width)) {
                to[..columns.len()].copy_from_slice(&from[columns.clone()]);
                to[columns.len()..].fill(0.0);
            }
        })
    }

    #[inline(always)]
    fn transposed_copy<S: Simd>(x: Columns) -> Self {
        /// Values per row of a block, a few cache lines.
        const BLOCK: usize = 64;
        let k = x.range.len();
        Self::cut::<S>(k, x.data.len() / x.width, |panel, columns, width| {
            if columns.len() < width {
                panel.fill(0.0);
            }
            for start in (0..k).step_by(BLOCK) {
                let from = &x.data[columns.start * x.width + x.range.start + start..];
                let size = [columns.len(), BLOCK.min(k - start)];
                transpose(from, x.width, &mut panel[start * width..], width, size);
            }
        })
    }

    /// Calls `fill(panel, columns, row width)` for every panel.
    #[inline(always)]
    fn cut<S: Simd>(k: usize, n: usize, fill: impl Fn(&mut [f32], Range<usize>, usize)) -> Self {
        let wide = wide::<S>() * S::F32_LANES;
        let n_wide = n / wide;
        let last = (n - n_wide * wide).next_multiple_of(S::F32_LANES);
        let mut data = Buffer::new(k * (n_wide * wide + last));
        let (wide_panels, last_panel) = data.split_at_mut(k * n_wide * wide);
        for (j, panel) in wide_panels.chunks_exact_mut(k * wide).enumerate() {
            fill(panel, j * wide..(j + 1) * wide, wide);
        }
        if last > 0 {
            fill(last_panel, n_wide * wide..n, last);
        }
        Self { k, n, data }
    }

    /// `to[i] = from[i] w + base` for every selected row. It reads the first `k` values of a row of `from` and writes
    /// the first `n` values of a row of `to`.
    #[inline(always)]
    pub fn multiply<S: Simd>(&self, simd: S, from: Rows, to: RowsMut, base: Base) {
        call(simd, Multiply { panels: self, from, to, base });
    }

    /// A narrow tile of few rows has too few sums to hide the latency of an addition. So one row is multiplied with
    /// `ONE` panels at once, two rows with `TWO`. (A wide tile has enough sums. It is bound by memory, which is read
    /// faster from one place than from two.)
    #[inline(always)]
    fn multiply_wide<S: Simd, const V: usize, const ONE: usize, const TWO: usize>(
        &self,
        simd: S,
        from: Rows,
        mut to: RowsMut,
        base: Base,
    ) {
        assert!(from.index.len() == to.index.len() && from.width >= self.k && to.width >= self.n);
        let width = V * S::F32_LANES;
        let n_wide = self.n / width;
        let (wide, last) = self.data.split_at(self.k * n_wide * width);
        let n_done = match from.index.len() {
            1 => few_rows::<S, 1, V, ONE>(simd, from, self.k, wide, &mut to, base),
            2 => few_rows::<S, 2, V, TWO>(simd, from, self.k, wide, &mut to, base),
            _ => 0,
        };
        for (j, panel) in wide.chunks_exact(self.k * width).enumerate().skip(n_done) {
            panel_product::<S, V>(simd, from, panel, &mut to, j * width..(j + 1) * width, base);
        }
        let columns = n_wide * width..self.n;
        match columns.len().div_ceil(S::F32_LANES) {
            0 => {}
            1 => panel_product::<S, 1>(simd, from, last, &mut to, columns, base),
            2 => panel_product::<S, 2>(simd, from, last, &mut to, columns, base),
            3 => panel_product::<S, 3>(simd, from, last, &mut to, columns, base),
            _ => panel_product::<S, V>(simd, from, last, &mut to, columns, base),
        }
    }
}

/// [`Panels::new`], or [`Panels::transposed`], for the vectors of this CPU.
pub(crate) fn pack(columns: Columns, is_transposed: bool) -> Panels {
    dispatch(Pack { columns, is_transposed })
}

struct Pack<'a> {
    columns: Columns<'a>,
    is_transposed: bool,
}

impl WithSimd for Pack<'_> {
    type Output = Panels;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> Panels {
        if self.is_transposed { Panels::transposed_copy::<S>(self.columns) } else { Panels::copied::<S>(self.columns) }
    }
}

struct Multiply<'a> {
    panels: &'a Panels,
    from: Rows<'a>,
    to: RowsMut<'a>,
    base: Base<'a>,
}

impl WithSimd for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { panels, from, to, base } = self;
        if wide::<S>() == 4 {
            panels.multiply_wide::<S, 4, 1, 1>(simd, from, to, base);
        } else {
            panels.multiply_wide::<S, 2, 4, 2>(simd, from, to, base);
        }
    }
}

/// The product of `R` selected rows with `panels`, `G` panels at a time. Returns the number of panels used; fewer than
/// `G` are left.
#[inline(always)]
fn few_rows<S: Simd, const R: usize, const V: usize, const G: usize>(
    simd: S,
    from: Rows,
    k: usize,
    panels: &[f32],
    to: &mut RowsMut,
    base: Base,
) -> usize {
    let width = V * S::F32_LANES;
    let rows = from.rows::<R>(0, k);
    let groups = panels.chunks_exact(k * width * G);
    let n_done = groups.len() * G;
    for (j, group) in groups.enumerate() {
        let mut panels: [&[[S::f32s; V]]; G] = [&[]; G];
        for (panel, data) in panels.iter_mut().zip(group.chunks_exact(k * width)) {
            *panel = vectors::<S>(data).as_chunks::<V>().0;
        }
        for (r, sums) in row_tile::<S, R, V, G>(simd, rows, panels).into_iter().enumerate() {
            let to = &mut to.row(r)[j * G * width..];
            for (g, sum) in sums.into_iter().enumerate() {
                put(simd, &mut to[g * width..][..width], sum, base.columns_from((j * G + g) * width));
            }
        }
    }
    n_done
}

/// The columns of the product that belong to one panel.
#[inline(always)]
fn panel_product<S: Simd, const V: usize>(
    simd: S,
    from: Rows,
    panel: &[f32],
    to: &mut RowsMut,
    columns: Range<usize>,
    base: Base,
) {
    let panel = vectors::<S>(panel).as_chunks::<V>().0;
    macro_rules! tile {
        ($rows:literal, $start:ident) => {{
            let rows = from.rows::<$rows>($start, panel.len());
            for (r, [sum]) in row_tile(simd, rows, [panel]).into_iter().enumerate() {
                put(simd, &mut to.row($start + r)[columns.clone()], sum, base.columns_from(columns.start));
            }
        }};
    }
    for (start, n) in tiles(from.index.len()) {
        match n {
            1 => tile!(1, start),
            2 => tile!(2, start),
            3 => tile!(3, start),
            4 => tile!(4, start),
            5 => tile!(5, start),
            _ => tile!(6, start),
        }
    }
}

/// `rows` times panels of equal length.
#[inline(always)]
fn row_tile<S: Simd, const R: usize, const V: usize, const G: usize>(
    simd: S,
    mut rows: [&[f32]; R],
    mut panels: [&[[S::f32s; V]]; G],
) -> [[[S::f32s; V]; G]; R] {
    let k = panels[0].len();
    // One bounds check per slice.
    for row in &mut rows {
        *row = &row[..k];
    }
    for panel in &mut panels {
        *panel = &panel[..k];
    }
    let mut sums = [[[simd.splat_f32s(0.0); V]; G]; R];
    for p in 0..k {
        for r in 0..R {
            let x = simd.splat_f32s(rows[r][p]);
            for g in 0..G {
                for v in 0..V {
                    sums[r][g][v] = fma(simd, x, panels[g][p][v], sums[r][g][v]);
                }
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

    /// `to[i] = from[i] w + base` for selected rows.
    struct PackAndMultiply<'a> {
        w: &'a [f32],
        n: usize,
        is_transposed: bool,
        base: Base<'a>,
        from: Rows<'a>,
        to: RowsMut<'a>,
    }

    impl WithSimd for PackAndMultiply<'_> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            let Self { w, n, is_transposed, base, from, to } = self;
            let panels = if is_transposed {
                Panels::transposed(simd, Columns::all(w, w.len() / n))
            } else {
                Panels::new(simd, Columns::all(w, n))
            };
            assert_eq!(panels.k(), w.len() / n);
            panels.multiply(simd, from, to, base);
        }
    }

    #[test]
    fn selected_rows_are_multiplied() {
        let small = [(1, 1, 1), (3, 5, 2), (7, 64, 6), (20, 16, 7)];
        let large = [(9, 210, 1), (9, 210, 2), (5, 130, 13), (40, 79, 5), (17, 200, 30)];
        for (k, n, rows) in small.into_iter().chain(large) {
            let w = Key::new(1).uniform(k * n, 1.0);
            let transposed: Vec<f32> = (0..k * n).map(|i| w[i % k * n + i / k]).collect();
            let (from_width, to_width) = (k + 2, n + 3);
            let from = Key::new(2).uniform(2 * rows * from_width, 1.0);
            let before = Key::new(3).uniform(2 * rows * to_width, 1.0);
            let from_index: Vec<usize> = (0..rows).map(|i| 2 * rows - 1 - 2 * i).collect();
            let to_index: Vec<usize> = (0..rows).map(|i| 2 * i).collect();
            let bias = Key::new(4).uniform(n, 1.0);
            let bases = [Base::Zero, Base::Old, Base::Row(&bias)];
            for (is_transposed, base) in [false, true].into_iter().flat_map(|is| bases.map(|base| (is, base))) {
                let mut expected = before.clone();
                for (&from_row, &to_row) in from_index.iter().zip(&to_index) {
                    for c in 0..n {
                        let sum: f32 = (0..k).map(|p| from[from_row * from_width + p] * w[p * n + c]).sum();
                        let to = &mut expected[to_row * to_width + c];
                        *to = match base {
                            Base::Zero => sum,
                            Base::Old => *to + sum,
                            Base::Row(row) => row[c] + sum,
                        };
                    }
                }
                let found = with_every_width(|| {
                    let mut found = before.clone();
                    dispatch(PackAndMultiply {
                        w: if is_transposed { &transposed } else { &w },
                        n,
                        is_transposed,
                        base,
                        from: Rows { data: &from, width: from_width, index: &from_index },
                        to: RowsMut { data: &mut found, width: to_width, index: &to_index },
                    });
                    found
                });
                for found in found {
                    assert_close(&found, &expected, &format!("{k} x {n}, {rows} rows"));
                }
            }
        }
    }
}
