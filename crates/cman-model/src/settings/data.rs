//! How corpora are read, and which word vectors are kept.

use cman_data::{OnError, OverlapPolicy, ReaderBuilder, TokenizerConfig};
use serde::{Deserialize, Serialize};

/// How corpora are read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// What to do with sentences whose entities overlap.
    pub overlap: OverlapPolicy,
    /// What to do with sentences that are not valid.
    pub on_error: OnError,
    /// How raw text becomes tokens when the model reads it.
    pub tokenizer: TokenizerConfig,
}

impl DataConfig {
    /// A reader of corpora.
    pub fn reader(&self) -> ReaderBuilder {
        ReaderBuilder::new().overlap(self.overlap).on_error(self.on_error)
    }
}

/// Pretrained word vectors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VectorConfig {
    /// Which words of the vector file the model keeps.
    pub keep: Keep,
}

/// Which words of a vector file a model keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Keep {
    /// All: words outside of the training data keep their pretrained vector.
    #[default]
    All,
    /// Those of the training data alone.
    Train,
}
