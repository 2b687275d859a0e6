//! Sentences to predict, from text, JSON records or a corpus file.

mod format;
mod record;

use std::io::{self, BufRead, Chain, Cursor, Read};

pub use format::InputFormat;
pub use record::InputRecord;

use crate::{
    corpus::{Format, JsonRecords, OnError, Reader, ReaderBuilder},
    error::{DataError, Location},
    lines::LineKind,
    reasons::Reasons,
    recognition::{Recognized, recognize},
    source::{ReadError, Source, text},
    tokenize::TokenizerConfig,
};

/// Number of bytes that an input is recognized from.
const START: usize = 16 << 10;
/// Maximum size of a line or record in bytes.
const LIMIT: usize = ReaderBuilder::MAX_RECORD_BYTES;

/// A reader of sentences to predict. Its input is lines of text, JSON records with `text` or `tokens` in an array or one
/// per line, or any [corpus format](Format), whose annotation is ignored.
///
/// ```
/// use cman_data::{Input, InputOptions};
///
/// # fn main() -> Result<(), cman_data::DataError> {
/// let json = r#"[{"id": 7, "text": "Ann left. She ran."}, {"tokens": ["Bob", "left"]}]"#;
/// let mut input = Input::open(json.as_bytes(), "example", &InputOptions::default())?;
/// let first = input.next()?.expect("a record")?;
/// assert_eq!((first.sentences.len(), first.id.expect("an id").get()), (2, "7"));
/// # Ok(())
/// # }
/// ```
pub struct Input<R> {
    records: Records<Stream<R>>,
    tokenizer: TokenizerConfig,
    /// Number of records so far.
    number: usize,
}

/// The start, which was read to recognize the input, and the rest.
type Stream<R> = Chain<Cursor<Vec<u8>>, R>;

enum Records<R> {
    Text { source: Source<R>, buffer: Vec<u8> },
    Json { source: Source<R>, records: JsonRecords },
    Corpus(Box<Reader<R>>),
}

/// Options of [`Input`].
#[derive(Clone, Debug, Default)]
pub struct InputOptions {
    /// The format. The default is to [recognize](crate::recognize) it.
    pub format: Option<InputFormat>,
    /// The tokenizer for text.
    pub tokenizer: TokenizerConfig,
    /// Whether a person types the input: it is then recognized from its first line.
    pub interactive: bool,
}

impl<R: BufRead> Input<R> {
    /// Opens an input; messages use `name` as the file name.
    ///
    /// # Errors
    /// [`DataError::Foreign`] if the input is recognized as something else than text or sentences, [`DataError::Io`] if
    /// it cannot be read.
    pub fn open(mut input: R, name: &str, options: &InputOptions) -> Result<Self, DataError> {
        let (start, complete) =
            read_start(&mut input, options.interactive).map_err(|error| DataError::io(name, error))?;
        let format = match (options.format, recognize(&start, complete)) {
            // A corpus without records is an error to its reader; an input may be empty.
            (Some(_), Recognized::Empty) if complete => InputFormat::Text,
            (Some(format), _) => format,
            (None, Recognized::Corpus(format)) => InputFormat::Corpus(format),
            (None, Recognized::Empty | Recognized::Text) => InputFormat::Text,
            (None, Recognized::Foreign { what, hint }) => {
                let expected = "text, JSON records with `text` or `tokens`, or a corpus";
                return Err(DataError::Foreign { at: Box::new(Location::file(name)), expected, found: what, hint });
            }
        };
        let stream = Cursor::new(start).chain(input);
        let records = match format {
            InputFormat::Corpus(Format::Spert) => {
                Records::Json { source: Source::new(stream, name.into())?, records: JsonRecords::array() }
            }
            InputFormat::Corpus(Format::JsonLines) => {
                Records::Json { source: Source::new(stream, name.into())?, records: JsonRecords::lines() }
            }
            InputFormat::Corpus(format) => {
                let options = ReaderBuilder::new().format(format).on_error(OnError::Skip);
                Records::Corpus(Box::new(options.from_reader(stream, name)?))
            }
            InputFormat::Text => Records::Text { source: Source::new(stream, name.into())?, buffer: Vec::new() },
        };
        Ok(Self { records, tokenizer: options.tokenizer, number: 0 })
    }

