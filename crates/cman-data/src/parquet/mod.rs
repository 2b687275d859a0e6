//! Parquet files, as Hugging Face's datasets use it: records in columns.
//!
//! A row is the record of a JSON line, so all that reads JSON lines reads Parquet. SpERT's form has the columns `tokens`,
//! `entities` (a list of `type`, `start` and `end`), `relations` (a list of `type`, `head` and `tail`) and `orig_id`.

mod class_labels;
mod rows;
mod writer;

pub(crate) use rows::{is_parquet, open};
pub use writer::write_parquet;

/// The first bytes of a Parquet file.
const MAGIC: &[u8] = b"PAR1";
