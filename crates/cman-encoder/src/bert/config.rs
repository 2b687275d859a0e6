//! `config.json` of a BERT, RoBERTa or DistilBERT, as the hub has it.

use std::{fs, path::Path};

use serde::Deserialize;
use serde_json::Value;

use crate::encoder::EncoderError;

/// Which member of the family; they differ in names, positions and token types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// BERT (Devlin et al. 2019), MiniLM among them.
    Bert,
    /// RoBERTa (Liu et al. 2019): positions start behind the padding id.
    Roberta,
    /// DistilBERT (Sanh et al. 2019): no token types.
    DistilBert,
}

/// The non-linearity of the feed-forward part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// `x Phi(x)` with the error function.
    Gelu,
    /// GELU through tanh.
    GeluTanh,
    /// `max(x, 0)`.
    Relu,
}

/// The shape of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct BertConfig {
    /// Which member of the family.
    pub family: Family,
    /// Word pieces.
    pub vocabulary: usize,
    /// Width of a vector.
    pub width: usize,
    /// Number of blocks; there is one layer more, the embeddings.
    pub blocks: usize,
    /// Attention heads, a divisor of the width.
    pub heads: usize,
    /// Width of the feed-forward part.
    pub feed_forward: usize,
    /// Its non-linearity.
    pub activation: Activation,
    /// Rows of the position table.
    pub positions: usize,
    /// Position of the first piece.
    pub first_position: usize,
    /// Rows of the token-type table; 0: there is none.
    pub token_types: usize,
    /// What layer normalisation adds to the variance.
    pub epsilon: f64,
    /// Dropout rate of embeddings and sublayers, in training.
    pub dropout: f64,
    /// Dropout rate of the attention weights, in training.
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

impl BertConfig {
    /// Reads `config.json`.
    ///
    /// # Errors
    /// A file that cannot be read or is no JSON; another kind of model; an option that is missing, out of range or not
    /// supported.
    pub fn read(path: &Path) -> Result<Self, EncoderError> {
        let text = fs::read(path).map_err(|source| EncoderError::Io { path: path.into(), source })?;
        let format = |error: serde_json::Error| EncoderError::Format { path: path.into(), reason: error.to_string() };
        let value: Value = serde_json::from_slice(&text).map_err(format)?;
        let options = |field: &str, expected: &str, found: String| EncoderError::Options {
            path: path.into(),
            field: field.into(),
            expected: expected.into(),
            found,
        };
        let kind = value.get("model_type").and_then(Value::as_str).unwrap_or("none").to_owned();
        let family = match kind.as_str() {
            "bert" => Family::Bert,
            "roberta" => Family::Roberta,
            "distilbert" => Family::DistilBert,
            _ => return Err(options("model_type", "bert, roberta or distilbert", kind)),
        };
        let activation = |field: &str, name: &str| match name {
            "gelu" => Ok(Activation::Gelu),
            "gelu_new" | "gelu_pytorch_tanh" => Ok(Activation::GeluTanh),
            "relu" => Ok(Activation::Relu),
            _ => Err(options(field, "gelu, gelu_new, gelu_pytorch_tanh or relu", name.into())),
        };
        let config = if family == Family::DistilBert {
            let file: DistilBertFile = serde_json::from_value(value).map_err(format)?;
            Self {
                family,
                vocabulary: file.vocab_size,
                width: file.dim,
                blocks: file.n_layers,
                heads: file.n_heads,
                feed_forward: file.hidden_dim,
                activation: activation("activation", &file.activation)?,
                positions: file.max_position_embeddings,
                first_position: 0,
                token_types: 0,
                epsilon: epsilon(),
                dropout: file.dropout,
                attention_dropout: file.attention_dropout,
            }
        } else {
            let file: BertFile = serde_json::from_value(value).map_err(format)?;
            let positions = file.position_embedding_type.unwrap_or_else(|| "absolute".into());
            if positions != "absolute" {
                return Err(options("position_embedding_type", "absolute", positions));
            }
            Self {
                family,
                vocabulary: file.vocab_size,
                width: file.hidden_size,
                blocks: file.num_hidden_layers,
                heads: file.num_attention_heads,
                feed_forward: file.intermediate_size,
                activation: activation("hidden_act", &file.hidden_act)?,
                positions: file.max_position_embeddings,
                first_position: if family == Family::Roberta {
                    file.pad_token_id.unwrap_or(1).saturating_add(1)
                } else {
                    0
                },
                token_types: file.type_vocab_size,
                epsilon: file.layer_norm_eps,
                dropout: file.hidden_dropout_prob,
                attention_dropout: file.attention_probs_dropout_prob,
            }
        };
        let sizes = [
            ("the vocabulary's size", config.vocabulary),
            ("the width", config.width),
            ("the number of blocks", config.blocks),
            ("the number of heads", config.heads),
            ("the width of the feed-forward part", config.feed_forward),
        ];
        for (field, size) in sizes {
            // The upper bound keeps products of two sizes from overflowing.
            if !(1..=1 << 24).contains(&size) {
                return Err(options(field, "1 to 2^24", size.to_string()));
            }
        }
        if !config.width.is_multiple_of(config.heads) {
            return Err(options(
                "the number of heads",
                &format!("a divisor of {}", config.width),
                config.heads.to_string(),
            ));
        }
        if config.token_types > 1 << 24 {
            return Err(options("type_vocab_size", "at most 2^24", config.token_types.to_string()));
        }
        if !(config.epsilon.is_finite() && config.epsilon > 0.0) {
            return Err(options("layer_norm_eps", "a number above 0", config.epsilon.to_string()));
        }
        if config.first_position > 1 << 24 {
            return Err(options("pad_token_id", "below 2^24", (config.first_position - 1).to_string()));
        }
        if !(config.first_position + 8..=1 << 24).contains(&config.positions) {
            let expected = format!("{} to 2^24", config.first_position + 8);
            return Err(options("max_position_embeddings", &expected, config.positions.to_string()));
        }
        for (field, rate) in [("dropout", config.dropout), ("attention dropout", config.attention_dropout)] {
            if !(0.0..1.0).contains(&rate) {
                return Err(options(field, "a rate in [0, 1)", rate.to_string()));
            }
        }
        Ok(config)
    }

    /// A lower bound on the number of weights: those of tables and matrices.
    pub(super) fn least_parameters(&self) -> f64 {
        let [width, inner] = [self.width, self.feed_forward].map(|width| width as f64);
        let rows = (self.vocabulary + self.positions + self.token_types) as f64;
        width * (rows + self.blocks as f64 * (4.0 * width + 2.0 * inner))
    }

    /// Most pieces that the network reads at once, special ones included.
    pub fn window(&self) -> usize {
        self.positions - self.first_position
    }
}
