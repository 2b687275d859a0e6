//! Evaluation or training: in training, dropout with masks drawn from a key.

use burn::tensor::{Tensor, TensorData};
use rand::Rng;

use crate::random::Key;

/// How a forward pass runs.
#[derive(Clone, Copy, Debug)]
pub enum Mode {
    /// Deterministic: dropout is the identity.
    Evaluate,
    /// Dropout masks are drawn from this key.
    Train(Key),
}

impl Mode {
    /// The mode for a named part of the model, so that each part draws masks of its own.
    pub fn at(self, site: &str) -> Self {
        match self {
            Self::Evaluate => Self::Evaluate,
            Self::Train(key) => Self::Train(key.at(site)),
        }
    }

    /// The mode for a numbered part of the model.
    pub fn with(self, part: usize) -> Self {
        match self {
            Self::Evaluate => Self::Evaluate,
            Self::Train(key) => Self::Train(key.with(part as u64)),
        }
    }

    /// Inverted dropout on a padded batch of sequences: each number of a real token is zeroed with probability `rate`
    /// (in steps of 2^-16) and scaled by 1 / (1 - rate) otherwise. A sentence's mask depends on its place in the batch
    /// and its own length alone, not on how far the batch is padded.
    ///
    /// # Shapes
    /// - x: `[batch, steps, width]`
    /// - output: `[batch, steps, width]`, zero at padding where numbers are dropped
    pub fn dropout(self, x: Tensor<3>, lengths: &[usize], rate: f64) -> Tensor<3> {
        let Self::Train(key) = self else { return x };
        if rate == 0.0 {
            return x;
        }
        let [batch, steps, width] = x.dims();
        let mask = TensorData::new(mask(key, lengths, steps, width, rate), [batch, steps, width]);
        let mask = Tensor::from_data(mask, &x.device());
        x * mask
    }
}

fn mask(key: Key, lengths: &[usize], steps: usize, width: usize, rate: f64) -> Vec<f32> {
    let threshold = (rate * 65_536.0).round() as u32;
    let keep = 65_536.0 / (65_536 - threshold) as f32;
    let scale = |draw: u32| if draw >= threshold { keep } else { 0.0 };
    let mut mask = vec![0.0f32; lengths.len() * steps * width];
    for (sentence, (row, &length)) in mask.chunks_mut(steps * width).zip(lengths).enumerate() {
        let mut rng = key.with(sentence as u64).rng();
        for pair in row[..length * width].chunks_mut(2) {
            let draw = rng.next_u32();
            pair[0] = scale(draw & 0xffff);
            if let Some(second) = pair.get_mut(1) {
                *second = scale(draw >> 16);
            }
        }
    }
    mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_keep_the_expectation_and_ignore_the_padding() {
        let key = Key::new(5);
        let wide = mask(key, &[90, 10], 100, 21, 0.3);
        let kept = wide[..90 * 21].iter().filter(|&&m| m > 0.0).count() as f64 / (90.0 * 21.0);
        assert!((kept - 0.7).abs() < 0.03, "{kept}");
        let mean = wide[..90 * 21].iter().sum::<f32>() / (90.0 * 21.0);
        assert!((mean - 1.0).abs() < 0.05, "{mean}");
        assert!(wide[90 * 21..100 * 21].iter().all(|&m| m == 0.0));
        let narrow = mask(key, &[90, 10], 95, 21, 0.3);
        assert_eq!(wide[..90 * 21], narrow[..90 * 21]);
        assert_eq!(wide[100 * 21..110 * 21], narrow[95 * 21..105 * 21]);
    }
}
