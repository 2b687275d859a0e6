//! Bytes with their place: the layer under both readers.

use std::{io, io::BufRead, path::PathBuf};

use crate::{
    DataError,
    error::Location,
    lines::{LineKind, read_line},
};

/// A stream of bytes that knows its name and where it is. A byte-order mark at its start is passed over.
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
                    return Err(DataError::NotUtf8 { at: Box::new(source.place()) });
                }
                source.inner.consume(1);
            }
        }
        Ok(source)
    }

    /// The whole stream as a place.
    pub(crate) fn file(&self) -> Location {
        Location::file(&self.path)
    }

    /// The place of the next byte.
    pub(crate) fn place(&self) -> Location {
        Location { column: Some(self.column), ..self.file().with_line(self.line) }
    }

    /// The next bytes, none at the end.
    pub(crate) fn fill(&mut self) -> Result<&[u8], DataError> {
        loop {
            match self.inner.fill_buf() {
                Ok(_) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(DataError::io(&self.path, error)),
            }
        }
        // The buffer is full now, so this call gives it back without reading.
        self.inner.fill_buf().map_err(|error| DataError::io(&self.path, error))
    }

    /// Goes past the next `n` bytes, which [`fill`](Self::fill) gave.
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

    /// Goes past spaces, tabs and line ends; the byte behind them.
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

    /// Reads a line of at most `limit` bytes into `line`, without its line feed or carriage return and line feed.
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

/// The text of `bytes`, which start at `at`.
pub(crate) fn text(bytes: &[u8], at: Location) -> Result<&str, DataError> {
    std::str::from_utf8(bytes).map_err(|error| {
        let good = &bytes[..error.valid_up_to()];
        let line_start = good.iter().rposition(|&byte| byte == b'\n').map_or(0, |i| i + 1);
        let lines = good.iter().filter(|&&byte| byte == b'\n').count();
        let before = if lines == 0 { at.column.map_or(0, |column| column - 1) } else { 0 };
        let column = Some(before + good.len() - line_start + 1);
        DataError::NotUtf8 { at: Box::new(Location { line: at.line.map(|line| line + lines), column, ..at }) }
    })
}

/// Why there is no record.
pub(crate) enum Broken {
    /// This record is not valid; the next one can be read.
    Record(DataError),
    /// The file is damaged or cannot be read.
    File(DataError),
}

impl From<DataError> for Broken {
    /// What a [`Source`] cannot read is lost for good.
    fn from(error: DataError) -> Self {
        Self::File(error)
    }
}
