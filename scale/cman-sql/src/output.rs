//! Results as a file, or as a folder of files, that appears when it is complete.

use std::{
    fmt,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process,
};

use datafusion::arrow::{datatypes::SchemaRef, record_batch::RecordBatch};

use crate::{
    error::SqlError,
    format::{Format, Writer},
};

/// A file or a folder that is being written under another name. [`finish`](Self::finish) gives it its own; without it,
/// nothing remains.
#[derive(Debug)]
pub struct Output {
    target: PathBuf,
    partial: PathBuf,
    /// Rows per file, in a folder.
    rows_per_file: Option<u64>,
    format: Format,
    part: Option<Part>,
    written: Written,
    is_finished: bool,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Number of rows.
    pub rows: u64,
    /// Number of files.
    pub files: u64,
}

struct Part {
    path: PathBuf,
    writer: Writer,
    rows: u64,
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part").field("path", &self.path).field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl Output {
    /// Begins a file whose extension says the format. A file of this name is replaced at the end.
    ///
    /// # Errors
    /// [`SqlError::Format`] for another extension.
    pub fn file(target: &Path) -> Result<Self, SqlError> {
        let format = Format::of(target).ok_or_else(|| SqlError::Format { path: target.into() })?;
        Self::new(target, format, None)
    }

    /// Begins a folder of files with up to `rows_per_file` rows.
    ///
    /// # Errors
    /// [`SqlError::Exists`] for a folder that is not empty, [`SqlError::Write`] if it cannot be made.
    pub fn folder(target: &Path, format: Format, rows_per_file: u64) -> Result<Self, SqlError> {
        if fs::read_dir(target).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(SqlError::Exists { path: target.into() });
        }
        let output = Self::new(target, format, Some(rows_per_file.max(1)))?;
        fs::create_dir(&output.partial).map_err(|source| output.failed(source))?;
        Ok(output)
    }

    fn new(target: &Path, format: Format, rows_per_file: Option<u64>) -> Result<Self, SqlError> {
        let Some(name) = target.file_name() else { return Err(SqlError::Format { path: target.into() }) };
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}.partial", process::id()));
        let (target, partial) = (target.to_owned(), target.with_file_name(hidden));
        let written = Written::default();
        Ok(Self { target, partial, rows_per_file, format, part: None, written, is_finished: false })
    }

    /// Writes rows. Rows of a batch may go to different files of a folder.
    ///
    /// # Errors
    /// [`SqlError::Write`].
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), SqlError> {
        let mut start = 0;
        while start < batch.num_rows() {
            self.open(batch.schema())?;
            let Some(part) = &mut self.part else { return Ok(()) };
            let left = self.rows_per_file.map_or(u64::MAX, |most| most - part.rows);
            let rows = (batch.num_rows() - start).min(usize::try_from(left).unwrap_or(usize::MAX));
            let result = part.writer.write(&batch.slice(start, rows));
            part.rows += rows as u64;
            self.written.rows += rows as u64;
            start += rows;
            result.map_err(|source| self.failed(source))?;
            if rows as u64 == left {
                self.close()?;
            }
        }
        Ok(())
    }

    /// Ends the output. If there were no rows, it is an empty table with this schema.
    ///
    /// # Errors
    /// [`SqlError::Write`].
    pub fn finish(mut self, schema: SchemaRef) -> Result<Written, SqlError> {
        if self.part.is_none() && self.written.files == 0 {
            self.open(schema)?;
        }
        self.close()?;
        fs::rename(&self.partial, &self.target).map_err(|source| self.failed(source))?;
        self.is_finished = true;
        Ok(self.written)
    }

    fn open(&mut self, schema: SchemaRef) -> Result<(), SqlError> {
        if self.part.is_some() {
            return Ok(());
        }
        let path = match self.rows_per_file {
            Some(_) => self.partial.join(format!("part-{:05}.{}", self.written.files, self.format.extension())),
            None => self.partial.clone(),
        };
        let writer = File::create(&path).and_then(|file| self.format.writer(file, schema));
        self.part = Some(Part { writer: writer.map_err(|source| self.failed(source))?, path, rows: 0 });
        self.written.files += 1;
        Ok(())
    }

    fn close(&mut self) -> Result<(), SqlError> {
        let Some(part) = self.part.take() else { return Ok(()) };
        part.writer.finish().map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> SqlError {
        SqlError::Write { path: self.target.clone(), source }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if self.is_finished {
            return;
        }
        // An error is on its way already, or the process is being stopped.
        let _ = match self.rows_per_file {
            Some(_) => fs::remove_dir_all(&self.partial),
            None => fs::remove_file(&self.partial),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use datafusion::arrow::array::{ArrayRef, Int64Array};

    fn batch(rows: std::ops::Range<i64>) -> RecordBatch {
        let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(rows));
        RecordBatch::try_from_iter([("id", ids)]).unwrap()
    }

    #[test]
    fn a_folder_has_files_of_so_many_rows() {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("out");
        let mut output = Output::folder(&target, Format::JsonLines, 4).unwrap();
        output.write(&batch(0..3)).unwrap();
        output.write(&batch(3..12)).unwrap();
        assert!(!target.exists());
        let written = output.finish(batch(0..0).schema()).unwrap();
        assert_eq!(written, Written { rows: 12, files: 3 });
        let lines = fs::read_to_string(target.join("part-00002.jsonl")).unwrap();
        assert_eq!(lines.lines().next(), Some(r#"{"id":8}"#));
        assert!(matches!(Output::folder(&target, Format::Parquet, 4), Err(SqlError::Exists { .. })));
    }

    #[test]
    fn nothing_remains_of_an_output_that_is_not_finished() {
        let place = tempfile::tempdir().unwrap();
        for name in ["a.parquet", "b.jsonl"] {
            let mut output = Output::file(&place.path().join(name)).unwrap();
            output.write(&batch(0..3)).unwrap();
        }
        drop(Output::folder(&place.path().join("c"), Format::Parquet, 4).unwrap());
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
        assert!(matches!(Output::file(&place.path().join("a.txt")), Err(SqlError::Format { .. })));
    }

    #[test]
    fn an_empty_result_is_an_empty_table() {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("a.parquet");
        let written = Output::file(&target).unwrap().finish(batch(0..0).schema()).unwrap();
        assert_eq!(written, Written { rows: 0, files: 1 });
        assert!(fs::metadata(&target).unwrap().len() > 0);
    }
}
