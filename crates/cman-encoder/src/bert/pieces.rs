//! The tokenizer, which cuts words into word pieces, from `tokenizer.json`.

use std::{fs, path::Path};

use serde_json::Value;
use tokenizers::Tokenizer;

use crate::error::EncoderError;

/// The word pieces of a sentence, without special pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pieces {
    /// Ids of the pieces.
    pub ids: Vec<u32>,
    /// Number of pieces per word, at least one.
    pub counts: Vec<usize>,
}

/// Cuts words into pieces.
#[derive(Clone, Debug)]
pub(super) struct PieceTokenizer {
    tokenizer: Tokenizer,
    /// Special pieces before a window, for example `[CLS]`.
    pub before: Vec<u32>,
    /// Special pieces after a window, for example `[SEP]`.
    pub after: Vec<u32>,
    unknown: u32,
}

impl PieceTokenizer {
    /// Reads `tokenizer.json` for a network of `vocabulary` pieces.
    pub fn read(path: &Path, vocabulary: usize) -> Result<Self, EncoderError> {
        let text = fs::read(path).map_err(|source| EncoderError::io(path, source))?;
        let format = |reason: String| EncoderError::format(path, reason);
        let mut value: Value = serde_json::from_slice(&text).map_err(|error| format(error.to_string()))?;
        if let Some(stage) = value.get_mut("pre_tokenizer") {
            add_prefix_spaces(stage);
        }
        let mut tokenizer = Tokenizer::from_bytes(value.to_string()).map_err(|error| format(error.to_string()))?;
        // Published files may contain the truncation and padding of an earlier use.
        tokenizer.with_truncation(None).map_err(|error| format(error.to_string()))?;
        tokenizer.with_padding(None);
        let largest = tokenizer.get_vocab(true).values().copied().max().unwrap_or(0) as usize;
        if largest >= vocabulary {
            let expected = format!("ids below the model's {vocabulary}");
            return Err(EncoderError::options(path, "vocabulary", &expected, largest));
        }
        let probe = tokenizer.encode(vec!["a"], true).map_err(|error| format(error.to_string()))?;
        let start = probe.get_word_ids().iter().position(Option::is_some);
        let end = probe.get_word_ids().iter().rposition(Option::is_some);
        let (Some(first), Some(last)) = (start, end) else {
            return Err(format("it makes no piece of the word 'a'".into()));
        };
        let unknown = ["[UNK]", "<unk>"].iter().find_map(|name| tokenizer.token_to_id(name));
        Ok(Self {
            before: probe.get_ids()[..first].to_vec(),
            after: probe.get_ids()[last + 1..].to_vec(),
            unknown: unknown.ok_or_else(|| format("it has no unknown piece ([UNK] or <unk>)".into()))?,
            tokenizer,
        })
    }

    /// The pieces of a sentence. If the tokenizer makes no piece of a word, for example of control characters, the word
    /// becomes the unknown piece.
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
            Some((id, word)) => {
                Err(format!("the tokenizer assigns piece {id} to word {word:?} of a sentence of {} words", words.len()))
            }
        }
    }
}

/// Sets `add_prefix_space` of byte-level stages. These tokenizers encode the space before a word in its first piece.
/// Words that arrive one by one have no space, so the tokenizer must add it, as the library does that trained these
/// models.
fn add_prefix_spaces(stage: &mut Value) {
    if stage.get("type").and_then(Value::as_str) == Some("ByteLevel") {
        stage["add_prefix_space"] = true.into();
    }
    for inner in stage.get_mut("pretokenizers").and_then(Value::as_array_mut).into_iter().flatten() {
        add_prefix_spaces(inner);
    }
}
