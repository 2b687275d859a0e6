//! The crate's one error type, and the place in a file that an error points at.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use crate::corpus::Format;

/// Where something stands: each part is there only if it is known and means something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Location {
    /// The file, or the name that was given to a reader without a file.
    pub path: Option<PathBuf>,
    /// The record (sentence) in the file, from 1.
    pub record: Option<usize>,
    /// The line in the file, from 1.
    pub line: Option<usize>,
    /// The byte in the line, from 1.
    pub column: Option<usize>,
}

impl Location {
    /// A place that is a whole file.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self { path: Some(path.into()), ..Self::default() }
    }

    /// The same place in record `record`.
    pub fn with_record(self, record: usize) -> Self {
        Self { record: Some(record), ..self }
    }

    /// The same place on line `line`.
    pub fn with_line(self, line: usize) -> Self {
        Self { line: Some(line), ..self }
    }

    /// `path: record 3, line 7, field: `, as far as the parts are known.
    fn prefix(&self, field: Option<&str>) -> String {
        let mut parts: Vec<String> = [("record", self.record), ("line", self.line), ("column", self.column)]
            .into_iter()
            .filter_map(|(name, number)| number.map(|number| format!("{name} {number}")))
            .collect();
        parts.extend(field.map(str::to_owned));
        let mut prefix = self.path.as_ref().map_or_else(String::new, |path| format!("{}: ", path.display()));
        if !parts.is_empty() {
            prefix += &parts.join(", ");
            prefix += ": ";
        }
        prefix
    }
}

/// Everything that can go wrong with data from outside: files, annotations, names given by a user.
///
/// Each message is one line that starts with the place. The parts are also there one by one: [`path`](Self::path),
/// [`record`](Self::record), [`line`](Self::line), [`column`](Self::column), [`field`](Self::field),
/// [`expected`](Self::expected), [`found`](Self::found).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A file cannot be read or written.
    #[error("{}{source}", at.prefix(None))]
    Io {
        /// The place.
        at: Box<Location>,
        /// What the system said.
        source: io::Error,
    },
    /// A value is not what it must be.
    #[error("{}expected {expected}, found {found}", at.prefix(Some(field.as_str()).filter(|field| !field.is_empty())))]
    Invalid {
        /// The place.
        at: Box<Location>,
        /// The field, such as `entities[1].end`; empty where the place says it all.
        field: String,
        /// What would have been right.
        expected: String,
        /// What is there.
        found: String,
    },
    /// Text that should be JSON is not, or is not of the right shape.
    #[error("{}{message}", at.prefix(field.as_deref()))]
    Json {
        /// The place.
        at: Box<Location>,
        /// The field, if one can be named.
        field: Option<String>,
        /// What is wrong.
        message: String,
    },
    /// A record or a line is longer than the reader allows.
    #[error("{}longer than the limit of {limit} bytes", at.prefix(None))]
    TooLarge {
        /// The place.
        at: Box<Location>,
        /// The limit in bytes.
        limit: usize,
    },
    /// Text is not UTF-8.
    #[error("{}not UTF-8", at.prefix(None))]
    NotUtf8 {
        /// The place.
        at: Box<Location>,
    },
    /// A corpus holds no sentence, or none is left.
    #[error("{}no sentence ({records} records read)", at.prefix(None))]
    NoSentence {
        /// The place.
        at: Box<Location>,
        /// How many records there were, all of them dropped or skipped.
        records: usize,
    },
    /// A sentence cannot be written in a format without losing something.
    #[error("{}the {format} format cannot express {found}", at.prefix(Some(field)))]
    Inexpressible {
        /// The place: the sentence's number.
        at: Box<Location>,
        /// The format.
        format: Format,
        /// The field.
        field: String,
        /// What cannot be written.
        found: String,
    },
    /// Several files of a folder could play one part.
    #[error("{}: expected one {part} file, found {}", path.display(), names(candidates))]
    Ambiguous {
        /// The folder.
        path: PathBuf,
        /// The part, such as `train`.
        part: &'static str,
        /// The files, sorted.
        candidates: Vec<PathBuf>,
    },
    /// A folder holds nothing that looks like a corpus.
    #[error("{}: expected corpus files such as train.json, dev.json and test.json, found none", path.display())]
    NoCorpus {
        /// The folder.
        path: PathBuf,
    },
    /// A user named something that does not exist.
    #[error("{what}: expected {expected}, found {found:?}")]
    UnknownName {
        /// What was named, such as `format`.
        what: &'static str,
        /// The names there are.
        expected: String,
        /// The name given.
        found: String,
    },
}

fn names(paths: &[PathBuf]) -> String {
    let names: Vec<_> =
        paths.iter().map(|path| path.file_name().unwrap_or(path.as_os_str()).to_string_lossy()).collect();
    names.join(", ")
}

impl DataError {
    /// A value at `at` that is not what it must be.
    pub(crate) fn invalid(
        at: Location,
        field: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self::Invalid { at: Box::new(at), field: field.into(), expected: expected.into(), found: found.into() }
    }

    /// A file that cannot be read or written.
    pub(crate) fn io(path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::Io { at: Box::new(Location::file(path)), source }
    }

