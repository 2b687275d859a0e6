//! Names of the formats of an input.

use std::{fmt, str::FromStr};

use crate::{corpus::Format, error::DataError};

/// The format of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputFormat {
    /// Lines of text.
    Text,
    /// A corpus, or JSON records with `text` or `tokens` in its form: [`Format::Spert`] is an array, and
    /// [`Format::JsonLines`] has one record per line.
    Corpus(Format),
}

impl fmt::Display for InputFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.pad("text"),
            Self::Corpus(format) => format.fmt(f),
        }
    }
}

impl FromStr for InputFormat {
    type Err = DataError;

    fn from_str(name: &str) -> Result<Self, DataError> {
        if name == "text" { Ok(Self::Text) } else { name.parse().map(Self::Corpus) }
    }
}
