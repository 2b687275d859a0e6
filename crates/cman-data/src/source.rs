//! A byte stream that tracks its position, for all readers.

use std::{
    io,
    io::BufRead,
    path::{Path, PathBuf},
};

use crate::{
    error::{DataError, Location},
    lines::{LineKind, read_line},
};

/// A byte stream with a file name and a position. It skips a byte-order mark at the start.
pub(crate) struct Source<R> {
    inner: R,
    path: PathBuf,
    /// Line of the next byte, from 1.
    line: usize,
    /// Column of the next byte, from 1.
    column: usize,
}

impl<R: BufRead> Source<R> {
    pub(crate) fn new(inner: R, path: PathBuf) -> Result<Self, DataError> {
        let mut source = Self { inner, path, line: 1, column: 1 };
        if source.peek()? == Some(0xEF) {
            for mark in [0xEF, 0xBB, 0xBF] {
                if source.peek()? != Some(mark) {
                    return Err(DataError::NotUtf8 { at: Box::new(source.location()) });
                }
                source.inner.consume(1);
            }
        }
        Ok(source)
    }

    /// The name of the file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The location of the file as a whole.
    pub(crate) fn file(&self) -> Location {
        Location::file(&self.path)
    }

    /// The location of the next byte.
    pub(crate) fn location(&self) -> Location {
        Location { column: Some(self.column), ..self.file().with_line(self.line) }
    }

    /// The next bytes; empty at the end.
    pub(crate) fn fill(&mut self) -> Result<&[u8], DataError> {
        loop {
            match self.inner.fill_buf() {
                Ok(_) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(DataError::io(&self.path, error)),
            }
        }
        // The buffer is filled, so this call returns it without reading.
        self.inner.fill_buf().map_err(|error| DataError::io(&self.path, error))
    }

    /// Consumes the next `n` bytes, which [`fill`](Self::fill) has returned.
    pub(crate) fn consume(&mut self, n: usize) -> Result<(), DataError> {
        if n == 0 {
            return Ok(());
        }
        let (mut line, mut column) = (self.line, self.column);
        for &byte in &self.fill()?[..n] {
            if byte == b'\n' {
                line += 1;
                column = 1;
            } else {
                column += 1;
            }
        }
        (self.line, self.column) = (line, column);
        self.inner.consume(n);
        Ok(())
    }

    /// The next byte.
    pub(crate) fn peek(&mut self) -> Result<Option<u8>, DataError> {
        Ok(self.fill()?.first().copied())
    }

    /// Skips ASCII white space. Returns the next byte.
    pub(crate) fn skip_blank(&mut self) -> Result<Option<u8>, DataError> {
        loop {
            let bytes = self.fill()?;
            let blank = bytes.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            let next = bytes.get(blank).copied();
            let at_end = bytes.is_empty();
            self.consume(blank)?;
            if next.is_some() || at_end {
                return Ok(next);
            }
        }
    }

    /// Reads a line of at most `limit` bytes into `line`, without LF or CRLF.
    pub(crate) fn read_line(&mut self, line: &mut Vec<u8>, limit: usize) -> Result<LineKind, DataError> {
        let read = read_line(&mut self.inner, line, limit).map_err(|error| DataError::io(&self.path, error))?;
        if read.ended {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += read.bytes;
        }
        Ok(read.kind)
    }
}

/// Decodes `bytes`, which start at location `at`, as UTF-8.
pub(crate) fn text(bytes: &[u8], at: Location) -> Result<&str, DataError> {
    std::str::from_utf8(bytes).map_err(|error| {
        let valid = &bytes[..error.valid_up_to()];
        let line_start = valid.iter().rposition(|&byte| byte == b'\n').map_or(0, |i| i + 1);
        let lines = valid.iter().filter(|&&byte| byte == b'\n').count();
        let before = if lines == 0 { at.column.map_or(0, |column| column - 1) } else { 0 };
        let column = Some(before + valid.len() - line_start + 1);
        DataError::NotUtf8 { at: Box::new(Location { line: at.line.map(|line| line + lines), column, ..at }) }
    })
}

/// Why a record could not be read.
pub(crate) enum ReadError {
    /// The record is invalid; the next one can still be read.
    Record(DataError),
    /// The file is damaged or cannot be read.
    File(DataError),
}

impl From<DataError> for ReadError {
    /// Errors of a [`Source`] are not recoverable.
    fn from(error: DataError) -> Self {
        Self::File(error)
    }
}
