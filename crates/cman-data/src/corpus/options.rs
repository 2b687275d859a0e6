//! Options for reading a corpus.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::error::DataError;

/// Implements `ALL`, `Display` and `FromStr` for a fieldless enum. The names match serde's lower-case names.
macro_rules! named {
    ($type:ident, $what:literal, $($variant:ident => $name:literal),+) => {
        impl $type {
            const ALL: &[(Self, &str)] = &[$((Self::$variant, $name)),+];
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(match self {
                    $(Self::$variant => $name),+
                })
            }
        }

        impl FromStr for $type {
            type Err = DataError;

            fn from_str(name: &str) -> Result<Self, DataError> {
                Self::ALL.iter().find(|(_, own)| *own == name).map(|&(value, _)| value).ok_or_else(|| {
                    let names: Vec<_> = Self::ALL.iter().map(|&(_, name)| name).collect();
                    let expected = format!("one of {}", names.join(", "));
                    DataError::UnknownName { what: $what, expected, found: name.to_owned() }
                })
            }
        }
    };
}
#[cfg(feature = "annotation")]
pub(crate) use named;

/// A file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// SpERT's JSON: an array of `{"tokens": [..], "entities": [{"type", "start", "end"}], "relations": [{"type",
    /// "head", "tail"}], "orig_id": ..}`; `end` is exclusive, `head` and `tail` index the entities.
    Spert,
    /// The same objects, one per line.
    #[serde(rename = "jsonl")]
    JsonLines,
    /// The multi-head model's table: `#doc ID`, then one token per line as `index TAB token TAB BIO-tag TAB ['rel',
    /// ..] TAB [index, ..]`. The line of the last token of the first argument holds the relation and the index of the
    /// last token of the second argument. `['N']` with the token's own index means "no relation".
    Multihead,
    /// Columns of the CoNLL shared tasks, with tabs or spaces between them: one token per line, the token in the first
    /// column (after an index, if there is one), its tag (BIO, BIOES or BILOU) in the last. A blank line ends a
    /// sentence. There are no relations.
    Columns,
}

/// How to treat sentences in which two entities share a token. One BIO tag sequence cannot represent them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OverlapPolicy {
    /// Keep the sentence. Entities that the tagger cannot represent count as false negatives.
    #[default]
    Keep,
    /// Drop the sentence and count it in the [`Report`](crate::Report).
    Drop,
    /// Stop with an error.
    Refuse,
}

/// How to treat an invalid record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnError {
    /// Stop with the error.
    #[default]
    Refuse,
    /// Skip the record and add the error to the [`Report`](crate::Report). A damaged file is still an error if the
    /// start of the next record cannot be found.
    Skip,
}

named!(Format, "format", Spert => "spert", JsonLines => "jsonl", Multihead => "multihead", Columns => "columns");
named!(OverlapPolicy, "overlap policy", Keep => "keep", Drop => "drop", Refuse => "refuse");
named!(OnError, "error policy", Refuse => "refuse", Skip => "skip");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_parse_and_serde_use_the_same_names() {
        for &(value, name) in Format::ALL {
            assert_eq!((value.to_string().as_str(), name.parse::<Format>().unwrap()), (name, value));
            assert_eq!(serde_json::to_value(value).unwrap(), name);
        }
        for &(value, name) in OverlapPolicy::ALL {
            assert_eq!((value.to_string().as_str(), name.parse::<OverlapPolicy>().unwrap()), (name, value));
            assert_eq!(serde_json::to_value(value).unwrap(), name);
        }
        for &(value, name) in OnError::ALL {
            assert_eq!((value.to_string().as_str(), name.parse::<OnError>().unwrap()), (name, value));
            assert_eq!(serde_json::to_value(value).unwrap(), name);
        }
        let error = "Drop".parse::<OverlapPolicy>().unwrap_err();
        assert_eq!(error.to_string(), r#"overlap policy: expected one of keep, drop, refuse, found "Drop""#);
    }
}
