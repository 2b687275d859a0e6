//! `config.json` of a BERT, RoBERTa or DistilBERT, as published on the hub.

use std::{fs, path::Path};

use serde::Deserialize;
use serde_json::Value;

use crate::error::EncoderError;

/// The model families. They differ in tensor names, positions and token types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// BERT (Devlin et al. 2019), which includes MiniLM.
    Bert,
    /// RoBERTa (Liu et al. 2019). Positions start after the padding id.
    Roberta,
    /// DistilBERT (Sanh et al. 2019). It has no token types.
    DistilBert,
}

/// The activation of the feed-forward layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// `x Phi(x)`, by the error function.
    Gelu,
    /// The tanh approximation of GELU.
    GeluTanh,
    /// `max(x, 0)`.
    Relu,
}

/// The architecture of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct BertConfig {
    /// The model family.
    pub family: Family,
    /// Number of word pieces.
    pub vocabulary: usize,
    /// Width of a vector.
    pub width: usize,
    /// Number of blocks. The number of layers is one more, because the embeddings count as a layer.
    pub blocks: usize,
    /// Number of attention heads, a divisor of the width.
    pub heads: usize,
    /// Inner width of the feed-forward layers.
    pub feed_forward: usize,
    /// Activation of the feed-forward layers.
    pub activation: Activation,
    /// Rows of the position table.
    pub positions: usize,
    /// Position of the first piece.
    pub first_position: usize,
    /// Rows of the token-type table; 0 if there is none.
    pub token_types: usize,
    /// The constant that layer normalisation adds to the variance.
    pub epsilon: f64,
    /// Dropout rate of embeddings and sublayers during training.
    pub dropout: f64,
    /// Dropout rate of the attention weights during training.
    pub attention_dropout: f64,
}

#[derive(Deserialize)]
struct BertFile {
    vocab_size: usize,
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    #[serde(default = "gelu")]
    hidden_act: String,
    max_position_embeddings: usize,
    #[serde(default = "two")]
    type_vocab_size: usize,
    #[serde(default = "epsilon")]
    layer_norm_eps: f64,
    #[serde(default = "tenth")]
    hidden_dropout_prob: f64,
    #[serde(default = "tenth")]
    attention_probs_dropout_prob: f64,
    pad_token_id: Option<usize>,
    position_embedding_type: Option<String>,
}

#[derive(Deserialize)]
struct DistilBertFile {
    vocab_size: usize,
    dim: usize,
    n_layers: usize,
    n_heads: usize,
    hidden_dim: usize,
    #[serde(default = "gelu")]
    activation: String,
    max_position_embeddings: usize,
    #[serde(default = "tenth")]
    dropout: f64,
    #[serde(default = "tenth")]
    attention_dropout: f64,
}

fn gelu() -> String {
    "gelu".into()
}

fn two() -> usize {
    2
}

fn epsilon() -> f64 {
    1e-12
}

fn tenth() -> f64 {
    0.1
}

impl Family {
    /// Names in `config.json` of the vocabulary size, the width, the number of blocks, the number of heads, the inner
    /// width, the dropout rate and the attention dropout rate.
    const fn keys(self) -> [&'static str; 7] {
        match self {
            Self::Bert | Self::Roberta => [
                "vocab_size",
                "hidden_size",
                "num_hidden_layers",
                "num_attention_heads",
                "intermediate_size",
                "hidden_dropout_prob",
                "attention_probs_dropout_prob",
            ],
            Self::DistilBert => {
                ["vocab_size", "dim", "n_layers", "n_heads", "hidden_dim", "dropout", "attention_dropout"]
            }
        }
    }
}

impl BertConfig {
    /// Reads `config.json`.
    ///
    /// # Errors
    /// If the file cannot be read or is not JSON, describes another kind of model, or has an option that is missing,
    /// out of range or not supported.
    pub fn read(path: &Path) -> Result<Self, EncoderError> {
        let text = fs::read(path).map_err(|source| EncoderError::io(path, source))?;
        let value: Value = serde_json::from_slice(&text).map_err(|error| EncoderError::format(path, error))?;
        let kind = value.get("model_type").and_then(Value::as_str).unwrap_or("none").to_owned();
        let config = match kind.as_str() {
            "bert" => Self::from_bert(Family::Bert, value, path)?,
            "roberta" => Self::from_bert(Family::Roberta, value, path)?,
            "distilbert" => Self::from_distilbert(value, path)?,
            _ => return Err(EncoderError::options(path, "model_type", "bert, roberta or distilbert", kind)),
        };
        config.validate(path)?;
        Ok(config)
    }

