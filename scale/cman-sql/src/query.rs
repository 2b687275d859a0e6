//! Statements, and what becomes of their result.

use std::{io::Write, time::Duration};

use datafusion::{
    arrow::{datatypes::SchemaRef, record_batch::RecordBatch, util::pretty::pretty_format_batches},
    execution::SendableRecordBatchStream,
    prelude::SessionContext,
};
use futures::StreamExt;

use crate::{
    error::SqlError,
    output::{Output, Written},
};

/// The time before another attempt.
const PAUSE: Duration = Duration::from_secs(1);

/// SQL statements of which the last one gives the result. Those before it are run for their effect, such as `SET` and
/// `CREATE VIEW`.
#[derive(Clone, Debug)]
pub struct Statements {
    sql: Vec<String>,
    retries: usize,
}

/// What was shown of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Number of rows.
    pub rows: usize,
    /// Whether there are more.
    pub is_cut: bool,
}

impl Statements {
    /// Statements to run.
    ///
    /// # Errors
    /// [`SqlError::Empty`] if there are none.
    pub fn new(sql: Vec<String>) -> Result<Self, SqlError> {
        if sql.is_empty() { Err(SqlError::Empty) } else { Ok(Self { sql, retries: 0 }) }
    }

    /// How often the last statement is run again after it failed. A query that cannot be planned, or in which
    /// `cman_extract` fails, is not run again. Default: 0.
    #[must_use]
    pub fn with_retries(self, retries: usize) -> Self {
        Self { retries, ..self }
    }

    /// Runs the statements and writes the result to the output that `begin` makes. A later attempt begins a new one.
    ///
    /// # Errors
    /// [`SqlError::Plan`] and [`SqlError::Run`] for the statements; those of [`Output`].
    pub async fn write(
        &self,
        context: &SessionContext,
        begin: impl Fn() -> Result<Output, SqlError>,
    ) -> Result<Written, SqlError> {
        self.prepare(context).await?;
        let attempt = async || {
            let mut output = begin()?;
            let mut stream = self.stream(context).await?;
            while let Some(batch) = stream.next().await {
                output.write(&batch.map_err(SqlError::Run)?)?;
            }
            output.finish(stream.schema())
        };
        self.retried(attempt).await
    }

    /// Runs the statements and prints up to `most` rows of the result as a table.
    ///
    /// # Errors
    /// [`SqlError::Plan`] and [`SqlError::Run`]; [`SqlError::Write`] for `to`.
    pub async fn show(&self, context: &SessionContext, most: usize, to: &mut impl Write) -> Result<Shown, SqlError> {
        self.prepare(context).await?;
        let (schema, batches, shown) = self.retried(async || self.first_rows(context, most).await).await?;
        if schema.fields().is_empty() {
            return Ok(shown);
        }
        let batches = if batches.is_empty() { vec![RecordBatch::new_empty(schema)] } else { batches };
        let table = pretty_format_batches(&batches).map_err(|error| SqlError::Run(error.into()))?;
        writeln!(to, "{table}").map_err(|source| SqlError::Write { path: "standard output".into(), source })?;
        Ok(shown)
    }

    async fn first_rows(
        &self,
        context: &SessionContext,
        most: usize,
    ) -> Result<(SchemaRef, Vec<RecordBatch>, Shown), SqlError> {
        let mut stream = self.stream(context).await?;
        let (mut batches, mut shown) = (Vec::new(), Shown { rows: 0, is_cut: false });
        while let Some(batch) = stream.next().await {
            let batch = batch.map_err(SqlError::Run)?;
            let rows = batch.num_rows().min(most - shown.rows);
            shown.is_cut = rows < batch.num_rows();
            shown.rows += rows;
            batches.push(batch.slice(0, rows));
            if shown.is_cut {
                break;
            }
        }
        Ok((stream.schema(), batches, shown))
    }

    /// Runs all statements but the last.
    async fn prepare(&self, context: &SessionContext) -> Result<(), SqlError> {
        for sql in &self.sql[..self.sql.len() - 1] {
            let frame = context.sql(sql).await.map_err(SqlError::Plan)?;
            frame.collect().await.map_err(SqlError::Run)?;
        }
        Ok(())
    }

    /// Plans and starts the last statement.
    async fn stream(&self, context: &SessionContext) -> Result<SendableRecordBatchStream, SqlError> {
        let sql = &self.sql[self.sql.len() - 1];
        let frame = context.sql(sql).await.map_err(SqlError::Plan)?;
        frame.execute_stream().await.map_err(SqlError::Run)
    }

    async fn retried<T>(&self, attempt: impl AsyncFn() -> Result<T, SqlError>) -> Result<T, SqlError> {
        let mut left = self.retries;
        loop {
            match attempt().await {
                Err(error) if left > 0 && is_of_engine(&error) => {
                    left -= 1;
                    eprintln!("{error}\nThe query is run again.");
                    tokio::time::sleep(PAUSE).await;
                }
                result => return result,
            }
        }
    }
}

/// Whether the engine failed, and not the query or the function.
fn is_of_engine(error: &SqlError) -> bool {
    matches!(error, SqlError::Run(_)) && !error.to_string().contains("cman_extract: ")
}
