//! The CPU kernel of the linear layer, forward and backward.
//!
//! Allocation: the result and the gradients come from pooled buffers. The packed weights are allocated once per set of
//! weights. Each task allocates the list of its rows.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use crate::{
    ragged::Layout,
    runtime::{
        buffer::Buffer,
        once_pair::OncePair,
        parallel::for_each,
        product::{Base, Columns, OuterProducts, Panels, Rows, RowsMut, clear_padding, pack},
        simd::{LANES, dispatch},
    },
};

/// Approximate number of elements that one task multiplies.
const ELEMENTS: usize = 128;

/// Sizes of a layer and of the batch that it reads.
#[derive(Clone, Debug)]
pub(super) struct Sizes {
    /// The batch.
    pub layout: Layout,
    /// Width of the input.
    pub d_input: usize,
    /// Width of the output.
    pub d_output: usize,
}

impl Sizes {
    /// Whether a pass is worth waking other threads for.
    fn is_large(&self) -> bool {
        self.layout.n_elements() * self.d_input * self.d_output > 1 << 20
    }
}

/// The weights `[d_input, d_output]`, packed for the products when a product first needs them. They serve every batch
/// until the weights change.
#[derive(Debug, Default)]
pub(crate) struct PackedWeights {
    plain: OncePair<Half>,
    transposed: OncePair<Half>,
}

/// Neighbouring columns of the weights, or of their transpose.
#[derive(Debug)]
struct Half {
    first: usize,
    panels: Panels,
}

impl PackedWeights {
    fn plain(&self, w: &[f32], sizes: &Sizes) -> [&Half; 2] {
        self.plain.get(|i| {
            let range = half(i, sizes.d_output);
            Half { first: range.start, panels: pack(Columns { data: w, width: sizes.d_output, range }, false) }
        })
    }

    fn transposed(&self, w: &[f32], sizes: &Sizes) -> [&Half; 2] {
        self.transposed.get(|i| {
            let (range, width) = (half(i, sizes.d_input), sizes.d_output);
            let w = &w[range.start * width..range.end * width];
            Half { first: range.start, panels: pack(Columns::all(w, width), true) }
        })
    }
}

/// The columns of half `i` of `n`. The cut is between two panels.
fn half(i: usize, n: usize) -> Range<usize> {
    let middle = (n / 2).next_multiple_of(4 * LANES).min(n);
    [0..middle, middle..n][i].clone()
}

/// `x W + b`.
///
/// # Shapes
/// - x: `[batch, steps, d_input]`
/// - output: `[batch, steps, d_output]`, zero at padding
pub(super) fn forward(x: &[f32], w: &[f32], bias: &[f32], sizes: &Sizes, packed: &PackedWeights) -> Buffer {
    multiply(x, Base::Row(bias), packed.plain(w, sizes), [sizes.d_input, sizes.d_output], sizes)
}

/// The gradients of a layer, each in the shape of its value.
#[derive(Debug)]
pub(super) struct Gradients {
    /// Of the input, if requested; zero at padding.
    pub x: Option<Buffer>,
    /// Of the weights.
    pub w: Buffer,
    /// Of the biases.
    pub bias: Buffer,
}

/// The gradients, given that of the output.
pub(super) fn backward([x, w, dy]: [&[f32]; 3], sizes: &Sizes, packed: &PackedWeights, with_x: bool) -> Gradients {
    let &Sizes { d_input, d_output, .. } = sizes;
    let rows = &sizes.layout.rows().collect::<Vec<_>>();
    let mut dw = Buffer::new(w.len());
    let [from, gradient] = [(x, d_input), (dy, d_output)].map(|(data, width)| Rows { data, width, index: rows });
    let tasks = OuterProducts::tasks(from, gradient, &mut dw);
    for_each(sizes.is_large(), tasks.collect(), dispatch);
    let mut bias = Buffer::zeros(d_output);
    for row in rows {
        bias.iter_mut().zip(&dy[row * d_output..]).for_each(|(sum, dy)| *sum += dy);
    }
    let dx = with_x.then(|| multiply(dy, Base::Zero, packed.transposed(w, sizes), [d_output, d_input], sizes));
    Gradients { x: dx, w: dw, bias }
}

/// All elements of `x` times `w`, plus `base`; zero at padding.
fn multiply(x: &[f32], base: Base, w: [&Half; 2], [d_from, d_to]: [usize; 2], sizes: &Sizes) -> Buffer {
    let (batch, steps) = (sizes.layout.batch_size(), sizes.layout.steps());
    let mut y = Buffer::new(batch * steps * d_to);
    let per_task = (ELEMENTS * batch).div_ceil(sizes.layout.n_elements());
    let parts = x.chunks(per_task * steps * d_from).zip(y.chunks_mut(per_task * steps * d_to));
    let tasks = parts.zip(sizes.layout.lengths().chunks(per_task)).map(|((x, to), lengths)| Multiply {
        x,
        w,
        base,
        lengths,
        rows: lengths.iter().enumerate().flat_map(|(b, n)| b * steps..b * steps + n).collect(),
        widths: [d_from, d_to],
        to,
    });
    for_each(sizes.is_large(), tasks.collect(), dispatch);
    y
}

/// The product of some sequences.
struct Multiply<'a> {
    x: &'a [f32],
    w: [&'a Half; 2],
    base: Base<'a>,
    lengths: &'a [usize],
    rows: Vec<usize>,
    widths: [usize; 2],
    to: &'a mut [f32],
}

impl WithSimd for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { x, w, base, lengths, rows, widths: [d_from, d_to], to } = self;
        clear_padding(to, d_to, lengths);
        let from = Rows { data: x, width: d_from, index: &rows };
        for &Half { first, ref panels } in w {
            let to = RowsMut { data: &mut to[first..], width: d_to, index: &rows };
            panels.multiply(simd, from, to, base.columns_from(first));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{random::Key, runtime::simd::tests::with_every_width};

    #[test]
    fn every_instruction_set_gives_the_same() {
        // One half of the columns, and two.
        for (d_input, d_output) in [(7, 21), (150, 70)] {
            let sizes = Sizes { layout: Layout::new(vec![3, 1, 5]), d_input, d_output };
            let draw = |site: &str, n: usize| Key::new(2).at(site).uniform(n, 0.5);
            let (x, w, bias) = (draw("x", 15 * d_input), draw("w", d_input * d_output), draw("bias", d_output));
            let dy = draw("dy", 15 * d_output);
            let results = with_every_width(|| {
                let packed = PackedWeights::default();
                let y = forward(&x, &w, &bias, &sizes, &packed);
                let y: Vec<f32> = sizes.layout.rows().flat_map(|i| y[i * d_output..][..d_output].to_vec()).collect();
                let found = backward([&x, &w, &dy], &sizes, &packed, true);
                [y, found.x.unwrap().to_vec(), found.w.to_vec(), found.bias.to_vec()]
            });
            for others in &results[1..] {
                for (found, expected) in others.iter().flatten().zip(results[0].iter().flatten()) {
                    assert!((found - expected).abs() < 1e-5, "{found} for {expected}");
                }
            }
        }
    }
}
