//! Options for reading annotation.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    corpus::{OnError, named},
    error::DataError,
    labels::Schema,
    tokenize::TokenizerConfig,
};

/// How to treat an entity that starts or ends inside a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CutPolicy {
    /// Widen the entity to whole tokens and count it.
    #[default]
    Widen,
    /// Stop with an error.
    Refuse,
}

named!(CutPolicy, "cut policy", Widen => "widen", Refuse => "refuse");

/// Options of [`read_annotations`](crate::read_annotations).
///
/// ```
/// use cman_data::{AnnotationOptions, CutPolicy, TokenizerConfig};
///
/// let options = AnnotationOptions {
///     tokenizer: TokenizerConfig::ade(),
///     cut_tokens: CutPolicy::Refuse,
///     ..AnnotationOptions::default()
/// };
/// assert!(!options.whole_documents);
/// ```
#[derive(Clone, Debug, Default)]
pub struct AnnotationOptions {
    /// The tokenizer, for formats of text. Formats of tokens keep their tokens.
    pub tokenizer: TokenizerConfig,
    /// Whether each document is one sentence. By default documents are split into sentences.
    pub whole_documents: bool,
    /// How to treat an entity that starts or ends inside a token.
    pub cut_tokens: CutPolicy,
    /// How to treat an invalid record or document.
    pub on_error: OnError,
    /// The allowed types. By default all types are allowed.
    pub schema: Option<Schema>,
    /// The key of the text in the `data` of a Label Studio task. By default `text`, else the only key whose text fits
    /// the annotation.
    pub text_key: Option<String>,
    /// Whether the predictions of a Label Studio task without annotation are read. By default they are only counted.
    pub predictions: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_have_names() {
        for &(value, name) in CutPolicy::ALL {
            assert_eq!((value.to_string().as_str(), name.parse::<CutPolicy>().unwrap()), (name, value));
            assert_eq!(serde_json::to_value(value).unwrap(), name);
        }
    }
}
