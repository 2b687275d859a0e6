//! Words into word pieces, by `tokenizer.json`.

use std::{fs, path::Path};

use serde_json::Value;
use tokenizers::Tokenizer;

use crate::encoder::EncoderError;

/// The word pieces of a sentence, without special ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pieces {
    /// Ids of the pieces.
    pub ids: Vec<u32>,
    /// For each word how many pieces it has: at least one.
    pub counts: Vec<usize>,
}

/// Cuts words into pieces.
#[derive(Clone, Debug)]
pub(super) struct PieceTokenizer {
    tokenizer: Tokenizer,
    /// Special pieces before a window, such as `[CLS]`.
    pub before: Vec<u32>,
    /// Special pieces behind a window, such as `[SEP]`.
    pub behind: Vec<u32>,
    unknown: u32,
}

impl PieceTokenizer {
    /// Reads `tokenizer.json`, for a network of `vocabulary` pieces.
    pub fn read(path: &Path, vocabulary: usize) -> Result<Self, EncoderError> {
        let text = fs::read(path).map_err(|source| EncoderError::Io { path: path.into(), source })?;
        let format = |reason: String| EncoderError::Format { path: path.into(), reason };
        let mut value: Value = serde_json::from_slice(&text).map_err(|error| format(error.to_string()))?;
        if let Some(stage) = value.get_mut("pre_tokenizer") {
            spaces_before_words(stage);
        }
        let mut tokenizer = Tokenizer::from_bytes(value.to_string()).map_err(|error| format(error.to_string()))?;
        // Files keep the settings of their last use.
        tokenizer.with_truncation(None).map_err(|error| format(error.to_string()))?;
        tokenizer.with_padding(None);
        let largest = tokenizer.get_vocab(true).values().copied().max().unwrap_or(0) as usize;
        if largest >= vocabulary {
            return Err(EncoderError::Options {
                path: path.into(),
                field: "vocabulary".into(),
                expected: format!("ids below the model's {vocabulary}"),
                found: largest.to_string(),
            });
        }
        let probe = tokenizer.encode(vec!["a"], true).map_err(|error| format(error.to_string()))?;
        let inner = probe.get_word_ids().iter().position(Option::is_some);
        let end = probe.get_word_ids().iter().rposition(Option::is_some);
        let (Some(first), Some(last)) = (inner, end) else {
            return Err(format("it makes no piece of the word 'a'".into()));
        };
        let unknown = ["[UNK]", "<unk>"].iter().find_map(|name| tokenizer.token_to_id(name));
        Ok(Self {
            before: probe.get_ids()[..first].to_vec(),
            behind: probe.get_ids()[last + 1..].to_vec(),
            unknown: unknown.ok_or_else(|| format("it has no unknown piece ([UNK] or <unk>)".into()))?,
            tokenizer,
        })
    }

    /// The pieces of a sentence. A word of which the tokenizer leaves nothing, such as one of control characters, is
    /// the unknown piece.
    pub fn cut(&self, words: &[&str]) -> Result<Pieces, String> {
        let encoding = self.tokenizer.encode(words.to_vec(), false).map_err(|error| error.to_string())?;
        let mut pieces = Pieces { ids: Vec::with_capacity(encoding.len()), counts: vec![0; words.len()] };
        let mut found = encoding.get_ids().iter().zip(encoding.get_word_ids()).peekable();
        for (word, count) in pieces.counts.iter_mut().enumerate() {
            while let Some((&id, _)) = found.next_if(|(_, of)| **of == Some(word as u32)) {
                pieces.ids.push(id);
                *count += 1;
            }
            if *count == 0 {
                pieces.ids.push(self.unknown);
                *count = 1;
            }
        }
        match found.next() {
            None => Ok(pieces),
            Some((id, word)) => Err(format!("the tokenizer gives piece {id} to word {word:?} of {}", words.len())),
        }
    }
}

/// Byte-level tokenizers write the space before a word into its first piece. Words that come one by one have lost
/// theirs; the library that trained these models puts it back in the same way (`add_prefix_space`).
fn spaces_before_words(stage: &mut Value) {
    if stage.get("type").and_then(Value::as_str) == Some("ByteLevel") {
        stage["add_prefix_space"] = true.into();
    }
    for inner in stage.get_mut("pretokenizers").and_then(Value::as_array_mut).into_iter().flatten() {
        spaces_before_words(inner);
    }
}
