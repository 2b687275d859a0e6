//! A sentence in JSON lines of output.

use serde::Serialize;
use serde_json::value::RawValue;

/// One line of output.
#[derive(Serialize)]
pub struct OutputLine<'a, T> {
    /// The id of the record, as it is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<&'a RawValue>,
    /// Start of the sentence in the record's text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<usize>,
    /// What is found in the sentence.
    #[serde(flatten)]
    pub found: &'a T,
}