    /// The next record, or the reason why it is invalid; `None` at the end. Reading goes on after an invalid record,
    /// except in a corpus table, whose invalid records are only [counted](Self::skipped).
    ///
    /// # Errors
    /// If the input is damaged or cannot be read.
    #[allow(clippy::should_implement_trait)] // an invalid record does not end the input, an error does
    pub fn next(&mut self) -> Result<Option<Result<InputRecord, DataError>>, DataError> {
        self.number += 1;
        let read = match &mut self.records {
            Records::Text { source, buffer } => read_text(source, buffer, &self.tokenizer),
            Records::Json { source, records } => {
                records.next(source, self.number, LIMIT).and_then(|record| match record {
                    Some((at, json)) => {
                        InputRecord::from_json(json, at, &self.tokenizer).map(Some).map_err(ReadError::Record)
                    }
                    None => Ok(None),
                })
            }
            Records::Corpus(reader) => match reader.next() {
                None | Some(Err(DataError::NoSentence { .. })) => Ok(None),
                Some(Ok(sentence)) => Ok(Some(InputRecord::from_sentence(
                    sentence,
                    Location::file(reader.name()).with_record(self.number),
                ))),
                Some(Err(error)) => Err(ReadError::File(error)),
            },
        };
        match read {
            Ok(record) => Ok(record.map(Ok)),
            Err(ReadError::Record(error)) => Ok(Some(Err(error))),
            Err(ReadError::File(error)) => Err(error),
        }
    }

    /// Passes over the next record without looking at it. False at the end.
    ///
    /// # Errors
    /// If the input is damaged or cannot be read.
    pub fn skip(&mut self) -> Result<bool, DataError> {
        self.number += 1;
        let skipped = match &mut self.records {
            Records::Text { source, buffer } => read_line(source, buffer).map(|at| at.is_some()),
            Records::Json { source, records } => {
                records.next(source, self.number, LIMIT).map(|record| record.is_some())
            }
            Records::Corpus(_) => return Ok(self.next()?.is_some()),
        };
        match skipped {
            Ok(is_record) => Ok(is_record),
            Err(ReadError::Record(_)) => Ok(true),
            Err(ReadError::File(error)) => Err(error),
        }
    }

    /// Why records of a corpus table were skipped so far.
    pub fn skipped(&self) -> Reasons {
        match &self.records {
            Records::Corpus(reader) => reader.report().reasons.clone(),
            Records::Text { .. } | Records::Json { .. } => Reasons::default(),
        }
    }
}

/// The next line of text that is not blank.
fn read_text<R: BufRead>(
    source: &mut Source<R>,
    buffer: &mut Vec<u8>,
    tokenizer: &TokenizerConfig,
) -> Result<Option<InputRecord>, ReadError> {
    let Some(at) = read_line(source, buffer)? else { return Ok(None) };
    let line = text(buffer, at.clone()).map_err(ReadError::Record)?;
    Ok(Some(InputRecord::from_text(line, at, tokenizer)))
}

/// Reads the next line that is not blank into `buffer`.
fn read_line<R: BufRead>(source: &mut Source<R>, buffer: &mut Vec<u8>) -> Result<Option<Location>, ReadError> {
    loop {
        let at = source.location();
        let of_line = Location { column: None, ..at.clone() };
        match source.read_line(buffer, LIMIT)? {
            LineKind::End => return Ok(None),
            LineKind::TooLong => {
                return Err(ReadError::Record(DataError::TooLarge { at: Box::new(of_line), limit: LIMIT }));
            }
            LineKind::Text if text(buffer, at).map_err(ReadError::Record)?.trim().is_empty() => {}
            LineKind::Text => return Ok(Some(of_line)),
        }
    }
}

/// The first bytes of an input, and whether they are all of it.
fn read_start(input: &mut impl BufRead, interactive: bool) -> io::Result<(Vec<u8>, bool)> {
    let mut start = Vec::new();
    while start.len() < START && !(interactive && start.contains(&b'\n')) {
        let bytes = match input.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            bytes => bytes?,
        };
        if bytes.is_empty() {
            return Ok((start, true));
        }
        start.extend_from_slice(bytes);
        let taken = bytes.len();
        input.consume(taken);
    }
    Ok((start, false))
}
