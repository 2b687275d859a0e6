//! Arguments that say what is extracted.

use std::fmt;

use clap::ValueEnum;
use cman_data::MAX_CHARACTERS;
use cman_model::{ExtractOptions, Extractor, LongSentences, ModelError, SignatureFilter};

/// What is extracted from sentences that are read as a whole.
#[derive(Debug, clap::Args)]
pub struct FilterArgs {
    /// Leave out entities with a lower confidence, and their relations
    #[arg(long, value_name = "P", default_value_t = 0.0, hide_default_value = true)]
    entity_threshold: f64,
    /// Leave out relations with no higher confidence; default: the threshold of the model
    #[arg(long, value_name = "P")]
    relation_threshold: Option<f64>,
    /// Combinations of entity and relation types to allow
    #[arg(long, value_name = "WHICH", default_value = "any")]
    signatures: Allowed,
    /// Extract no relations
    #[arg(long)]
    entities_only: bool,
    /// Longest sentence to read as a whole; memory grows with its square
    #[arg(long, value_name = "N", default_value_t = 512)]
    max_tokens: usize,
    /// Maximum token length in characters; the character encoder reads the first 256
    #[arg(long, value_name = "N", default_value_t = MAX_CHARACTERS)]
    max_characters: usize,
}

/// What is extracted.
#[derive(Debug, clap::Args)]
pub struct ExtractArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// Add the N best tag sequences of each sentence
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    n_best: usize,
    /// How to treat sentences above `--max-tokens`: read them in overlapping windows, or refuse them
    #[arg(long, value_name = "POLICY", default_value = "windows")]
    long_sentences: Long,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Allowed {
    /// All
    Any,
    /// Those of the training data
    Trained,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Long {
    Windows,
    Refuse,
}

impl FilterArgs {
    /// The options. Longer sentences are refused.
    fn options(&self) -> ExtractOptions {
        ExtractOptions {
            entity_threshold: self.entity_threshold,
            relation_threshold: self.relation_threshold,
            signatures: match self.signatures {
                Allowed::Any => SignatureFilter::Any,
                Allowed::Trained => SignatureFilter::Trained,
            },
            relations: !self.entities_only,
            n_best: 0,
            max_tokens: self.max_tokens,
            max_characters: self.max_characters,
            long_sentences: LongSentences::Refuse,
        }
    }

    /// An extractor with the same model that does what the arguments say.
    pub fn apply(&self, extractor: &Extractor) -> Result<Extractor, ModelError> {
        extractor.with_options(self.options())
    }
}

impl ExtractArgs {
    /// An extractor with the same model that does what the arguments say.
    pub fn apply(&self, extractor: &Extractor) -> Result<Extractor, ModelError> {
        let long_sentences = match self.long_sentences {
            Long::Windows => LongSentences::Windows,
            Long::Refuse => LongSentences::Refuse,
        };
        extractor.with_options(ExtractOptions { n_best: self.n_best, long_sentences, ..self.filter.options() })
    }
}

/// Why a sentence is not read, with the argument that changes it.
pub struct Refusal<'a> {
    /// The reason.
    pub error: &'a ModelError,
    /// Number of tokens of the sentence.
    pub tokens: usize,
}

impl fmt::Display for Refusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.error {
            ModelError::LongSentence { tokens, most } => {
                write!(f, "sentence of {tokens} tokens exceeds the maximum of {most} (--max-tokens)")
            }
            ModelError::LongToken { characters, most } => {
                write!(f, "token of {characters} characters exceeds the maximum of {most} (--max-characters)")
            }
            ModelError::Memory { needed, left, bound, .. } => {
                let tokens = self.tokens;
                write!(f, "sentence of {tokens} tokens needs about {needed} of memory, {left} are left ({bound})")
            }
            other => other.fmt(f),
        }
    }
}
