//! `options.json`, the published configuration of an ELMo.

use std::{fs, path::Path};

use serde::Deserialize;

use crate::error::EncoderError;

/// `options.json`. Keys that matter only for training are ignored.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Options {
    pub lstm: LstmOptions,
    pub char_cnn: CharacterOptions,
}

/// The bidirectional language model.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct LstmOptions {
    /// Width of the cells of one direction.
    pub dim: usize,
    /// Width of the states of one direction, and of the token vectors that it reads.
    pub projection_dim: usize,
    pub n_layers: usize,
    /// Whether the input of every layer except the first is added to its output.
    #[serde(default)]
    pub use_skip_connections: bool,
    /// Bound of the cells; none if absent or 0.
    pub cell_clip: Option<f32>,
    /// Bound of the projected states; none if absent or 0.
    pub proj_clip: Option<f32>,
}

/// The encoder of a token's characters.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct CharacterOptions {
    pub embedding: CharacterEmbedding,
    /// Width in characters and number of the filters, per kind.
    pub filters: Vec<(usize, usize)>,
    #[serde(default)]
    pub n_highway: usize,
    /// Number of bytes and special characters, including the padding after a sentence. The weights have no row for this
    /// padding.
    pub n_characters: usize,
    pub max_characters_per_token: usize,
    pub activation: Activation,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct CharacterEmbedding {
    pub dim: usize,
}

/// The activation after the maximum over time.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Activation {
    Relu,
    Tanh,
}

impl Options {
    pub fn read(path: &Path) -> Result<Self, EncoderError> {
        let text = fs::read(path).map_err(|source| EncoderError::io(path, source))?;
        let options: Self = serde_json::from_slice(&text).map_err(|error| EncoderError::format(path, error))?;
        options.validate(path)?;
        Ok(options)
    }

    /// Number of filters of all kinds, which is the number of features of a token.
    pub fn n_filters(&self) -> usize {
        self.char_cnn.filters.iter().map(|(_, n)| n).sum()
    }

    fn validate(&self, path: &Path) -> Result<(), EncoderError> {
        let error =
            |field: &str, expected: &str, found: String| Err(EncoderError::options(path, field, expected, found));
        let (lstm, characters) = (&self.lstm, &self.char_cnn);
        for (field, value) in [
            ("lstm.dim", lstm.dim),
            ("lstm.projection_dim", lstm.projection_dim),
            ("lstm.n_layers", lstm.n_layers),
            ("char_cnn.embedding.dim", characters.embedding.dim),
        ] {
            if value == 0 {
                return error(field, "at least 1", "0".into());
            }
        }
        for (field, clip) in [("lstm.cell_clip", lstm.cell_clip), ("lstm.proj_clip", lstm.proj_clip)] {
            if clip.is_some_and(|clip| clip < 0.0) {
                return error(field, "a bound of at least 0", format!("{clip:?}"));
            }
        }
        if characters.max_characters_per_token < 3 {
            let found = characters.max_characters_per_token.to_string();
            return error("char_cnn.max_characters_per_token", "at least 3", found);
        }
        let fits = |&(width, n): &(usize, usize)| (1..=characters.max_characters_per_token).contains(&width) && n > 0;
        if characters.filters.is_empty() || !characters.filters.iter().all(fits) {
            let expected = format!("widths within 1..={}", characters.max_characters_per_token);
            return error("char_cnn.filters", &expected, format!("{:?}", characters.filters));
        }
        Ok(())
    }
}
