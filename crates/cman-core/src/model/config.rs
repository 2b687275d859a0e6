//! Settings of the network. The defaults are the paper's for CoNLL04.

use std::ops::Deref;

use serde::{Deserialize, Serialize};

use crate::{
    attention::{BlaConfig, BsaConfig, Residual, SequenceEncoderConfig, SequenceKind},
    crf::CrfConfig,
    embedding::{CharacterConfig, CharacterKind, ContextualConfig, TokenEmbeddingConfig, WordConfig},
    relation::RelationConfig,
};

/// How labels reach the relation scorer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LabelKind {
    /// Label attention (eqs. 5-7).
    #[default]
    Attention,
    /// Label embeddings concatenated to the token features, as in the multi-head baseline.
    Concatenate,
    /// Labels do not reach it (Table 4, "- BLA unit").
    None,
}

/// Settings of the label space.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LabelConfig {
    /// How labels reach the relation scorer.
    pub kind: LabelKind,
    /// Width of a label embedding (the paper's d_l).
    pub width: usize,
    /// What the residual connection of the label-attention unit adds.
    pub residual: Residual,
}

impl Default for LabelConfig {
    fn default() -> Self {
        Self { kind: LabelKind::Attention, width: 25, residual: Residual::Query }
    }
}

/// Dropout rates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DropoutConfig {
    /// On the concatenated input of the tokens.
    pub input: f64,
    /// On the label embeddings.
    pub label: f64,
    /// After every sequence encoder of the attention units and the fusion.
    pub sequence: f64,
}

impl Default for DropoutConfig {
    fn default() -> Self {
        Self { input: 0.2, label: 0.2, sequence: 0.1 }
    }
}

/// Settings of the network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelConfig {
    /// Width of one direction of a BiLSTM (the paper's d). Features are 2d wide.
    pub hidden: usize,
    /// Number of BSA units (the paper's m).
    pub layers: usize,
    /// Number of attention heads (the paper's z), a divisor of 2d.
    pub heads: usize,
    /// Whether the projections of eqs. 2 and 3 have biases.
    pub attention_bias: bool,
    /// Whether BSA has its self-attention (off: Table 4, "- self-attention in BSA").
    pub self_attention: bool,
    /// Whether BSA has its layer normalisation.
    pub layer_norm: bool,
    /// The sequence encoder of BSA, BLA and the fusion.
    pub sequence: SequenceKind,
    /// Word embeddings.
    pub word: WordConfig,
    /// Character embeddings.
    pub character: CharacterConfig,
    /// Contextual input.
    pub contextual: ContextualConfig,
    /// Label space.
    pub label: LabelConfig,
    /// Tag decoder.
    pub crf: CrfConfig,
    /// Relation scorer.
    pub relation: RelationConfig,
    /// Dropout rates.
    pub dropout: DropoutConfig,
}

impl Default for ModelConfig {
    fn default() -> Self {
        Self {
            hidden: 128,
            layers: 2,
            heads: 8,
            attention_bias: false,
            self_attention: true,
            layer_norm: true,
            sequence: SequenceKind::default(),
            word: WordConfig::default(),
            character: CharacterConfig::default(),
            contextual: ContextualConfig::default(),
            label: LabelConfig::default(),
            crf: CrfConfig::default(),
            relation: RelationConfig::default(),
            dropout: DropoutConfig::default(),
        }
    }
}

/// A setting that is out of range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("model.{field}: expected {expected}, found {found}")]
pub struct ConfigError {
    /// The key, such as `relation.threshold`.
    pub field: &'static str,
    /// What is allowed.
    pub expected: String,
    /// The value.
    pub found: String,
}

/// Largest width: about ten times that of the largest published encoders. Matrices grow with its square.
const MAX_WIDTH: usize = 1 << 14;
/// Largest number of layers.
const MAX_LAYERS: usize = 64;

/// Settings that were checked: only these make a network.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckedModelConfig(ModelConfig);

impl Deref for CheckedModelConfig {
    type Target = ModelConfig;

    fn deref(&self) -> &ModelConfig {
        &self.0
    }
}

