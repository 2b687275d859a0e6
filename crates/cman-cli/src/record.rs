//! What `cman predict` reads: a line of text, or a JSON object.

use cman_data::{RawSentence, Sentence, TokenizerConfig, json_reason};
use serde::Deserialize;
use serde_json::Value;

/// The sentences of a record.
pub struct Record {
    /// The record's own id.
    pub id: Option<Value>,
    /// The sentences; with each, where it starts in the record's text, in Unicode scalar values, if there is a text.
    pub sentences: Vec<(Option<usize>, Sentence)>,
}

/// A line of JSON input; other keys are passed over.
#[derive(Deserialize)]
struct Fields {
    id: Option<Value>,
    text: Option<String>,
    tokens: Option<Vec<String>>,
}

impl Record {
    /// A line of text.
    pub fn from_text(line: &str, tokenizer: &TokenizerConfig) -> Self {
        let place = |raw: RawSentence| (Some(raw.offset), raw.sentence);
        Self { id: None, sentences: tokenizer.sentences(line).into_iter().map(place).collect() }
    }

    /// A line of JSON with `text` or `tokens`, or what is wrong with it.
    pub fn from_json(line: &str, tokenizer: &TokenizerConfig) -> Result<Self, String> {
        let fields: Fields = serde_json::from_str(line)
            .map_err(|error| format!("bad JSON (column {}): {}", error.column(), json_reason(&error)))?;
        let sentences = match (fields.tokens, fields.text) {
            (Some(tokens), _) => vec![(None, Sentence::from_tokens("", tokens))],
            (None, Some(text)) => Self::from_text(&text, tokenizer).sentences,
            (None, None) => return Err("expected `text` or `tokens`, found neither".into()),
        };
        Ok(Self { id: fields.id, sentences })
    }
}
