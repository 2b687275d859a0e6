//! Streams the records of a JSON array or of JSON lines, one in memory at a time.

use std::io::BufRead;

use super::elements::Elements;
use crate::{
    error::{DataError, Location},
    lines::LineKind,
    source::{ReadError, Source, text},
};

/// Finds one record after another.
pub(crate) struct JsonRecords {
    shape: Shape,
    buffer: Vec<u8>,
}

enum Shape {
    Array(Elements),
    Lines,
}

impl JsonRecords {
    /// The elements of an array.
    pub(crate) fn array() -> Self {
        Self { shape: Shape::Array(Elements::default()), buffer: Vec::new() }
    }

    /// One record per line. Blank lines are skipped.
    pub(crate) fn lines() -> Self {
        Self { shape: Shape::Lines, buffer: Vec::new() }
    }

    /// The next record, of at most `limit` bytes, with its location; `None` at the end. `record` is its number.
    pub(crate) fn next<R: BufRead>(
        &mut self,
        source: &mut Source<R>,
        record: usize,
        limit: usize,
    ) -> Result<Option<(Location, &str)>, ReadError> {
        let at = match &mut self.shape {
            Shape::Array(elements) => elements.next(source, &mut self.buffer, limit, record)?,
            Shape::Lines => loop {
                let at = source.location().with_record(record);
                match source.read_line(&mut self.buffer, limit)? {
                    LineKind::End => break None,
                    LineKind::Text if self.buffer.iter().all(u8::is_ascii_whitespace) => {}
                    LineKind::Text => break Some(at),
                    LineKind::TooLong => {
                        return Err(ReadError::Record(DataError::TooLarge { at: Box::new(at), limit }));
                    }
                }
            },
        };
        let Some(at) = at else { return Ok(None) };
        let json = text(&self.buffer, at.clone()).map_err(ReadError::Record)?;
        Ok(Some((at, json)))
    }
}
