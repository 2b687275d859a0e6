//! Chosen rows of a matrix: embeddings, and every other place where vectors are picked.

use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::kernels;

/// The rows `index` of `x`.
///
/// # Shapes
/// - x: `[rows, width]`
/// - index: `[n]`
/// - output: `[n, width]`
pub(crate) fn gather(x: Tensor<2>, index: Tensor<1, Int>) -> Tensor<2> {
    if kernels::on_host(x.device(), x.dtype()) {
        let index = index.into_data().iter::<i64>().map(|row| row as usize).collect();
        return kernels::gather(x, index);
    }
    x.select(0, index)
}

/// Some tokens of each sentence of a batch.
#[derive(Debug)]
pub(crate) struct ChosenTokens {
    /// How many of each sentence.
    lengths: Vec<usize>,
    /// Their rows in the padded batch, as many for each sentence as any has. `[sentences * longest]`
    rows: Tensor<1, Int>,
}

impl ChosenTokens {
    /// `tokens[b]` are those of sentence `b`, at least one, of a batch padded to `steps`.
    pub fn new(tokens: &[Vec<usize>], steps: usize, device: &Device) -> Self {
        let lengths: Vec<usize> = tokens.iter().map(Vec::len).collect();
        let longest = lengths.iter().copied().max().unwrap_or(0);
        // What fills a sentence up is its token 0, which nobody reads there.
        let of_sentence = |(b, tokens): (usize, &Vec<usize>)| {
            let places: Vec<usize> = tokens.iter().copied().chain(std::iter::repeat(0)).take(longest).collect();
            places.into_iter().map(move |t| (b * steps + t) as i64)
        };
        let rows: Vec<i64> = tokens.iter().enumerate().flat_map(of_sentence).collect();
        let n = rows.len();
        Self { lengths, rows: Tensor::from_data(TensorData::new(rows, [n]), device) }
    }

    /// How many of each sentence.
    pub fn lengths(&self) -> &[usize] {
        &self.lengths
    }

    /// Their vectors, of sentence `b` in its first `lengths[b]` places.
    ///
    /// # Shapes
    /// - x: `[sentences, steps, width]`
    /// - output: `[sentences, longest, width]`
    pub fn of(&self, x: Tensor<3>) -> Tensor<3> {
        let [sentences, steps, width] = x.dims();
        let [n] = self.rows.dims();
        let rows = gather(x.reshape([sentences * steps, width]), self.rows.clone());
        rows.reshape([sentences, n / sentences, width])
    }
}
