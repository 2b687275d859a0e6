//! Word embeddings (section 3.1).

use burn::{
    module::{Module, Param},
    tensor::{Int, Tensor, TensorData},
};
use burn_ragged::Init;
use serde::{Deserialize, Serialize};

use super::look_up;

/// Settings of the word embeddings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WordConfig {
    /// Width of a word vector. A vector file overrides it.
    pub width: usize,
    /// Whether the vectors of the training words are trained.
    pub trainable: bool,
    /// Whether words are looked up in lower case.
    pub lowercase: bool,
}

impl Default for WordConfig {
    fn default() -> Self {
        Self { width: 50, trainable: true, lowercase: true }
    }
}

/// Two tables: the words of the training data, which are trained, and the words that only the vector file has, which
/// keep their pretrained vectors.
///
/// Word id `i` is row `i` of `trained` if that row exists, else row `i - rows(trained)` of `pretrained`.
#[derive(Module, Debug)]
pub struct WordEmbedding {
    /// Vectors of the training words, padding (row 0) and the unknown word (row 1). `[training words, width]`
    pub trained: Param<Tensor<2>>,
    /// Vectors of the words outside of the training data. `[other words, width]`
    pub pretrained: Option<Param<Tensor<2>>>,
}

impl WordConfig {
    /// New vectors for `n_trained` words. The vector of the padding is zero; the others are uniform in ±sqrt(3 /
    /// width), with a variance like that of GloVe.
    pub fn init_with(&self, n_trained: usize, init: Init) -> WordEmbedding {
        let mut table = init.values(n_trained * self.width, (3.0 / self.width as f64).sqrt());
        table[..self.width].fill(0.0);
        let table = Param::from_data(TensorData::new(table, [n_trained, self.width]), init.device);
        WordEmbedding { trained: table.set_require_grad(self.trainable), pretrained: None }
    }
}

impl WordEmbedding {
    /// The same with pretrained vectors. `vectors` holds (word id, vector) for training words, `others` the vectors of
    /// the other words, in the order of their ids, row after row.
    ///
    /// # Panics
    /// If a vector does not have the width of the table, or an id is not that of a training word.
    pub fn with_pretrained(mut self, vectors: &[(u32, Vec<f32>)], others: Vec<f32>) -> Self {
        let [rows, width] = self.trained.dims();
        let device = self.trained.device();
        let trainable = self.trained.is_require_grad();
        let mut table: Vec<f32> = self.trained.val().try_into_vec_as().expect("the device returns the values");
        for (id, vector) in vectors {
            assert!((*id as usize) < rows && vector.len() == width, "vector {id} fits a table of {rows} x {width}");
            table[*id as usize * width..][..width].copy_from_slice(vector);
        }
        self.trained = Param::from_data(TensorData::new(table, [rows, width]), &device).set_require_grad(trainable);
        if !others.is_empty() {
            let n_others = others.len() / width;
            let others = Param::from_data(TensorData::new(others, [n_others, width]), &device);
            self.pretrained = Some(others.set_require_grad(false));
        }
        self
    }

    /// # Shapes
    /// - words: `[batch, steps]`, ids
    /// - output: `[batch, steps, width]`
    pub fn forward(&self, words: Tensor<2, Int>) -> Tensor<3> {
        let trained = self.trained.val();
        let n_trained = trained.dims()[0] as i64;
        let Some(pretrained) = &self.pretrained else { return look_up(trained, words) };
        let is_other = words.clone().greater_equal_elem(n_trained);
        let known = look_up(trained, words.clone().mask_fill(is_other.clone(), 0));
        let other = look_up(pretrained.val(), (words - n_trained).clamp_min(0));
        let is_other = is_other.unsqueeze_dim::<3>(2).expand(known.dims());
        known.mask_where(is_other, other)
    }
}
