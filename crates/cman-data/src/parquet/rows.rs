//! Reading of Parquet files as JSON lines.

use std::{
    fs::File,
    io::{self, Read, Seek, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use arrow_json::LineDelimitedWriter;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use serde_json::Value;

use super::{
    MAGIC,
    class_labels::{ClassLabels, transpose},
};
use crate::error::{DataError, Location};

/// Number of rows that are in memory together.
const ROWS: usize = 1024;

/// Whether a file is Parquet. A pipe, which cannot be read twice, is not looked at.
pub(crate) fn is_parquet(mut file: &File) -> io::Result<bool> {
    if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return Ok(false);
    }
    let mut start = Vec::new();
    file.take(MAGIC.len() as u64).read_to_end(&mut start)?;
    file.rewind()?;
    Ok(start == MAGIC)
}

/// Opens a Parquet file. `read` grows by the share of the file's bytes that its rows so far are of all rows.
pub(crate) fn open(file: File, path: &Path, read: &Arc<AtomicU64>) -> Result<Box<dyn Read + Send>, DataError> {
    let bytes = file.metadata().map_err(|source| DataError::io(path, source))?.len();
    let rows = caught(path, || {
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| damaged(path, &error))?;
        let metadata = builder.schema().metadata().get("huggingface");
        let labels = metadata.map(|metadata| ClassLabels::of(metadata)).unwrap_or_default();
        let total = builder.metadata().file_metadata().num_rows();
        let batches = builder.with_batch_size(ROWS).build().map_err(|error| damaged(path, &error))?;
        Ok(Rows {
            batches,
            labels,
            path: path.into(),
            record: 0,
            lines: Vec::new(),
            at: 0,
            total,
            bytes,
            read: Arc::clone(read),
        })
    })?;
    Ok(Box::new(rows))
}

/// The rows of a Parquet file as JSON lines.
struct Rows {
    batches: ParquetRecordBatchReader,
    labels: ClassLabels,
    path: PathBuf,
    /// Number of rows so far.
    record: usize,
    /// The lines of the current batch, and how many of their bytes are read.
    lines: Vec<u8>,
    at: usize,
    /// Number of all rows, and of the bytes of the file.
    total: i64,
    bytes: u64,
    read: Arc<AtomicU64>,
}

impl Read for Rows {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.lines.len() && self.next_batch().map_err(io::Error::other)? {}
        let count = (&self.lines[self.at..]).read(buffer)?;
        self.at += count;
        Ok(count)
    }
}

impl Rows {
    /// Makes lines of the next batch. False at the end.
    fn next_batch(&mut self) -> Result<bool, DataError> {
        let Self { batches, labels, path, record, lines, at, total, bytes, read } = self;
        lines.clear();
        *at = 0;
        let first = *record;
        let more = caught(path, || {
            let Some(batch) = batches.next() else { return Ok(false) };
            let batch = batch.map_err(|error| damaged(path, &error))?;
            let mut rows = Vec::new();
            LineDelimitedWriter::new(&mut rows).write(&batch).map_err(|error| damaged(path, &error))?;
            for row in serde_json::Deserializer::from_slice(&rows).into_iter::<Value>() {
                *record += 1;
                let at = Location::file(&**path).with_record(*record);
                let mut row = row.map_err(|error| DataError::json(at.clone(), None, &error))?;
                transpose(&mut row, &at)?;
                labels.name(&mut row, &at)?;
                writeln!(lines, "{row}").map_err(|source| DataError::io(&**path, source))?;
            }
            Ok(true)
        })?;
        let share = (*record - first) as f64 / (*total).max(1) as f64;
        read.fetch_add((*bytes as f64 * share) as u64, Ordering::Relaxed);
        Ok(more)
    }
}

/// Calls the library, which panics on some damaged files.
fn caught<T>(path: &Path, call: impl FnOnce() -> Result<T, DataError>) -> Result<T, DataError> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| Err(damaged(path, &"damaged columns")))
}

/// The reason may have several lines.
fn damaged(path: &Path, reason: &impl ToString) -> DataError {
    let reason = reason.to_string();
    DataError::invalid(Location::file(path), "", "a Parquet file", reason.lines().next().unwrap_or_default())
}
