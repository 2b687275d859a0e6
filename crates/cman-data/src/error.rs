//! The error type of the crate, and the location that an error refers to.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use crate::{plain_message::json_reason, reasons::Reasons};

/// A location in a file. Parts that are unknown or do not apply are `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Location {
    /// The file, or the name given to a reader without a file.
    pub path: Option<PathBuf>,
    /// The record (sentence) in the file, from 1.
    pub record: Option<usize>,
    /// The line in the file, from 1.
    pub line: Option<usize>,
    /// The byte in the line, from 1.
    pub column: Option<usize>,
}

impl Location {
    /// The location of a complete file.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self { path: Some(path.into()), ..Self::default() }
    }

    /// A message that starts with the location.
    pub fn message(&self, reason: &str) -> String {
        format!("{}{reason}", self.prefix(None))
    }

    /// The same location with a record number.
    pub fn with_record(self, record: usize) -> Self {
        Self { record: Some(record), ..self }
    }

    /// The same location with a line number.
    pub fn with_line(self, line: usize) -> Self {
        Self { line: Some(line), ..self }
    }

    /// `path: record 3, line 7, field: `, with the parts that are known.
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

/// `path: record 3, line 7`, with the parts that are known.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.prefix(None).trim_end_matches(": "))
    }
}

/// An error in external data: files, annotations, names given by a user.
///
/// Each message is one line that starts with the location. Accessors return its parts: [`path`](Self::path),
/// [`record`](Self::record), [`line`](Self::line), [`column`](Self::column), [`field`](Self::field),
/// [`expected`](Self::expected), [`found`](Self::found).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A file cannot be read or written.
    #[error("{}{source}", at.prefix(None))]
    Io {
        /// The location.
        at: Box<Location>,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A value is invalid.
    #[error("{}expected {expected}, found {found}", at.prefix(Some(field.as_str()).filter(|field| !field.is_empty())))]
    Invalid {
        /// The location.
        at: Box<Location>,
        /// The field, such as `entities[1].end`; empty if the location is sufficient.
        field: String,
        /// The expected value.
        expected: String,
        /// The value found.
        found: String,
    },
    /// Text is not valid JSON, or does not have the expected structure.
    #[error("{}{message}", at.prefix(field.as_deref()))]
    Json {
        /// The location.
        at: Box<Location>,
        /// The field, if it is known.
        field: Option<String>,
        /// The reason.
        message: String,
    },
    /// A record or line exceeds the size limit of the reader.
    #[error("{}longer than the limit of {limit} bytes", at.prefix(None))]
    TooLarge {
        /// The location.
        at: Box<Location>,
        /// The limit in bytes.
        limit: usize,
    },
    /// Text is not UTF-8.
    #[error("{}not UTF-8", at.prefix(None))]
    NotUtf8 {
        /// The location.
        at: Box<Location>,
    },
    /// A corpus has no sentences, or all of them were dropped or skipped.
    #[error("{}no sentences{}", at.prefix(None), left_out(*records, reasons))]
    NoSentence {
        /// The location.
        at: Box<Location>,
        /// Number of records, all of them dropped or skipped.
        records: usize,
        /// Why records were skipped. The others were dropped because of overlapping entities.
        reasons: Reasons,
    },
    /// A file is of a kind that is not read here.
    #[error("{}expected {expected}, found {found}", at.prefix(None))]
    Foreign {
        /// The location.
        at: Box<Location>,
        /// What is read here.
        expected: &'static str,
        /// What the file seems to be.
        found: String,
        /// How to make a file that can be read.
        hint: Option<String>,
    },
    /// A format cannot express part of a sentence.
    #[error("{}the {format} format cannot express {found}", at.prefix(Some(field)))]
    Inexpressible {
        /// The location: the number of the sentence.
        at: Box<Location>,
        /// The name of the format.
        format: &'static str,
        /// The field.
        field: String,
        /// The content that cannot be expressed.
        found: String,
    },
    /// Several files of a folder have the same role.
    #[error("{}: expected one {part} file, found {}", path.display(), file_names(candidates))]
    Ambiguous {
        /// The folder.
        path: PathBuf,
        /// The role, such as `train`.
        part: &'static str,
        /// The files, sorted.
        candidates: Vec<PathBuf>,
    },
    /// A folder has no corpus files, or none for training.
    #[error("{}: expected {expected}, found {}", path.display(), unused_files(unused))]
    NoCorpus {
        /// The folder.
        path: PathBuf,
        /// The files that are needed.
        expected: &'static str,
        /// The files in the folder.
        unused: Vec<UnusedFile>,
    },
    /// A name is not one of the allowed names.
    #[error("{what}: expected {expected}, found {found:?}")]
    UnknownName {
        /// What the name refers to, such as `format`.
        what: &'static str,
        /// The allowed names.
        expected: String,
        /// The given name.
        found: String,
    },
}

