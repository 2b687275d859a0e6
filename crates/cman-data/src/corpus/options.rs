//! The choices a user has in reading a corpus.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::DataError;

/// Gives an enum without fields its names: `Display`, `FromStr` and `NAMES`, in step with serde's lower case.
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
                    DataError::UnknownName { what: $what, expected: names.join(" or "), found: name.to_owned() }
                })
            }
        }
    };
}

/// A file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// SpERT's JSON: an array of `{"tokens": [..], "entities": [{"type", "start", "end"}], "relations": [{"type",
    /// "head", "tail"}], "orig_id": ..}`; `end` is exclusive, `head` and `tail` index the entities.
    Spert,
    /// The multi-head model's table: `#doc ID`, then one token a line as `index TAB token TAB BIO-tag TAB ['rel', ..]
    /// TAB [index, ..]`. A relation stands on the last token of its first argument and names the last token of its
    /// second; `['N']` with the token's own index means none.
    Multihead,
}

/// What to do with sentences in which two entities share a token: one sequence of BIO tags cannot hold them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OverlapPolicy {
    /// Keep the sentence; what the tagger cannot represent counts as missed.
    #[default]
    Keep,
    /// Leave the sentence out, and count it in the [`Report`](crate::Report).
    Drop,
    /// Stop with an error.
    Refuse,
}

/// What to do with a record that is not valid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnError {
    /// Stop with the error.
    #[default]
    Refuse,
    /// Leave the record out, and note the error in the [`Report`](crate::Report). A damaged file, where it is unclear
    /// where the next record starts, is an error all the same.
    Skip,
}

named!(Format, "format", Spert => "spert", Multihead => "multihead");
named!(OverlapPolicy, "overlap policy", Keep => "keep", Drop => "drop", Refuse => "refuse");
named!(OnError, "policy for errors", Refuse => "refuse", Skip => "skip");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_everywhere() {
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
        assert_eq!(error.to_string(), r#"overlap policy: expected keep or drop or refuse, found "Drop""#);
    }
}
