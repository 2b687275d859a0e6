//! Dropout with masks that are drawn from keys, so that they depend on no order of evaluation.

use std::ops::Range;

use burn::tensor::Tensor;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rayon::{
    iter::{IndexedParallelIterator, ParallelIterator},
    slice::ParallelSliceMut,
};

use crate::{
    ragged::{Layout, Ragged},
    random::Key,
    runtime::buffer::Buffer,
};

/// Inverted dropout masks of a batch: each value of a real element is zeroed with probability `rate` (in steps of 2^-16)
/// and scaled by 1 / (1 - rate) otherwise. The mask of a sequence depends on its key and its own length alone, not on its
/// padding or its place in the batch.
#[derive(Clone, Debug)]
pub struct DropoutMasks {
    /// One per sequence.
    keys: Vec<Key>,
    rate: f64,
}

/// The mask of one sequence, drawn from its start to its end.
pub(crate) struct RowMask {
    rng: ChaCha8Rng,
    threshold: u32,
    kept: f32,
}

impl DropoutMasks {
    /// Masks of this rate, drawn from one key per sequence.
    pub fn new(keys: Vec<Key>, rate: f64) -> Self {
        Self { keys, rate }
    }

    /// The batch with dropout; zero at padding.
    pub fn apply(&self, x: Ragged) -> Ragged {
        let (layout, width) = (x.layout().clone(), x.width());
        x.map(|x| self.multiply(x, |i| Some(0..layout.lengths()[i] * width)))
    }

    /// Attention weights with dropout.
    ///
    /// # Shapes
    /// - weights: `[batch, heads, queries, keys]`
    /// - output: `[batch, heads, queries, keys]`, zero at padding
    pub fn apply_to_weights(&self, weights: Tensor<4>, queries: &Layout, keys: &Layout) -> Tensor<4> {
        let [_, heads, n_queries, n_keys] = weights.dims();
        self.multiply(weights, |i| {
            let (n, m) = (queries.lengths()[i], keys.lengths()[i]);
            let queries = (0..heads).flat_map(move |head| head * n_queries..head * n_queries + n);
            queries.map(move |query| query * n_keys..query * n_keys + m)
        })
    }

    /// The mask of sequence `i`.
    pub(crate) fn of(&self, i: usize) -> RowMask {
        let threshold = (self.rate * 65_536.0).round() as u32;
        RowMask { rng: self.keys[i].rng(), threshold, kept: 65_536.0 / (65_536 - threshold) as f32 }
    }

    /// `x` times the mask. `runs` gives the ranges of a sequence's real values; the others become zero.
    fn multiply<const D: usize, R: IntoIterator<Item = Range<usize>>>(
        &self,
        x: Tensor<D>,
        runs: impl Fn(usize) -> R + Sync,
    ) -> Tensor<D> {
        let shape = x.dims();
        let row_size: usize = shape[1..].iter().product();
        let mut mask = Buffer::new(shape[0] * row_size);
        mask.par_chunks_mut(row_size.max(1)).enumerate().for_each(|(i, row)| {
            let mut draws = self.of(i);
            row.fill(0.0);
            runs(i).into_iter().for_each(|run| draws.draw(&mut row[run]));
        });
        let mask = Tensor::from_data(mask.into_data(shape), &x.device());
        x * mask
    }
}

impl RowMask {
    /// Draws the next values of the mask.
    pub fn draw(&mut self, mask: &mut [f32]) {
        let &mut Self { ref mut rng, threshold, kept } = self;
        let scale = |draw: u32| if draw >= threshold { kept } else { 0.0 };
        for pair in mask.chunks_mut(2) {
            let draw = rng.next_u32();
            pair[0] = scale(draw & 0xffff);
            if let Some(second) = pair.get_mut(1) {
                *second = scale(draw >> 16);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    fn mask(lengths: &[usize], steps: usize, keys: Vec<Key>) -> Vec<Vec<f32>> {
        let ones = Tensor::ones([lengths.len(), steps, 21], &Device::default());
        let ones = Ragged::new(ones, Layout::with_steps(lengths.to_vec(), steps));
        let mask: Vec<f32> = DropoutMasks::new(keys, 0.3).apply(ones).into_values().try_into_vec_as().unwrap();
        mask.chunks(steps * 21).map(<[f32]>::to_vec).collect()
    }

    fn keys(numbers: &[u64]) -> Vec<Key> {
        numbers.iter().map(|&i| Key::new(5).with(i)).collect()
    }

    #[test]
    fn masks_keep_the_expectation() {
        let mask = &mask(&[90, 10], 100, keys(&[0, 1]))[0];
        let kept = mask[..90 * 21].iter().filter(|&&m| m > 0.0).count() as f64 / (90.0 * 21.0);
        assert!((kept - 0.7).abs() < 0.03, "{kept}");
        let mean = mask[..90 * 21].iter().sum::<f32>() / (90.0 * 21.0);
        assert!((mean - 1.0).abs() < 0.05, "{mean}");
        assert!(mask[90 * 21..].iter().all(|&m| m == 0.0));
    }

    #[test]
    fn masks_ignore_padding_and_place() {
        let wide = mask(&[90, 10, 20, 15], 100, keys(&[0, 1, 2, 3]));
        let narrow = mask(&[90, 10], 95, keys(&[0, 1]));
        assert_eq!(wide[0][..90 * 21], narrow[0][..90 * 21]);
        assert_eq!(wide[1][..10 * 21], narrow[1][..10 * 21]);
        let others = mask(&[10, 15], 30, keys(&[1, 3]));
        assert_eq!(wide[1][..10 * 21], others[0][..10 * 21]);
        assert_eq!(wide[3][..15 * 21], others[1][..15 * 21]);
    }
}
