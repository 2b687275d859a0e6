//! Matrix products over chosen rows: a padded batch is multiplied without its padding, and without being copied.
//!
//! A tile of the result, up to six rows by four vectors, stays in registers while it is summed, which keeps the
//! multipliers of the CPU busy; every number is summed in the order of the inner dimension, whatever the threads do.

use pulp::Simd;

use super::simd::{fma, load, store, vectors, vectors_mut};

/// Rows of a tile.
const TILE: usize = 6;

/// Terms that a sum over rows takes before it turns to the next columns, so that what it reads stays in the cache.
const DEPTH: usize = 256;

/// Chosen rows of a row-major matrix.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    /// The matrix.
    pub data: &'a [f32],
    /// Width of its rows.
    pub width: usize,
    /// Which rows.
    pub index: &'a [usize],
}

impl Rows<'_> {
    #[inline(always)]
    fn row(&self, i: usize) -> &[f32] {
        &self.data[self.index[i] * self.width..][..self.width]
    }
}

/// Chosen rows of a row-major matrix, to be written.
pub(crate) struct RowsMut<'a> {
    /// The matrix.
    pub data: &'a mut [f32],
    /// Width of its rows.
    pub width: usize,
    /// Which rows.
    pub index: &'a [usize],
}

/// Vectors of a tile's row: as many as leave registers for the factors.
#[inline(always)]
const fn wide<S: Simd>() -> usize {
    if S::REGISTER_COUNT >= 32 { 4 } else { 2 }
}

/// A matrix `[k, n]` cut into panels of columns, each of which a tile reads from end to end. The last panels are one
/// vector wide, and the very last is padded with zeros. The layout belongs to the kind of vector it was made with.
#[derive(Debug)]
pub(crate) struct Panels {
    k: usize,
    n: usize,
    data: Vec<f32>,
}

impl Panels {
    /// Number of rows.
    pub fn k(&self) -> usize {
        self.k
    }

    /// The matrix of `n` columns whose rows are those of `data`.
    #[inline(always)]
    pub fn new<S: Simd>(_simd: S, data: &[f32], n: usize) -> Self {
        let k = data.len() / n;
        Self::cut::<S>(k, n, |panel, columns, width| {
            for (to, from) in panel.chunks_exact_mut(width).zip(data.chunks_exact(n)) {
                to[..columns.len()].copy_from_slice(&from[columns.clone()]);
            }
        })
    }

    /// The transpose of the matrix of `k` columns whose rows are those of `data`.
    #[inline(always)]
    pub fn transposed<S: Simd>(_simd: S, data: &[f32], k: usize) -> Self {
        /// Numbers of each row that are moved at once, a cache line.
        const BLOCK: usize = 16;
        Self::cut::<S>(k, data.len() / k, |panel, columns, width| {
            for start in (0..k).step_by(BLOCK) {
                let n = BLOCK.min(k - start);
                let to = &mut panel[start * width..][..n * width];
                for (i, column) in columns.clone().enumerate() {
                    let from = &data[column * k + start..][..n];
                    for (to, &from) in to[i..].iter_mut().step_by(width).zip(from) {
                        *to = from;
                    }
                }
            }
        })
    }

    /// Calls `fill(panel, its columns, width of its rows)` for every panel.
    #[inline(always)]
    fn cut<S: Simd>(k: usize, n: usize, fill: impl Fn(&mut [f32], std::ops::Range<usize>, usize)) -> Self {
        let wide = wide::<S>() * S::F32_LANES;
        let n_wide = n / wide;
        let n_narrow = (n - n_wide * wide).div_ceil(S::F32_LANES);
        let mut data = vec![0.0; k * (n_wide * wide + n_narrow * S::F32_LANES)];
        let (wide_panels, narrow_panels) = data.split_at_mut(k * n_wide * wide);
        let mut start = 0;
        let panels = wide_panels.chunks_exact_mut(k * wide).map(|panel| (panel, wide));
        for (panel, width) in panels.chain(narrow_panels.chunks_exact_mut(k * S::F32_LANES).map(|p| (p, S::F32_LANES)))
        {
            let end = (start + width).min(n);
            fill(panel, start..end, width);
            start = end;
        }
        Self { k, n, data }
    }

    /// `to[i] = from[i] w` for every chosen row, or `to[i] += from[i] w`. Only the first `k` numbers of a row of
    /// `from` and the first `n` of a row of `to` count.
    #[inline(always)]
    pub fn multiply<S: Simd>(&self, simd: S, from: Rows, to: RowsMut, add: bool) {
        if wide::<S>() == 4 {
            self.multiply_wide::<S, 4>(simd, from, to, add);
        } else {
            self.multiply_wide::<S, 2>(simd, from, to, add);
        }
    }

