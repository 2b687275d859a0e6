//! From the pieces of a word to its vector.

use burn::tensor::{Device, Int, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use crate::gather::gather;

/// How the vectors of a word's pieces become one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    /// That of the first piece.
    #[default]
    First,
    /// Their mean.
    Mean,
    /// The largest of each number.
    Max,
}

impl Pooling {
    /// The name in a configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Mean => "mean",
            Self::Max => "max",
        }
    }

    /// Where to find what this pooling reads; `pieces` holds the row of each piece of each word.
    pub(super) fn plan(self, pieces: &[Vec<usize>], device: &Device) -> Plan {
        let longest = if self == Self::First { 1 } else { pieces.iter().map(Vec::len).max().unwrap_or(1) };
        let row = |word: &Vec<usize>, i: usize| word[i.min(word.len() - 1)] as i64;
        let ints = |rows: Vec<i64>| Tensor::from_data(TensorData::new(rows, [pieces.len()]), device);
        let floats = |x: Vec<f32>| Tensor::from_data(TensorData::new(x, [pieces.len(), 1]), device);
        let share = |word: &Vec<usize>, i: usize| if i < word.len() { 1.0 / word.len() as f32 } else { 0.0 };
        Plan {
            pooling: self,
            rows: (0..longest).map(|i| ints(pieces.iter().map(|word| row(word, i)).collect())).collect(),
            shares: if self == Self::Mean {
                (0..longest).map(|i| floats(pieces.iter().map(|word| share(word, i)).collect())).collect()
            } else {
                Vec::new()
            },
        }
    }
}

/// Which rows the words of a batch read: in step `i` each its piece `i`, or again its last one.
#[derive(Debug)]
pub(super) struct Plan {
    pooling: Pooling,
    rows: Vec<Tensor<1, Int>>,
    /// What piece `i` counts in the mean: nothing behind the word's last one. `[words, 1]`
    shares: Vec<Tensor<2>>,
}

impl Plan {
    /// `[pieces, width]` -> `[words, width]`
    pub fn apply(&self, x: &Tensor<2>) -> Tensor<2> {
        let mut steps = self.rows.iter().map(|rows| gather(x.clone(), rows.clone()));
        let steps = steps.by_ref();
        let pooled = match self.pooling {
            Pooling::First => steps.next(),
            Pooling::Max => steps.reduce(Tensor::max_pair),
            Pooling::Mean => steps.zip(&self.shares).map(|(step, share)| step * share.clone()).reduce(|a, b| a + b),
        };
        pooled.expect("a word has a piece")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_any_number_of_pieces_are_pooled() {
        let device = Device::default();
        let x = Tensor::<2>::from_floats([[1.0, -1.0], [2.0, 5.0], [6.0, -3.0], [0.5, 0.25]], &device);
        let words = [vec![0, 1, 2], vec![3]];
        let pool = |pooling: Pooling| -> Vec<f32> {
            pooling.plan(&words, &device).apply(&x).try_into_vec_as().expect("numbers")
        };
        assert_eq!(pool(Pooling::First), [1.0, -1.0, 0.5, 0.25]);
        assert_eq!(pool(Pooling::Max), [6.0, 5.0, 0.5, 0.25]);
        let mean = pool(Pooling::Mean);
        assert!(mean.iter().zip([3.0, 1.0 / 3.0, 0.5, 0.25]).all(|(a, b)| (a - b).abs() < 1e-6), "{mean:?}");
    }
}
