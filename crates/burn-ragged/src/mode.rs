//! How a forward pass runs: evaluation, or training with dropout masks drawn from a key.

use crate::{dropout::DropoutMasks, ragged::Ragged, random::Key};

/// How a forward pass runs.
#[derive(Clone, Copy, Debug)]
pub enum Mode {
    /// Deterministic: dropout is the identity.
    Evaluate,
    /// Dropout masks are drawn from the key of a batch, of which this shard passes through the network.
    Train(Key, Shard),
}

/// The sequences `first`, `first + step`, .. of a batch that is divided to pass through a network in parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Index in the batch of the first sequence.
    pub first: usize,
    /// Distance from one sequence to the next; at least 1.
    pub step: usize,
}

impl Shard {
    /// The whole batch.
    pub const WHOLE: Self = Self { first: 0, step: 1 };

    /// Index in the batch of the shard's sequence `i`.
    pub fn index(self, i: usize) -> usize {
        self.first + i * self.step
    }

    /// Indices of its sequences in a batch of `n_sequences`.
    pub fn members(self, n_sequences: usize) -> impl Iterator<Item = usize> {
        (self.first..n_sequences).step_by(self.step)
    }
}

impl Mode {
    /// The mode of a named part of a model. Each part draws its own masks.
    pub fn at(self, site: &str) -> Self {
        match self {
            Self::Evaluate => Self::Evaluate,
            Self::Train(key, shard) => Self::Train(key.at(site), shard),
        }
    }

    /// The mode of a numbered part of a model.
    pub fn with(self, part: usize) -> Self {
        match self {
            Self::Evaluate => Self::Evaluate,
            Self::Train(key, shard) => Self::Train(key.with(part as u64), shard),
        }
    }

    /// Inverted dropout, see [`DropoutMasks`]; zero at padding if values are dropped.
    pub fn dropout(self, x: Ragged, rate: f64) -> Ragged {
        match self.masks(x.layout().batch_size(), rate) {
            Some(masks) => masks.apply(x),
            None => x,
        }
    }

    /// The masks of a batch; `None` if nothing is dropped.
    fn masks(self, n_sequences: usize, rate: f64) -> Option<DropoutMasks> {
        let keys = self.keys(n_sequences)?;
        (rate > 0.0).then(|| DropoutMasks::new(keys, rate))
    }

    /// The masks of a batch whose rows are parts of sequences: `parts[i]` rows of sequence `i`.
    pub fn masks_of_parts(self, parts: &[usize], rate: f64) -> Option<DropoutMasks> {
        let keys = self.keys(parts.len())?.into_iter().zip(parts);
        let keys = keys.flat_map(|(key, &n)| (0..n).map(move |part| key.with(part as u64)));
        (rate > 0.0).then(|| DropoutMasks::new(keys.collect(), rate))
    }

    /// The key of each sequence, which depends on its index in the whole batch.
    fn keys(self, n_sequences: usize) -> Option<Vec<Key>> {
        match self {
            Self::Evaluate => None,
            Self::Train(key, shard) => Some((0..n_sequences).map(|i| key.with(shard.index(i) as u64)).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tensor};

    use super::*;
    use crate::ragged::Layout;

    fn mask(lengths: &[usize], shard: Shard) -> Vec<Vec<f32>> {
        let ones = Tensor::ones([lengths.len(), 30, 7], &Device::default());
        let ones = Ragged::new(ones, Layout::with_steps(lengths.to_vec(), 30));
        let mask = Mode::Train(Key::new(5), shard).dropout(ones, 0.3);
        mask.into_values().try_into_vec_as::<f32>().unwrap().chunks(30 * 7).map(<[f32]>::to_vec).collect()
    }

    #[test]
    fn a_shard_draws_the_masks_of_the_whole_batch() {
        let whole = mask(&[30, 10, 20, 15], Shard::WHOLE);
        let shard = mask(&[10, 15], Shard { first: 1, step: 2 });
        assert_eq!([&whole[1], &whole[3]], [&shard[0], &shard[1]]);
        assert_ne!(whole[0][..70], whole[1][..70]);
    }
}
