//! Entities and relations in SQL: the scalar function `cman_extract` for DataFusion, in one process or on a Ballista
//! cluster.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let context = cman_sql::embedded(2)?;
//! let query = "SELECT entity['type'], entity['text'] \
//!     FROM (SELECT unnest(cman_extract('Maria Keller lives in Oslo.')['entities']) AS entity)";
//! let batches = context.sql(query).await?.collect().await?;
//! assert_eq!(batches[0].num_rows(), 2);
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod cluster;
mod error;
mod format;
mod function;
mod hint;
mod models;
mod output;
mod query;
mod session;
mod stores;
mod tables;

pub use cluster::{executor, scheduler};
pub use error::SqlError;
pub use format::Format;
pub use function::cman_extract;
pub use hint::hint;
pub use models::Models;
pub use output::{Output, Written};
pub use query::{Shown, Statements};
pub use session::{cluster, embedded, state};
pub use stores::EnvStores;

/// The example of the README is compiled as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
