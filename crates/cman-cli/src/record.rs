//! The input records of `cman predict`: a line of text or a JSON object.

use cman_data::{RawSentence, Sentence, TokenizerConfig, json_reason};
use serde::Deserialize;
use serde_json::Value;

/// The sentences of a record.
pub struct Record {
    /// The id of the record.
    pub id: Option<Value>,
    /// The sentences with their offsets in the record's text, in Unicode scalar values; `None` without text.
    pub sentences: Vec<(Option<usize>, Sentence)>,
}

/// A line of JSON input. Other keys are ignored.
#[derive(Deserialize)]
struct Fields {
    id: Option<Value>,
    text: Option<String>,
    tokens: Option<Vec<String>>,
}

impl Record {
    /// Splits a line of text into sentences.
    pub fn from_text(line: &str, tokenizer: &TokenizerConfig) -> Self {
        let with_offset = |raw: RawSentence| (Some(raw.offset), raw.sentence);
        Self { id: None, sentences: tokenizer.sentences(line).into_iter().map(with_offset).collect() }
    }

    /// Parses a line of JSON with `text` or `tokens`. The error is the reason.
    pub fn from_json(line: &str, tokenizer: &TokenizerConfig) -> Result<Self, String> {
        let fields: Fields = serde_json::from_str(line)
            .map_err(|error| format!("invalid JSON (column {}): {}", error.column(), json_reason(&error)))?;
        let sentences = match (fields.tokens, fields.text) {
            (Some(tokens), _) => vec![(None, Sentence::from_tokens("", tokens))],
            (None, Some(text)) => Self::from_text(&text, tokenizer).sentences,
            (None, None) => return Err("expected `text` or `tokens`, found neither".into()),
        };
        Ok(Self { id: fields.id, sentences })
    }
}
