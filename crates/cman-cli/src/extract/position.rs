//! A place in the files.

use serde::{Deserialize, Serialize};

/// A place between two records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Number of files that are read to their end.
    pub files: usize,
    /// Number of records of the next file that are read.
    pub records: u64,
}