impl ModelConfig {
    /// Checks every setting.
    ///
    /// # Errors
    /// The first setting that is out of range.
    pub fn check(&self) -> Result<CheckedModelConfig, ConfigError> {
        let check = |ok: bool, field: &'static str, expected: String, found: String| {
            if ok { Ok(()) } else { Err(ConfigError { field, expected, found }) }
        };
        let widths = [
            ("hidden", self.hidden),
            ("layers", self.layers),
            ("word.width", self.word.width),
            ("relation.hidden", self.relation.hidden),
        ];
        for (field, value) in widths {
            check(value > 0, field, "at least 1".into(), value.to_string())?;
        }
        let limits = [
            ("hidden", self.hidden, MAX_WIDTH),
            ("layers", self.layers, MAX_LAYERS),
            ("word.width", self.word.width, MAX_WIDTH),
            ("character.embedding", self.character.embedding, MAX_WIDTH),
            ("character.width", self.character.width, MAX_WIDTH),
            ("contextual.width", self.contextual.width, MAX_WIDTH),
            ("contextual.layers", self.contextual.layers, MAX_LAYERS),
            ("label.width", self.label.width, MAX_WIDTH),
            ("crf.hidden", self.crf.hidden, MAX_WIDTH),
            ("relation.hidden", self.relation.hidden, MAX_WIDTH),
        ];
        for (field, value, limit) in limits {
            check(value <= limit, field, format!("at most {limit}"), value.to_string())?;
        }
        let divides = self.heads > 0 && self.d_model().is_multiple_of(self.heads);
        check(divides, "heads", format!("a divisor of 2 hidden = {}", self.d_model()), self.heads.to_string())?;
        if self.character.kind != CharacterKind::None {
            let embedding = self.character.embedding;
            check(embedding > 0, "character.embedding", "at least 1".into(), embedding.to_string())?;
            let (width, even) = (self.character.width, self.character.width.is_multiple_of(2));
            let fits = width > 0 && (even || self.character.kind == CharacterKind::Cnn);
            check(fits, "character.width", "an even number above 0".into(), width.to_string())?;
        }
        if self.contextual.width > 0 {
            let layers = self.contextual.layers;
            check(layers > 0, "contextual.layers", "at least 1".into(), layers.to_string())?;
        }
        if self.label.kind != LabelKind::None {
            let width = self.label.width;
            check(width > 0, "label.width", "at least 1".into(), width.to_string())?;
        }
        let rates = [
            ("dropout.input", self.dropout.input),
            ("dropout.label", self.dropout.label),
            ("dropout.sequence", self.dropout.sequence),
        ];
        for (field, rate) in rates {
            check((0.0..1.0).contains(&rate), field, "a rate in [0, 1)".into(), rate.to_string())?;
        }
        for (field, value) in [("relation.threshold", self.relation.threshold), ("relation.prior", self.relation.prior)]
        {
            let open = value > 0.0 && value < 1.0;
            check(open, field, "a probability in (0, 1)".into(), value.to_string())?;
        }
        Ok(CheckedModelConfig(self.clone()))
    }

    /// Width of the token features: 2d.
    pub fn d_model(&self) -> usize {
        2 * self.hidden
    }

    /// Width of the concatenated input of a token: the paper's d_w.
    pub fn d_input(&self) -> usize {
        let character = if self.character.kind == CharacterKind::None { 0 } else { self.character.width };
        self.word.width + character + self.contextual.width
    }

    /// Settings of the token embeddings.
    pub fn token_embedding(&self) -> TokenEmbeddingConfig<'_> {
        TokenEmbeddingConfig { word: &self.word, character: &self.character, contextual: &self.contextual }
    }

    /// Settings of BSA unit `i` of the stack.
    pub fn bsa(&self, i: usize) -> BsaConfig {
        BsaConfig::new(self.d_model(), self.heads)
            .with_d_input(Some(if i == 0 { self.d_input() } else { self.d_model() }))
            .with_attention_bias(self.attention_bias)
            .with_self_attention(self.self_attention)
            .with_layer_norm(self.layer_norm)
            .with_sequence(self.sequence)
            .with_dropout(self.dropout.sequence)
    }

    /// Settings of the BLA units.
    pub fn bla(&self) -> BlaConfig {
        BlaConfig::new(self.d_model(), self.label.width, self.heads)
            .with_attention_bias(self.attention_bias)
            .with_residual(self.label.residual)
            .with_sequence(self.sequence)
            .with_dropout(self.dropout.sequence)
    }

    /// Settings of the BiLSTM that fuses token features with attended labels (eq. 6).
    pub fn fusion(&self) -> SequenceEncoderConfig {
        SequenceEncoderConfig::new(2 * self.d_model(), self.hidden)
            .with_kind(self.sequence)
            .with_dropout(self.dropout.sequence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid() {
        let config = ModelConfig::default();
        config.check().unwrap();
        assert_eq!((config.d_model(), config.d_input()), (256, 178));
    }

    #[test]
    fn each_invalid_setting_is_named() {
        type Spoil = fn(&mut ModelConfig);
        let cases: [(Spoil, &str); 12] = [
            (|c| c.hidden = usize::MAX, "model.hidden: expected at most 16384, found 18446744073709551615"),
            (|c| c.layers = 65, "model.layers: expected at most 64, found 65"),
            (|c| c.hidden = 0, "model.hidden: expected at least 1, found 0"),
            (|c| c.layers = 0, "model.layers: expected at least 1, found 0"),
            (|c| c.heads = 7, "model.heads: expected a divisor of 2 hidden = 256, found 7"),
            (|c| c.heads = 0, "model.heads: expected a divisor of 2 hidden = 256, found 0"),
            (|c| c.character.width = 3, "model.character.width: expected an even number above 0, found 3"),
            (|c| c.contextual.width = 4, "model.contextual.layers: expected at least 1, found 0"),
            (|c| c.label.width = 0, "model.label.width: expected at least 1, found 0"),
            (|c| c.dropout.input = f64::NAN, "model.dropout.input: expected a rate in [0, 1), found NaN"),
            (|c| c.relation.threshold = 1.0, "model.relation.threshold: expected a probability in (0, 1), found 1"),
            (|c| c.relation.prior = 0.0, "model.relation.prior: expected a probability in (0, 1), found 0"),
        ];
        for (spoil, message) in cases {
            let mut config = ModelConfig::default();
            spoil(&mut config);
            assert_eq!(config.check().unwrap_err().to_string(), message);
        }
    }
}