/// A file of a folder that is not used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnusedFile {
    /// The file.
    pub path: PathBuf,
    /// Why it is not used.
    pub reason: String,
}

impl fmt::Display for UnusedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy();
        write!(f, "{name} ({})", self.reason)
    }
}

fn unused_files(files: &[UnusedFile]) -> String {
    const MOST: usize = 20;
    let mut names: Vec<String> = files.iter().take(MOST).map(UnusedFile::to_string).collect();
    if files.len() > MOST {
        names.push(format!("{} more", files.len() - MOST));
    }
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// What became of the records of a corpus without sentences.
fn left_out(records: usize, reasons: &Reasons) -> String {
    let mut text = format!(" ({records} records read");
    let skipped = reasons.total();
    if skipped < records {
        text += &format!(", {} dropped because of overlapping entities", records - skipped);
    }
    text.push(')');
    for (i, group) in reasons.groups().iter().enumerate() {
        text += &format!("{} {group}", if i == 0 { ":" } else { ";" });
    }
    text
}

fn file_names(paths: &[PathBuf]) -> String {
    let names: Vec<_> =
        paths.iter().map(|path| path.file_name().unwrap_or(path.as_os_str()).to_string_lossy()).collect();
    names.join(", ")
}

impl DataError {
    /// An invalid value at location `at`.
    pub(crate) fn invalid(
        at: Location,
        field: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self::Invalid { at: Box::new(at), field: field.into(), expected: expected.into(), found: found.into() }
    }

    /// An I/O error of a file, or the error of a reader that gives the records of a file.
    pub(crate) fn io(path: impl Into<PathBuf>, source: io::Error) -> Self {
        let source = match source.downcast() {
            Ok(error) => return error,
            Err(source) => source,
        };
        Self::Io { at: Box::new(Location::file(path)), source }
    }

    /// Converts an error of serde_json in a text that starts at location `at`.
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

    /// Converts an error of serde_json with the path of the field.
    pub(crate) fn json_path(at: Location, error: &serde_path_to_error::Error<serde_json::Error>) -> Self {
        let known = error.path().iter().all(|segment| !matches!(segment, serde_path_to_error::Segment::Unknown));
        let field = Some(error.path().to_string()).filter(|field| known && field != ".");
        Self::json(at, field, error.inner())
    }

    /// The message without file, record, line and column.
    pub fn reason(&self) -> String {
        let message = self.to_string();
        let place = self.location().map(Location::to_string).unwrap_or_default();
        message.strip_prefix(&place).unwrap_or(&message).trim_start_matches([':', ',', ' ']).to_owned()
    }

    /// The location, unless the error is about a folder or a name.
    pub fn location(&self) -> Option<&Location> {
        match self {
            Self::Io { at, .. }
            | Self::Invalid { at, .. }
            | Self::Json { at, .. }
            | Self::TooLarge { at, .. }
            | Self::NotUtf8 { at }
            | Self::NoSentence { at, .. }
            | Self::Foreign { at, .. }
            | Self::Inexpressible { at, .. } => Some(at),
            Self::Ambiguous { .. } | Self::NoCorpus { .. } | Self::UnknownName { .. } => None,
        }
    }

    /// The file or folder.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Ambiguous { path, .. } | Self::NoCorpus { path, .. } => Some(path),
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

    /// The expected value.
    pub fn expected(&self) -> Option<&str> {
        match self {
            Self::Invalid { expected, .. } | Self::UnknownName { expected, .. } => Some(expected),
            _ => None,
        }
    }

    /// The value found.
    pub fn found(&self) -> Option<&str> {
        match self {
            Self::Invalid { found, .. } | Self::Inexpressible { found, .. } | Self::UnknownName { found, .. } => {
                Some(found)
            }
            _ => None,
        }
    }
}

/// External text, quoted for a message: one line of at most 60 characters.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MAX_CHARS: usize = 60;
        let short: String = self.0.chars().take(MAX_CHARS).collect();
        let rest = if short.len() < self.0.len() { "..." } else { "" };
        write!(f, "{short:?}{rest}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_that_starts_with_the_location() {
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
    fn an_empty_location_has_no_prefix() {
        let error = DataError::invalid(Location::default(), "tokens", "at least one token", "none");
        assert_eq!(error.to_string(), "tokens: expected at least one token, found none");
        let error = DataError::invalid(Location::file("a"), "", "a file", "a directory");
        assert_eq!(error.to_string(), "a: expected a file, found a directory");
    }

    #[test]
    fn quoted_text_is_short_and_single_line() {
        assert_eq!(Quoted("a\n\u{0}b").to_string(), r#""a\n\0b""#);
        assert_eq!(Quoted(&"é".repeat(61)).to_string(), format!("{:?}...", "é".repeat(60)));
    }
}