    fn from_bert(family: Family, value: Value, path: &Path) -> Result<Self, EncoderError> {
        let file: BertFile = serde_json::from_value(value).map_err(|error| EncoderError::format(path, error))?;
        let positions = file.position_embedding_type.unwrap_or_else(|| "absolute".into());
        if positions != "absolute" {
            return Err(EncoderError::options(path, "position_embedding_type", "absolute", positions));
        }
        Ok(Self {
            family,
            vocabulary: file.vocab_size,
            width: file.hidden_size,
            blocks: file.num_hidden_layers,
            heads: file.num_attention_heads,
            feed_forward: file.intermediate_size,
            activation: Activation::parse("hidden_act", &file.hidden_act, path)?,
            positions: file.max_position_embeddings,
            first_position: match family {
                Family::Roberta => file.pad_token_id.unwrap_or(1).saturating_add(1),
                Family::Bert | Family::DistilBert => 0,
            },
            token_types: file.type_vocab_size,
            epsilon: file.layer_norm_eps,
            dropout: file.hidden_dropout_prob,
            attention_dropout: file.attention_probs_dropout_prob,
        })
    }

    fn from_distilbert(value: Value, path: &Path) -> Result<Self, EncoderError> {
        let file: DistilBertFile = serde_json::from_value(value).map_err(|error| EncoderError::format(path, error))?;
        Ok(Self {
            family: Family::DistilBert,
            vocabulary: file.vocab_size,
            width: file.dim,
            blocks: file.n_layers,
            heads: file.n_heads,
            feed_forward: file.hidden_dim,
            activation: Activation::parse("activation", &file.activation, path)?,
            positions: file.max_position_embeddings,
            first_position: 0,
            token_types: 0,
            epsilon: epsilon(),
            dropout: file.dropout,
            attention_dropout: file.attention_dropout,
        })
    }

    fn validate(&self, path: &Path) -> Result<(), EncoderError> {
        let [vocabulary, width, blocks, heads, feed_forward, dropout, attention_dropout] = self.family.keys();
        let error = |key, expected: &str, found: String| Err(EncoderError::options(path, key, expected, found));
        for (key, size) in [
            (vocabulary, self.vocabulary),
            (width, self.width),
            (blocks, self.blocks),
            (heads, self.heads),
            (feed_forward, self.feed_forward),
        ] {
            // The upper bound keeps products of two sizes from overflowing.
            if !(1..=1 << 24).contains(&size) {
                return error(key, "1 to 2^24", size.to_string());
            }
        }
        if !self.width.is_multiple_of(self.heads) {
            return error(heads, &format!("a divisor of {}", self.width), self.heads.to_string());
        }
        if self.token_types > 1 << 24 {
            return error("type_vocab_size", "at most 2^24", self.token_types.to_string());
        }
        if !(self.epsilon.is_finite() && self.epsilon > 0.0) {
            return error("layer_norm_eps", "a number above 0", self.epsilon.to_string());
        }
        if self.first_position > 1 << 24 {
            return error("pad_token_id", "below 2^24", (self.first_position - 1).to_string());
        }
        if !(self.first_position + 8..=1 << 24).contains(&self.positions) {
            let expected = format!("{} to 2^24", self.first_position + 8);
            return error("max_position_embeddings", &expected, self.positions.to_string());
        }
        for (key, rate) in [(dropout, self.dropout), (attention_dropout, self.attention_dropout)] {
            if !(0.0..1.0).contains(&rate) {
                return error(key, "a rate in [0, 1)", rate.to_string());
            }
        }
        Ok(())
    }

    /// A lower bound on the number of parameters, which counts tables and matrices only.
    pub(super) fn min_parameters(&self) -> f64 {
        let [width, inner] = [self.width, self.feed_forward].map(|width| width as f64);
        let rows = (self.vocabulary + self.positions + self.token_types) as f64;
        width * (rows + self.blocks as f64 * (4.0 * width + 2.0 * inner))
    }

    /// Largest number of pieces that the network reads at once, including special pieces.
    pub fn window(&self) -> usize {
        self.positions - self.first_position
    }
}

impl Activation {
    fn parse(key: &str, name: &str, path: &Path) -> Result<Self, EncoderError> {
        match name {
            "gelu" => Ok(Self::Gelu),
            "gelu_new" | "gelu_pytorch_tanh" => Ok(Self::GeluTanh),
            "relu" => Ok(Self::Relu),
            _ => Err(EncoderError::options(path, key, "gelu, gelu_new, gelu_pytorch_tanh or relu", name)),
        }
    }
}
