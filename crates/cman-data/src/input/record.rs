//! One record of an input.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    error::{DataError, Location},
    sentence::Sentence,
    tokenize::{RawSentence, TokenizerConfig},
};

/// The sentences of a line of text, of a JSON record or of a corpus record.
#[derive(Clone, Debug)]
pub struct InputRecord {
    /// The id of the record, as it is written.
    pub id: Option<Box<RawValue>>,
    /// The place of the record.
    pub at: Location,
    /// The text, if the record has one and is not read by its tokens.
    pub text: Option<String>,
    /// The sentences with their offsets in the record's text, in Unicode scalar values; `None` without text.
    pub sentences: Vec<(Option<usize>, Sentence)>,
}

/// A JSON record. Other keys are ignored.
#[derive(Deserialize)]
struct Fields {
    id: Option<Box<RawValue>>,
    orig_id: Option<Box<RawValue>>,
    text: Option<String>,
    tokens: Option<Vec<String>>,
}

impl InputRecord {
    /// Splits text into sentences.
    pub(super) fn from_text(text: &str, at: Location, tokenizer: &TokenizerConfig) -> Self {
        let with_offset = |raw: RawSentence| (Some(raw.offset), raw.sentence);
        Self {
            id: None,
            at,
            text: Some(text.to_owned()),
            sentences: tokenizer.sentences(text).into_iter().map(with_offset).collect(),
        }
    }

    /// Parses a JSON record with `text` or `tokens`.
    pub(super) fn from_json(json: &str, at: Location, tokenizer: &TokenizerConfig) -> Result<Self, DataError> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let fields: Fields = serde_path_to_error::deserialize(&mut deserializer)
            .map_err(|error| DataError::json_path(at.clone(), &error))?;
        deserializer.end().map_err(|error| DataError::json(at.clone(), None, &error))?;
        let at = Location { column: None, ..at };
        let id = fields.id.or(fields.orig_id);
        match (fields.tokens, fields.text) {
            (Some(tokens), _) => {
                Ok(Self { id, at, text: None, sentences: vec![(None, Sentence::from_tokens("", tokens))] })
            }
            (None, Some(text)) => Ok(Self { id, ..Self::from_text(&text, at, tokenizer) }),
            (None, None) => Err(DataError::invalid(at, "", "`text` or `tokens`", "neither")),
        }
    }

    /// A sentence of a corpus, whose annotation is dropped.
    pub(super) fn from_sentence(sentence: Sentence, at: Location) -> Self {
        let id = serde_json::value::to_raw_value(&sentence.id).ok();
        let sentence = Sentence { entities: Vec::new(), relations: Vec::new(), ..sentence };
        Self { id, at, text: None, sentences: vec![(None, sentence)] }
    }
}
