//! Entities and relations from columns of Arrow record batches.
//!
//! A column of texts, or of lists of tokens, becomes a column of structs: what an
//! [`Extractor`](cman_model::Extractor) finds in each row. [`data_type`] is its type, the same for every engine that
//! exchanges Arrow data: DataFusion, Polars, Spark, DuckDB, Ray, pyarrow.
//!
//! ```
//! use std::sync::Arc;
//!
//! use arrow_array::{RecordBatch, StringArray};
//! use burn_ragged::DeviceKind;
//! use cman_arrow::extract_batch;
//! use cman_model::{Extractor, LoadOptions, Model};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let model = Model::from_package(cman_demo::PACKAGE, &DeviceKind::Flex.device()?, &LoadOptions::default())?;
//! let extractor = Extractor::new(model);
//! let texts = StringArray::from(vec![Some("Anna Keller lives in Bonn."), None]);
//! let batch = RecordBatch::try_from_iter([("text", Arc::new(texts) as _)])?;
//! let found = extract_batch(&extractor, &batch, "text", "found")?;
//! assert_eq!(found.schema().field(1).data_type(), &cman_arrow::data_type());
//! assert_eq!(found.column(1).null_count(), 1);
//! # Ok(())
//! # }
//! ```

mod column;
mod encode;
mod error;
mod extract;
mod schema;

pub use column::is_readable;
pub use encode::{Row, encode};
pub use error::ColumnError;
pub use extract::{extract, extract_batch};
pub use schema::data_type;

/// The example of the README is compiled as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