    /// What serde_json says, with its position in the text that starts at `at`.
    pub(crate) fn json(at: Location, field: Option<String>, error: &serde_json::Error) -> Self {
        let at = match (error.line(), error.column()) {
            (0, _) => at,
            (1, column) => {
                let before = at.column.map_or(0, |first| first - 1);
                Location { line: at.line.or(Some(1)), column: Some((before + column).max(1)), ..at }
            }
            (line, column) => Location { line: Some(at.line.unwrap_or(1) + line - 1), column: Some(column), ..at },
        };
        let at = Box::new(at);
        let message = json_reason(error);
        let mismatch = ["invalid type: ", "invalid value: ", "invalid length "]
            .iter()
            .find_map(|prefix| message.strip_prefix(prefix)?.rsplit_once(", expected "));
        match mismatch {
            Some((found, expected)) => {
                let (found, expected) = (found.to_owned(), expected.to_owned());
                Self::Invalid { at, field: field.unwrap_or_default(), expected, found }
            }
            None => Self::Json { at, field, message },
        }
    }

    /// The same, with the field on the way to which it happened.
    pub(crate) fn json_path(at: Location, error: &serde_path_to_error::Error<serde_json::Error>) -> Self {
        let known = error.path().iter().all(|segment| !matches!(segment, serde_path_to_error::Segment::Unknown));
        let field = Some(error.path().to_string()).filter(|field| known && field != ".");
        Self::json(at, field, error.inner())
    }

    /// The place, unless the error is about a folder or a name.
    pub fn location(&self) -> Option<&Location> {
        match self {
            Self::Io { at, .. }
            | Self::Invalid { at, .. }
            | Self::Json { at, .. }
            | Self::TooLarge { at, .. }
            | Self::NotUtf8 { at }
            | Self::NoSentence { at, .. }
            | Self::Inexpressible { at, .. } => Some(at),
            Self::Ambiguous { .. } | Self::NoCorpus { .. } | Self::UnknownName { .. } => None,
        }
    }

    /// The file or folder.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Ambiguous { path, .. } | Self::NoCorpus { path } => Some(path),
            _ => self.location()?.path.as_deref(),
        }
    }

    /// The record (sentence), from 1.
    pub fn record(&self) -> Option<usize> {
        self.location()?.record
    }

    /// The line, from 1.
    pub fn line(&self) -> Option<usize> {
        self.location()?.line
    }

    /// The byte in the line, from 1.
    pub fn column(&self) -> Option<usize> {
        self.location()?.column
    }

    /// The field, such as `entities[1].end`.
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Invalid { field, .. } | Self::Inexpressible { field, .. } => Some(field),
            Self::Json { field, .. } => field.as_deref(),
            _ => None,
        }
    }

    /// What would have been right.
    pub fn expected(&self) -> Option<&str> {
        match self {
            Self::Invalid { expected, .. } | Self::UnknownName { expected, .. } => Some(expected),
            _ => None,
        }
    }

    /// What is there instead.
    pub fn found(&self) -> Option<&str> {
        match self {
            Self::Invalid { found, .. } | Self::Inexpressible { found, .. } | Self::UnknownName { found, .. } => {
                Some(found)
            }
            _ => None,
        }
    }
}

/// What serde_json says is wrong, without the position that it puts at the end.
pub fn json_reason(error: &serde_json::Error) -> String {
    let message = error.to_string();
    message.split(" at line ").next().unwrap_or(&message).to_owned()
}

/// Text from outside, quoted for a message: on one line and not longer than 60 characters.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 60;
        let short: String = self.0.chars().take(LONGEST).collect();
        let rest = if short.len() < self.0.len() { "..." } else { "" };
        write!(f, "{short:?}{rest}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_that_starts_with_the_place() {
        let at = Location::file("train.json").with_record(3);
        let error =
            DataError::invalid(at.clone(), "entities[1].end", "at most 12 (the number of tokens)", 14.to_string());
        assert_eq!(
            error.to_string(),
            "train.json: record 3, entities[1].end: expected at most 12 (the number of tokens), found 14"
        );
        assert_eq!((error.path(), error.record(), error.line()), (Some(Path::new("train.json")), Some(3), None));
        assert_eq!((error.field(), error.found()), (Some("entities[1].end"), Some("14")));
        assert_eq!(error.expected(), Some("at most 12 (the number of tokens)"));

        let at = Location { column: Some(9), ..at.with_line(7) };
        let error = DataError::NotUtf8 { at: Box::new(at) };
        assert_eq!(error.to_string(), "train.json: record 3, line 7, column 9: not UTF-8");
        assert_eq!((error.line(), error.column(), error.field()), (Some(7), Some(9), None));
    }

    #[test]
    fn a_place_without_a_file_is_left_out() {
        let error = DataError::invalid(Location::default(), "tokens", "at least one token", "none");
        assert_eq!(error.to_string(), "tokens: expected at least one token, found none");
        let error = DataError::invalid(Location::file("a"), "", "a file", "a directory");
        assert_eq!(error.to_string(), "a: expected a file, found a directory");
    }

    #[test]
    fn quoted_text_is_short_and_on_one_line() {
        assert_eq!(Quoted("a\n\u{0}b").to_string(), r#""a\n\0b""#);
        assert_eq!(Quoted(&"é".repeat(61)).to_string(), format!("{:?}...", "é".repeat(60)));
    }
}
