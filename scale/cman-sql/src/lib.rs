//! Entities and relations in SQL.
//!
//! [`cman_extract`](function()) is a function for DataFusion: a column of texts, or of lists of tokens, becomes a column of what a
//! model finds in them. A [`session`] has it, in one process or as the client of a Ballista cluster, whose scheduler and
//! executors are the programs `cman-scheduler` and `cman-executor`.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> datafusion::error::Result<()> {
//! let session = cman_sql::session::local(1)?;
//! let query = "SELECT e['type'] AS type, e['text'] AS text
//!              FROM (SELECT unnest(cman_extract('Maria Keller lives in Oslo.')['entities']) AS e)";
//! let found = session.sql(query).await?.collect().await?;
//! assert_eq!(found[0].num_rows(), 2);
//! # Ok(())
//! # }
//! ```

mod function;
mod models;
pub mod session;

pub use function::function;

/// The queries of the README are about files that do not exist; its code is compiled as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
