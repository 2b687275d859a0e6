//! The elements of a JSON array, one by one, without holding the array.

use std::io::BufRead;

use crate::{
    DataError,
    error::{Location, Quoted},
    source::{Broken, Source},
};

/// Deepest nesting in an element.
const DEEPEST: usize = 128;

/// Finds where each object of a JSON array ends; what stands in it is left to the JSON parser.
#[derive(Default)]
pub(crate) struct Elements {
    state: State,
    /// Open brackets of the element.
    depth: usize,
    /// Most brackets that were open.
    deepest: usize,
    in_string: bool,
    escaped: bool,
}

#[derive(Default, PartialEq)]
enum State {
    #[default]
    Start,
    /// Inside an element: a fault was found in it, its end was not.
    Inside,
    /// Behind an element.
    Behind,
    End,
}

/// Whether an element may be kept.
#[derive(PartialEq)]
enum Fit {
    Whole,
    TooLong,
    TooDeep,
}

impl Elements {
    /// Reads the next element, which is record `record`, into `element`, at most `limit` bytes; its place, or nothing
    /// behind the last element.
    pub(crate) fn next<R: BufRead>(
        &mut self,
        source: &mut Source<R>,
        element: &mut Vec<u8>,
        limit: usize,
        record: usize,
    ) -> Result<Option<Location>, Broken> {
        if self.state == State::Inside {
            self.read_element(source, None)?;
        }
        if self.state == State::End {
            return Ok(None);
        }
        let first = self.state == State::Start;
        let wanted = if first { "`[`, the start of a JSON array" } else { "`,` or `]` behind a record" };
        let next = source.skip_blank()?;
        match next {
            Some(b'[') if first => {}
            Some(b',') if !first => {}
            Some(b']') if !first => return self.finish(source),
            _ => return Err(unexpected(source, next, wanted).into()),
        }
        source.consume(1)?;
        match source.skip_blank()? {
            Some(b'{') => {}
            Some(b']') if first => return self.finish(source),
            next => return Err(unexpected(source, next, "`{`, the start of a record").into()),
        }
        let at = source.place().with_record(record);
        (self.state, self.deepest) = (State::Inside, 0);
        element.clear();
        let error = match self.read_element(source, Some((element, limit)))? {
            Fit::Whole => return Ok(Some(at)),
            Fit::TooLong => DataError::TooLarge { at: Box::new(at), limit },
            Fit::TooDeep => {
                let message = format!("nested deeper than {DEEPEST} levels");
                DataError::Json { at: Box::new(at), field: None, message }
            }
        };
        Err(Broken::Record(error))
    }

    fn finish<R: BufRead>(&mut self, source: &mut Source<R>) -> Result<Option<Location>, Broken> {
        source.consume(1)?;
        self.state = State::End;
        match source.skip_blank()? {
            None => Ok(None),
            next => Err(unexpected(source, next, "nothing behind the array").into()),
        }
    }

    /// Reads on to the end of the element. Where it is to be kept, it stops early at one that is too long or too deep.
    fn read_element<R: BufRead>(
        &mut self,
        source: &mut Source<R>,
        mut keep: Option<(&mut Vec<u8>, usize)>,
    ) -> Result<Fit, DataError> {
        while self.state == State::Inside {
            let bytes = source.fill()?;
            if bytes.is_empty() {
                return Err(unexpected(source, None, "the rest of the record"));
            }
            let end = bytes.iter().position(|&byte| self.is_last(byte));
            let taken = end.map_or(bytes.len(), |end| end + 1);
            if end.is_some() {
                self.state = State::Behind;
            }
            let fit = match &mut keep {
                Some(_) if self.deepest > DEEPEST => Fit::TooDeep,
                Some((element, limit)) if *limit - element.len() < taken => Fit::TooLong,
                Some((element, _)) => {
                    element.extend_from_slice(&bytes[..taken]);
                    Fit::Whole
                }
                None => Fit::Whole,
            };
            source.consume(taken)?;
            if fit != Fit::Whole {
                return Ok(fit);
            }
        }
        Ok(Fit::Whole)
    }

    /// Follows one byte; whether it ends the element.
    fn is_last(&mut self, byte: u8) -> bool {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' if self.in_string => self.escaped = true,
            b'"' => self.in_string = !self.in_string,
            _ if self.in_string => {}
            b'{' | b'[' => {
                self.depth += 1;
                self.deepest = self.deepest.max(self.depth);
            }
            b'}' | b']' => self.depth -= 1,
            _ => {}
        }
        self.depth == 0
    }
}

/// The error for a byte that cannot stand where it stands.
pub(crate) fn unexpected<R: BufRead>(source: &Source<R>, byte: Option<u8>, expected: &str) -> DataError {
    let found = match byte {
        None => "the end of the file".to_owned(),
        Some(byte) if byte.is_ascii() => Quoted(&char::from(byte).to_string()).to_string(),
        Some(byte) => format!("the byte {byte:#04x}"),
    };
    DataError::invalid(source.place(), "", expected, found)
}
