//! From the vectors of a word's pieces to the vector of the word.

use burn::tensor::{Device, Int, Tensor, TensorData};
use burn_ragged::gather::gather;
use serde::{Deserialize, Serialize};

/// How the vectors of a word's pieces become one vector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pooling {
    /// The vector of the first piece.
    #[default]
    First,
    /// The mean of the vectors.
    Mean,
    /// The element-wise maximum of the vectors.
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

    /// The rows that this pooling reads; `pieces` holds the row of each piece of each word.
    pub(super) fn index(self, pieces: &[Vec<usize>], device: &Device) -> PieceIndex {
        let longest = if self == Self::First { 1 } else { pieces.iter().map(Vec::len).max().unwrap_or(1) };
        let row = |word: &Vec<usize>, i: usize| word[i.min(word.len() - 1)] as i64;
        let ints = |rows: Vec<i64>| Tensor::from_data(TensorData::new(rows, [pieces.len()]), device);
        let floats = |x: Vec<f32>| Tensor::from_data(TensorData::new(x, [pieces.len(), 1]), device);
        let weight = |word: &Vec<usize>, i: usize| if i < word.len() { 1.0 / word.len() as f32 } else { 0.0 };
        PieceIndex {
            pooling: self,
            rows: (0..longest).map(|i| ints(pieces.iter().map(|word| row(word, i)).collect())).collect(),
            weights: if self == Self::Mean {
                (0..longest).map(|i| floats(pieces.iter().map(|word| weight(word, i)).collect())).collect()
            } else {
                Vec::new()
            },
        }
    }
}

/// The rows that the words of a batch read. In step `i`, each word reads its piece `i`, or its last piece again.
#[derive(Debug)]
pub(super) struct PieceIndex {
    pooling: Pooling,
    /// `[words]` per step.
    rows: Vec<Tensor<1, Int>>,
    /// Weight of piece `i` in the mean; 0 after the last piece of a word. `[words, 1]` per step.
    weights: Vec<Tensor<2>>,
}

impl PieceIndex {
    /// # Shapes
    /// - x: `[pieces, width]`
    /// - output: `[words, width]`
    pub fn apply(&self, x: &Tensor<2>) -> Tensor<2> {
        let mut steps = self.rows.iter().map(|rows| gather(x.clone(), rows.clone()));
        let steps = steps.by_ref();
        let pooled = match self.pooling {
            Pooling::First => steps.next(),
            Pooling::Max => steps.reduce(Tensor::max_pair),
            Pooling::Mean => steps.zip(&self.weights).map(|(step, weight)| step * weight.clone()).reduce(|a, b| a + b),
        };
        pooled.expect("every word has a piece")
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
            pooling.index(&words, &device).apply(&x).try_into_vec_as().expect("f32 values")
        };
        assert_eq!(pool(Pooling::First), [1.0, -1.0, 0.5, 0.25]);
        assert_eq!(pool(Pooling::Max), [6.0, 5.0, 0.5, 0.25]);
        let mean = pool(Pooling::Mean);
        assert!(mean.iter().zip([3.0, 1.0 / 3.0, 0.5, 0.25]).all(|(a, b)| (a - b).abs() < 1e-6), "{mean:?}");
    }
}
