//! Evaluation or training: in training, dropout with masks drawn from a key.

use std::ops::Range;

use burn::tensor::Tensor;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rayon::{
    iter::{IndexedParallelIterator, ParallelIterator},
    slice::ParallelSliceMut,
};

use crate::{batch::Share, kernels::Buffer, random::Key};

/// How a forward pass runs.
#[derive(Clone, Copy, Debug)]
pub enum Mode {
    /// Deterministic: dropout is the identity.
    Evaluate,
    /// Dropout masks are drawn from the key of a batch, of which this share is seen.
    Train(Key, Share),
}

impl Mode {
    /// The mode for a named part of the model, so that each part draws masks of its own.
    pub fn at(self, site: &str) -> Self {
        match self {
            Self::Evaluate => Self::Evaluate,
            Self::Train(key, share) => Self::Train(key.at(site), share),
        }
    }

    /// The mode for a numbered part of the model.
    pub fn with(self, part: usize) -> Self {
        match self {
            Self::Evaluate => Self::Evaluate,
            Self::Train(key, share) => Self::Train(key.with(part as u64), share),
        }
    }

    /// Inverted dropout on a padded batch of sentences, see [`Masks`].
    ///
    /// # Shapes
    /// - x: `[batch, steps, width]`
    /// - output: `[batch, steps, width]`, zero at padding where numbers are dropped
    pub fn dropout(self, x: Tensor<3>, lengths: &[usize], rate: f64) -> Tensor<3> {
        match self.masks(lengths.len(), rate) {
            Some(masks) => masks.apply(x, lengths),
            None => x,
        }
    }

    /// The masks of a batch of sentences; none where nothing is dropped.
    fn masks(self, n_sentences: usize, rate: f64) -> Option<Masks> {
        let Self::Train(key, share) = self else { return None };
        let keys = || (0..n_sentences).map(|i| key.with(share.number(i) as u64)).collect();
        (rate > 0.0).then(|| Masks { keys: keys(), rate })
    }

    /// The masks of a batch whose rows are parts of sentences, `parts[i]` of sentence `i`.
    pub fn masks_of_parts(self, parts: &[usize], rate: f64) -> Option<Masks> {
        let of_sentences = self.masks(parts.len(), rate)?;
        let keys = of_sentences.keys.into_iter().zip(parts);
        let keys = keys.flat_map(|(key, &n)| (0..n).map(move |part| key.with(part as u64)));
        Some(Masks { keys: keys.collect(), rate })
    }
}

/// Dropout masks of a batch: each number of a real token is zeroed with probability `rate` (in steps of 2^-16) and scaled
/// by 1 / (1 - rate) otherwise. What a row's mask is depends on the number of its sentence in the batch and on its own
/// length alone, not on how far it is padded or how the batch is dealt out.
#[derive(Clone, Debug)]
pub struct Masks {
    /// One a row of the batch.
    keys: Vec<Key>,
    rate: f64,
}

/// The mask of one row, drawn from its start to its end.
pub(crate) struct Mask {
    rng: ChaCha8Rng,
    threshold: u32,
    kept: f32,
}

impl Masks {
    /// On sequences of features.
    ///
    /// # Shapes
    /// - x: `[rows, steps, width]`
    /// - output: `[rows, steps, width]`, zero at padding
    pub fn apply(&self, x: Tensor<3>, lengths: &[usize]) -> Tensor<3> {
        let [_, _, width] = x.dims();
        self.multiply(x, |i| Some(0..lengths[i] * width))
    }

    /// On attention weights.
    ///
    /// # Shapes
    /// - weights: `[rows, heads, queries, keys]`
    /// - output: `[rows, heads, queries, keys]`, zero at padding
    pub fn apply_to_weights(&self, weights: Tensor<4>, [queries, keys]: [&[usize]; 2]) -> Tensor<4> {
        let [_, heads, n_queries, n_keys] = weights.dims();
        self.multiply(weights, |i| {
            let (n, m) = (queries[i], keys[i]);
            let queries = (0..heads).flat_map(move |head| head * n_queries..head * n_queries + n);
            queries.map(move |query| query * n_keys..query * n_keys + m)
        })
    }

    /// The mask of row `i`.
    pub(crate) fn of(&self, i: usize) -> Mask {
        let threshold = (self.rate * 65_536.0).round() as u32;
        Mask { rng: self.keys[i].rng(), threshold, kept: 65_536.0 / (65_536 - threshold) as f32 }
    }

    /// `runs` says where in each row its numbers are. The others become zero.
    fn multiply<const D: usize, R: IntoIterator<Item = Range<usize>>>(
        &self,
        x: Tensor<D>,
        runs: impl Fn(usize) -> R + Sync,
    ) -> Tensor<D> {
        let shape = x.dims();
        let row_size: usize = shape[1..].iter().product();
        let mut mask = Buffer::new(shape[0] * row_size);
        mask.par_chunks_mut(row_size.max(1)).enumerate().for_each(|(i, row)| {
            let mut numbers = self.of(i);
            row.fill(0.0);
            runs(i).into_iter().for_each(|run| numbers.draw(&mut row[run]));
        });
        let mask = Tensor::from_data(mask.into_data(shape), &x.device());
        x * mask
    }
}

impl Mask {
    /// The next numbers.
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

    fn mask(lengths: &[usize], steps: usize, share: Share) -> Vec<Vec<f32>> {
        let ones = Tensor::ones([lengths.len(), steps, 21], &Device::default());
        let mask: Vec<f32> = Mode::Train(Key::new(5), share).dropout(ones, lengths, 0.3).try_into_vec_as().unwrap();
        mask.chunks(steps * 21).map(<[f32]>::to_vec).collect()
    }

    #[test]
    fn masks_keep_the_expectation() {
        let mask = &mask(&[90, 10], 100, Share::WHOLE)[0];
        let kept = mask[..90 * 21].iter().filter(|&&m| m > 0.0).count() as f64 / (90.0 * 21.0);
        assert!((kept - 0.7).abs() < 0.03, "{kept}");
        let mean = mask[..90 * 21].iter().sum::<f32>() / (90.0 * 21.0);
        assert!((mean - 1.0).abs() < 0.05, "{mean}");
        assert!(mask[90 * 21..].iter().all(|&m| m == 0.0));
    }

    #[test]
    fn masks_ignore_the_padding_and_the_shares() {
        let wide = mask(&[90, 10, 20, 15], 100, Share::WHOLE);
        let narrow = mask(&[90, 10], 95, Share::WHOLE);
        assert_eq!(wide[0][..90 * 21], narrow[0][..90 * 21]);
        assert_eq!(wide[1][..10 * 21], narrow[1][..10 * 21]);
        let share = mask(&[10, 15], 30, Share { first: 1, step: 2 });
        assert_eq!(wide[1][..10 * 21], share[0][..10 * 21]);
        assert_eq!(wide[3][..15 * 21], share[1][..15 * 21]);
    }
}
