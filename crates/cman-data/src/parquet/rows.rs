//! Reading of Parquet files as JSON lines.

use std::{
    fs::File,
    io::{BufWriter, Read, Seek, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use arrow_json::LineDelimitedWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use super::{
    MAGIC,
    class_labels::{ClassLabels, transpose},
};
use crate::error::{DataError, Location};

/// Number of rows that are in memory together.
const ROWS: usize = 1024;

/// Opens a file. Of a Parquet file, its rows are read as JSON lines; they lie in a temporary file without a name.
pub(crate) fn open(path: &Path) -> Result<File, DataError> {
    let io = |source| DataError::io(path, source);
    let mut file = File::open(path).map_err(io)?;
    // A pipe cannot be read twice.
    if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return Ok(file);
    }
    let mut start = Vec::new();
    Read::by_ref(&mut file).take(MAGIC.len() as u64).read_to_end(&mut start).map_err(io)?;
    file.rewind().map_err(io)?;
    if start != MAGIC {
        return Ok(file);
    }
    let mut lines = tempfile::tempfile().map_err(io)?;
    let mut writer = BufWriter::new(&lines);
    // The library panics on some damaged files.
    let written = catch_unwind(AssertUnwindSafe(|| write_json_lines(file, path, &mut writer)));
    written.unwrap_or_else(|_| Err(damaged(path, "damaged columns")))?;
    writer.flush().map_err(io)?;
    drop(writer);
    lines.rewind().map_err(io)?;
    Ok(lines)
}

fn write_json_lines(file: File, path: &Path, mut writer: impl Write) -> Result<(), DataError> {
    let damaged = |error: &dyn ToString| damaged(path, &error.to_string());
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| damaged(&error))?;
    let metadata = builder.schema().metadata().get("huggingface");
    let labels = metadata.map(|metadata| ClassLabels::of(metadata)).unwrap_or_default();
    let batches = builder.with_batch_size(ROWS).build().map_err(|error| damaged(&error))?;
    let mut record = 0;
    for batch in batches {
        let batch = batch.map_err(|error| damaged(&error))?;
        let mut lines = Vec::new();
        LineDelimitedWriter::new(&mut lines).write(&batch).map_err(|error| damaged(&error))?;
        for row in serde_json::Deserializer::from_slice(&lines).into_iter::<Value>() {
            record += 1;
            let at = Location::file(path).with_record(record);
            let mut row = row.map_err(|error| DataError::json(at.clone(), None, &error))?;
            transpose(&mut row, &at)?;
            labels.name(&mut row, &at)?;
            writeln!(writer, "{row}").map_err(|source| DataError::io(path, source))?;
        }
    }
    Ok(())
}

/// The reason may have several lines.
fn damaged(path: &Path, reason: &str) -> DataError {
    let line = reason.lines().next().unwrap_or_default();
    DataError::invalid(Location::file(path), "", "a Parquet file", line)
}
