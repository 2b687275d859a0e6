//! Streams the elements of a JSON array, one in memory at a time.

use std::io::BufRead;

use crate::{
    error::{DataError, Location, Quoted},
    source::{ReadError, Source},
};

/// Maximum nesting depth of an element.
const MAX_DEPTH: usize = 128;

/// Finds the end of each object in a JSON array. The JSON parser handles the content of the object.
#[derive(Default)]
pub(crate) struct Elements {
    state: State,
    /// Current nesting depth.
    depth: usize,
    /// Maximum nesting depth of the element so far.
    max_depth: usize,
    in_string: bool,
    escaped: bool,
}

#[derive(Default, PartialEq)]
enum State {
    #[default]
    Start,
    /// Inside an element; its end has not been read yet.
    Inside,
    /// After an element.
    After,
    End,
}

/// Whether an element is within the limits.
#[derive(PartialEq)]
enum Check {
    Ok,
    TooLong,
    TooDeep,
}

impl Elements {
    /// Reads the next element, of at most `limit` bytes, into `element`. Returns its location, or `None` after the last
    /// element. `record` is the record number for messages.
    pub(crate) fn next<R: BufRead>(
        &mut self,
        source: &mut Source<R>,
        element: &mut Vec<u8>,
        limit: usize,
        record: usize,
    ) -> Result<Option<Location>, ReadError> {
        if self.state == State::Inside {
            self.read_element(source, None)?;
        }
        if self.state == State::End {
            return Ok(None);
        }
        let first = self.state == State::Start;
        let expected = if first { "`[`, the start of a JSON array" } else { "`,` or `]` after a record" };
        let next = source.skip_blank()?;
        match next {
            Some(b'[') if first => {}
            Some(b',') if !first => {}
            Some(b']') if !first => return self.finish(source),
            _ => return Err(unexpected(source, next, expected).into()),
        }
        source.consume(1)?;
        match source.skip_blank()? {
            Some(b'{') => {}
            Some(b']') if first => return self.finish(source),
            next => return Err(unexpected(source, next, "`{`, the start of a record").into()),
        }
        let at = source.location().with_record(record);
        (self.state, self.max_depth) = (State::Inside, 0);
        element.clear();
        let error = match self.read_element(source, Some((element, limit)))? {
            Check::Ok => return Ok(Some(at)),
            Check::TooLong => DataError::TooLarge { at: Box::new(at), limit },
            Check::TooDeep => {
                let message = format!("nested deeper than {MAX_DEPTH} levels");
                DataError::Json { at: Box::new(at), field: None, message }
            }
        };
        Err(ReadError::Record(error))
    }

    fn finish<R: BufRead>(&mut self, source: &mut Source<R>) -> Result<Option<Location>, ReadError> {
        source.consume(1)?;
        self.state = State::End;
        match source.skip_blank()? {
            None => Ok(None),
            next => Err(unexpected(source, next, "nothing after the array").into()),
        }
    }

    /// Reads to the end of the element. With `keep`, it stops early if the element is too long or too deep.
    fn read_element<R: BufRead>(
        &mut self,
        source: &mut Source<R>,
        mut keep: Option<(&mut Vec<u8>, usize)>,
    ) -> Result<Check, DataError> {
        while self.state == State::Inside {
            let bytes = source.fill()?;
            if bytes.is_empty() {
                return Err(unexpected(source, None, "the rest of the record"));
            }
            let end = bytes.iter().position(|&byte| self.is_last(byte));
            let taken = end.map_or(bytes.len(), |end| end + 1);
            if end.is_some() {
                self.state = State::After;
            }
            let check = match &mut keep {
                Some(_) if self.max_depth > MAX_DEPTH => Check::TooDeep,
                Some((element, limit)) if *limit - element.len() < taken => Check::TooLong,
                Some((element, _)) => {
                    element.extend_from_slice(&bytes[..taken]);
                    Check::Ok
                }
                None => Check::Ok,
            };
            source.consume(taken)?;
            if check != Check::Ok {
                return Ok(check);
            }
        }
        Ok(Check::Ok)
    }

    /// Updates the state with one byte. Returns whether the byte ends the element.
    fn is_last(&mut self, byte: u8) -> bool {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' if self.in_string => self.escaped = true,
            b'"' => self.in_string = !self.in_string,
            _ if self.in_string => {}
            b'{' | b'[' => {
                self.depth += 1;
                self.max_depth = self.max_depth.max(self.depth);
            }
            b'}' | b']' => self.depth -= 1,
            _ => {}
        }
        self.depth == 0
    }
}

/// The error for an unexpected byte.
pub(crate) fn unexpected<R: BufRead>(source: &Source<R>, byte: Option<u8>, expected: &str) -> DataError {
    let found = match byte {
        None => "the end of the file".to_owned(),
        Some(byte) if byte.is_ascii() => Quoted(&char::from(byte).to_string()).to_string(),
        Some(byte) => format!("the byte {byte:#04x}"),
    };
    DataError::invalid(source.location(), "", expected, found)
}
