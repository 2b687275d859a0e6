//! What is written for a record.

use cman_data::Location;
use cman_model::Document;
use serde::Serialize;
use serde_json::value::RawValue;

/// Where a record is, and what names it.
#[derive(Clone, Debug, Serialize)]
pub struct Origin {
    /// The id of the record, as it is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Box<RawValue>>,
    /// The file.
    pub file: String,
    /// The record in the file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<usize>,
    /// Its line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
}

impl Origin {
    /// The origin of a record, or of what could not be read.
    pub fn of(at: &Location, id: Option<Box<RawValue>>) -> Self {
        let file = at.path.as_ref().map_or_else(String::new, |path| path.display().to_string());
        Self { id, file, record: at.record, line: at.line }
    }
}

/// A record and what is found in it.
#[derive(Debug, Serialize)]
pub struct Row {
    /// Where it is.
    #[serde(flatten)]
    pub origin: Origin,
    /// Its text, if it is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What is found.
    #[serde(flatten)]
    pub document: Document,
}

/// What could not be read, and why.
#[derive(Debug, Serialize)]
pub struct Rejected {
    /// Where it is.
    #[serde(flatten)]
    pub origin: Origin,
    /// The reason.
    pub reason: String,
}