    #[inline(always)]
    fn multiply_wide<S: Simd, const V: usize>(&self, simd: S, from: Rows, to: RowsMut, add: bool) {
        assert!(from.index.len() == to.index.len() && from.width >= self.k && to.width >= self.n);
        let width = V * S::F32_LANES;
        let n_wide = self.n / width;
        let (wide, narrow) = self.data.split_at(self.k * n_wide * width);
        for (j, panel) in wide.chunks_exact(self.k * width).enumerate() {
            let panel = vectors::<S>(panel).as_chunks::<V>().0;
            panel_product(simd, from, panel, to.data, to.width, to.index, j * width..(j + 1) * width, add);
        }
        for (j, panel) in narrow.chunks_exact(self.k * S::F32_LANES).enumerate() {
            let panel = vectors::<S>(panel).as_chunks::<1>().0;
            let start = n_wide * width + j * S::F32_LANES;
            let columns = start..(start + S::F32_LANES).min(self.n);
            panel_product(simd, from, panel, to.data, to.width, to.index, columns, add);
        }
    }
}

/// The columns of a product that one panel gives.
#[inline(always)]
#[allow(clippy::too_many_arguments)] // a view of the output would borrow it anew for every tile
fn panel_product<S: Simd, const V: usize>(
    simd: S,
    from: Rows,
    panel: &[[S::f32s; V]],
    to: &mut [f32],
    width: usize,
    index: &[usize],
    columns: std::ops::Range<usize>,
    add: bool,
) {
    macro_rules! tile {
        ($rows:literal, $start:ident) => {{
            let rows: [&[f32]; $rows] = std::array::from_fn(|r| from.row($start + r));
            let sums = row_tile(simd, rows, panel);
            for (r, sum) in sums.into_iter().enumerate() {
                put(simd, &mut to[index[$start + r] * width..][columns.clone()], sum, add);
            }
        }};
    }
    for (start, n) in tiles(index.len()) {
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

/// `rows` times a panel.
#[inline(always)]
fn row_tile<S: Simd, const R: usize, const V: usize>(
    simd: S,
    rows: [&[f32]; R],
    panel: &[[S::f32s; V]],
) -> [[S::f32s; V]; R] {
    let k = panel.len();
    let mut cut = rows;
    for row in &mut cut {
        *row = &row[..k];
    }
    let mut sums = [[simd.splat_f32s(0.0); V]; R];
    for p in 0..k {
        let weights = panel[p];
        for r in 0..R {
            let x = simd.splat_f32s(cut[r][p]);
            for v in 0..V {
                sums[r][v] = fma(simd, x, weights[v], sums[r][v]);
            }
        }
    }
    sums
}

/// Sets or adds to the numbers of one row of a tile.
#[inline(always)]
fn put<S: Simd, const V: usize>(simd: S, to: &mut [f32], values: [S::f32s; V], add: bool) {
    if to.len() == V * S::F32_LANES {
        let to = &mut vectors_mut::<S>(to)[..V];
        for v in 0..V {
            to[v] = if add { simd.add_f32s(to[v], values[v]) } else { values[v] };
        }
    } else {
        for (v, value) in values.into_iter().enumerate() {
            let value = if add { simd.add_f32s(load(simd, to, v), value) } else { value };
            store(simd, to, v, value);
        }
    }
}

/// `to = sum_i a[i]^T b[i]` over all chosen rows, for the columns `columns` of `a`: row `p` of `to` belongs to column
/// `columns.start + p` of `a`, and is as wide as the rows of `b`, a multiple of four [`LANES`](super::simd::LANES).
#[inline(always)]
pub(crate) fn sum_of_outer_products<S: Simd>(
    simd: S,
    a: Rows,
    b: Rows,
    columns: std::ops::Range<usize>,
    to: &mut [f32],
) {
    if wide::<S>() == 4 {
        outer_wide::<S, 4>(simd, a, b, columns, to);
    } else {
        outer_wide::<S, 2>(simd, a, b, columns, to);
    }
}

#[inline(always)]
fn outer_wide<S: Simd, const V: usize>(simd: S, a: Rows, b: Rows, columns: std::ops::Range<usize>, to: &mut [f32]) {
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

/// `0..n` in nearly equal pieces of at most [`TILE`], as (start, length).
#[inline(always)]
fn tiles(n: usize) -> impl Iterator<Item = (usize, usize)> {
    let pieces = n.div_ceil(TILE).max(1);
    let (size, larger) = (n / pieces, n % pieces);
    (0..pieces.min(n)).map(move |i| (i * size + i.min(larger), size + usize::from(i < larger)))
}
