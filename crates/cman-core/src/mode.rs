//! Evaluation or training: in training, dropout with masks drawn from a key.

use std::ops::Range;

use burn::tensor::{Tensor, TensorData};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::{batch::Share, random::Key};

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

    /// Inverted dropout on a padded batch of sequences: each number of a real token is zeroed with probability `rate`
    /// (in steps of 2^-16) and scaled by 1 / (1 - rate) otherwise. A sentence's mask depends on its number in the batch
    /// and its own length alone, not on how far it is padded or how the batch is dealt out.
    ///
    /// # Shapes
    /// - x: `[batch, steps, width]`
    /// - output: `[batch, steps, width]`, zero at padding where numbers are dropped
    pub fn dropout(self, x: Tensor<3>, lengths: &[usize], rate: f64) -> Tensor<3> {
        let [_, steps, width] = x.dims();
        let sentence = |(i, &length)| Some(i * steps * width..(i * steps + length) * width);
        self.dropout_runs(x, lengths.iter().enumerate().map(sentence), rate)
    }

    /// [`dropout`](Self::dropout) on numbers in any order: `runs` says for each sentence where its own are. The others
    /// become zero.
    pub(crate) fn dropout_runs<const D: usize>(
        self,
        x: Tensor<D>,
        runs: impl IntoIterator<Item = impl IntoIterator<Item = Range<usize>>>,
        rate: f64,
    ) -> Tensor<D> {
        let Self::Train(key, share) = self else { return x };
        if rate == 0.0 {
            return x;
        }
        let shape = x.dims();
        let mut mask = vec![0.0f32; shape.iter().product()];
        for (sentence, runs) in runs.into_iter().enumerate() {
            let mut rng = key.with(share.number(sentence) as u64).rng();
            runs.into_iter().for_each(|run| draw(&mut rng, &mut mask[run], rate));
        }
        let mask = Tensor::from_data(TensorData::new(mask, shape), &x.device());
        x * mask
    }
}

/// The mask of a run of numbers.
fn draw(rng: &mut ChaCha8Rng, mask: &mut [f32], rate: f64) {
    let threshold = (rate * 65_536.0).round() as u32;
    let keep = 65_536.0 / (65_536 - threshold) as f32;
    let scale = |draw: u32| if draw >= threshold { keep } else { 0.0 };
    for pair in mask.chunks_mut(2) {
        let draw = rng.next_u32();
        pair[0] = scale(draw & 0xffff);
        if let Some(second) = pair.get_mut(1) {
            *second = scale(draw >> 16);
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
