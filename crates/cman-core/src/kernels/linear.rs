//! A linear layer on the tokens of a ragged batch, forward and backward, on plain numbers; its definition is
//! [`linear_composed`](crate::linear::linear_composed).

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::{
    buffer::Buffer,
    halves::Halves,
    parallel::for_each,
    product::{Base, Columns, Panels, Rows, RowsMut, clear_padding, pack, sum_of_outer_products},
    simd::{LANES, dispatch},
};

/// Tokens that one task multiplies, about.
const TOKENS: usize = 128;

/// Rows of the weight's gradient that one task sums.
const WEIGHT_ROWS: usize = 96;

/// Sizes of a layer and of the padded batch that it reads.
#[derive(Clone, Debug)]
pub(super) struct Sizes {
    /// Places of each sentence.
    pub steps: usize,
    /// Width of the input.
    pub d_input: usize,
    /// Width of the output.
    pub d_output: usize,
    /// Tokens of each sentence.
    pub lengths: Vec<usize>,
}

impl Sizes {
    fn n_tokens(&self) -> usize {
        self.lengths.iter().sum()
    }

    /// Whether a pass is worth waking other threads for.
    fn is_large(&self) -> bool {
        self.n_tokens() * self.d_input * self.d_output > 1 << 20
    }

    /// The rows of the padded batch that hold the tokens of some sentences, from the first row of the first of them.
    fn rows(&self, sentences: &[usize]) -> Vec<usize> {
        sentences.iter().enumerate().flat_map(|(b, n)| b * self.steps..b * self.steps + n).collect()
    }
}

/// The weights `[d_input, d_output]` in the layout of the products, as far as they were needed. Made from one set of
/// weights, they are of use for as many batches as come before it changes.
#[derive(Debug, Default)]
pub(crate) struct Packs {
    plain: Halves<Half>,
    transposed: Halves<Half>,
}

/// Neighbouring columns of the weights, or of their transpose.
#[derive(Debug)]
struct Half {
    first: usize,
    panels: Panels,
}

impl Packs {
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

/// The columns of half `i` of `n`; they are parted between two panels.
fn half(i: usize, n: usize) -> Range<usize> {
    let middle = (n / 2).next_multiple_of(4 * LANES).min(n);
    [0..middle, middle..n][i].clone()
}

/// `x W + b`.
///
/// # Shapes
/// - x: `[batch, steps, d_input]`
/// - output: `[batch, steps, d_output]`; what stands at padding means nothing
pub(super) fn forward(x: &[f32], w: &[f32], bias: &[f32], sizes: &Sizes, packs: &Packs) -> Buffer {
    multiply(x, Base::Row(bias), packs.plain(w, sizes), [sizes.d_input, sizes.d_output], sizes)
}

/// The gradients of a layer, in the shapes of what they belong to.
#[derive(Debug)]
pub(super) struct Gradients {
    /// Of the input, if it was asked for; zero at padding.
    pub x: Option<Buffer>,
    /// Of the weights.
    pub w: Buffer,
    /// Of the biases.
    pub bias: Buffer,
}

/// The gradients from that of the output.
pub(super) fn backward([x, w, dy]: [&[f32]; 3], sizes: &Sizes, packs: &Packs, with_x: bool) -> Gradients {
    let &Sizes { d_input, d_output, .. } = sizes;
    let rows = &sizes.rows(&sizes.lengths);
    let mut dw = Buffer::new(w.len());
    let tasks = dw.chunks_mut(WEIGHT_ROWS * d_output).enumerate().map(|(i, to)| Weight {
        x: Rows { data: x, width: d_input, index: rows },
        dy: Rows { data: dy, width: d_output, index: rows },
        columns: i * WEIGHT_ROWS..i * WEIGHT_ROWS + to.len() / d_output,
        to,
    });
    for_each(sizes.is_large(), tasks.collect(), dispatch);
    let mut bias = Buffer::zeros(d_output);
    for row in rows {
        bias.iter_mut().zip(&dy[row * d_output..]).for_each(|(sum, dy)| *sum += dy);
    }
    let dx = with_x.then(|| multiply(dy, Base::Zero, packs.transposed(w, sizes), [d_output, d_input], sizes));
    Gradients { x: dx, w: dw, bias }
}

/// All tokens of `x` times `w`, plus `base`; zero at padding.
fn multiply(x: &[f32], base: Base, w: [&Half; 2], [d_from, d_to]: [usize; 2], sizes: &Sizes) -> Buffer {
    let (batch, steps) = (sizes.lengths.len(), sizes.steps);
    let mut y = Buffer::new(batch * steps * d_to);
    let per_task = (TOKENS * batch).div_ceil(sizes.n_tokens().max(1)).max(1);
    let parts = x.chunks(per_task * steps * d_from).zip(y.chunks_mut(per_task * steps * d_to));
    let tasks = parts.zip(sizes.lengths.chunks(per_task)).map(|((x, to), sentences)| Multiply {
        x,
        w,
        base,
        sentences,
        rows: sizes.rows(sentences),
        widths: [d_from, d_to],
        to,
    });
    for_each(sizes.is_large(), tasks.collect(), dispatch);
    y
}

/// Some sentences.
struct Multiply<'a> {
    x: &'a [f32],
    w: [&'a Half; 2],
    base: Base<'a>,
    /// Their lengths.
    sentences: &'a [usize],
    rows: Vec<usize>,
    widths: [usize; 2],
    to: &'a mut [f32],
}

impl WithSimd for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { x, w, base, sentences, rows, widths: [d_from, d_to], to } = self;
        clear_padding(to, d_to, sentences);
        let from = Rows { data: x, width: d_from, index: &rows };
        for &Half { first, ref panels } in w {
            let to = RowsMut { data: &mut to[first..], width: d_to, index: &rows };
            panels.multiply(simd, from, to, base.columns_from(first));
        }
    }
}

/// Some rows of the weight's gradient, the sum of `x[i]^T dy[i]`.
struct Weight<'a> {
    x: Rows<'a>,
    dy: Rows<'a>,
    columns: Range<usize>,
    to: &'a mut [f32],
}

impl WithSimd for Weight<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        sum_of_outer_products(simd, self.x, self.dy, self.columns, self.to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{kernels::simd::tests::with_every_width, random::Key};

    #[test]
    fn every_kind_of_vector_gives_the_same() {
        // One half of the columns, and two.
        for (d_input, d_output) in [(7, 21), (150, 70)] {
            let sizes = Sizes { steps: 5, d_input, d_output, lengths: vec![3, 1, 5] };
            let draw = |site: &str, n: usize| Key::new(2).at(site).uniform(n, 0.5);
            let (x, w, bias) = (draw("x", 15 * d_input), draw("w", d_input * d_output), draw("bias", d_output));
            let dy = draw("dy", 15 * d_output);
            let results = with_every_width(|| {
                let packs = Packs::default();
                let y = forward(&x, &w, &bias, &sizes, &packs);
                // Nothing is said of what stands at padding.
                let y: Vec<f32> =
                    sizes.rows(&sizes.lengths).iter().flat_map(|i| y[i * d_output..][..d_output].to_vec()).collect();
                let found = backward([&x, &w, &dy], &sizes, &packs, true);
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
