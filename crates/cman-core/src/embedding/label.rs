//! Label embeddings (section 3.1, "Label Representations").

use burn::{
    module::{Module, Param},
    tensor::{Int, Tensor},
};
use burn_ragged::{Init, Layout, Ragged};

use super::look_up;

/// A trained vector for each BIO tag.
#[derive(Module, Debug)]
pub struct LabelEmbedding {
    /// `[tags, d_label]`
    pub table: Param<Tensor<2>>,
}

impl LabelEmbedding {
    /// Random vectors.
    pub fn new(n_tags: usize, width: usize, init: Init) -> Self {
        Self { table: init.uniform([n_tags, width], 0.25) }
    }

    /// The vectors of the tags of these sentences.
    ///
    /// # Shapes
    /// - tags: `[batch, steps]`, ids
    /// - output: `[batch, steps, d_label]`
    pub fn forward(&self, tags: Tensor<2, Int>, layout: &Layout) -> Ragged {
        Ragged::new(look_up(self.table.val(), tags), layout.clone())
    }
}
