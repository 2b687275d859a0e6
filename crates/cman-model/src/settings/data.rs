//! Settings of corpora and word vectors.

use cman_data::{OnError, OverlapPolicy, ReaderBuilder, TokenizerConfig};
use serde::{Deserialize, Serialize};

/// Settings of corpora.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// What to do with sentences whose entities overlap.
    pub overlap: OverlapPolicy,
    /// What to do with invalid sentences.
    pub on_error: OnError,
    /// How the model tokenizes raw text: `auto`, `conll04`, `ade` or `characters`. In a trained model it is never `auto`
    /// but the choice for its training data.
    pub tokenizer: TokenizerConfig,
}

impl DataConfig {
    /// A corpus reader with these settings.
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
    /// All words. Those outside of the training data keep their pretrained vectors.
    #[default]
    All,
    /// Words of the training data only.
    Train,
}
