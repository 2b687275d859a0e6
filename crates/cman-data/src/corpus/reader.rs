//! Streaming reader for all corpus formats.

use std::{
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use super::{
    Format, OnError, OverlapPolicy, Report, acceptance::Acceptance, columns::ColumnParser, elements::unexpected,
    json_records::JsonRecords, multihead::TableParser, record::Record, spert,
};
use crate::{
    error::{DataError, Location},
    file::open,
    labels::Schema,
    reasons::Reasons,
    recognition::{Recognized, is_annotation, recognize},
    sentence::Sentence,
    source::{ReadError, Source},
};

/// Options for reading a corpus. [`from_path`](Self::from_path) or [`from_reader`](Self::from_reader) opens the
/// [`Reader`].
#[derive(Clone, Debug)]
pub struct ReaderBuilder {
    format: Option<Format>,
    schema: Option<Schema>,
    overlap: OverlapPolicy,
    on_error: OnError,
    all_messages: bool,
    max_record_bytes: usize,
}

impl Default for ReaderBuilder {
    fn default() -> Self {
        Self {
            format: None,
            schema: None,
            overlap: OverlapPolicy::default(),
            on_error: OnError::default(),
            all_messages: false,
            max_record_bytes: Self::MAX_RECORD_BYTES,
        }
    }
}

impl ReaderBuilder {
    /// The default of [`max_record_bytes`](Self::max_record_bytes): 16 MiB.
    pub const MAX_RECORD_BYTES: usize = 16 << 20;

    /// Options that detect the format, allow all types, keep overlaps and stop at the first error.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the format. The default is to [recognize](crate::recognize) it.
    pub fn format(self, format: Format) -> Self {
        Self { format: Some(format), ..self }
    }

    /// Allows only these types. The default is to collect the types from the file.
    pub fn schema(self, schema: Schema) -> Self {
        Self { schema: Some(schema), ..self }
    }

    /// How to treat sentences with overlapping entities.
    pub fn overlap(self, policy: OverlapPolicy) -> Self {
        Self { overlap: policy, ..self }
    }

    /// How to treat invalid records.
    pub fn on_error(self, policy: OnError) -> Self {
        Self { on_error: policy, ..self }
    }

    /// Keeps the message of every skipped record in [`Report::messages`], not only the reasons in groups.
    pub fn all_messages(self) -> Self {
        Self { all_messages: true, ..self }
    }

    /// Maximum size in bytes of a record and of a line. A longer one is an error before it is read into memory.
    pub fn max_record_bytes(self, bytes: usize) -> Self {
        Self { max_record_bytes: bytes, ..self }
    }

    /// The policy for overlapping entities.
    #[cfg(feature = "annotation")]
    pub(crate) fn overlap_policy(&self) -> OverlapPolicy {
        self.overlap
    }

    /// The policy for invalid records.
    #[cfg(feature = "annotation")]
    pub(crate) fn error_policy(&self) -> OnError {
        self.on_error
    }

    /// The allowed types.
    #[cfg(feature = "annotation")]
    pub(crate) fn allowed(&self) -> Option<&Schema> {
        self.schema.as_ref()
    }

    /// Whether the message of every skipped record is kept.
    #[cfg(feature = "annotation")]
    pub(crate) fn keeps_messages(&self) -> bool {
        self.all_messages
    }

    /// Opens a file.
    ///
    /// # Errors
    /// If the file cannot be read or is empty, or if its format is not recognised.
    pub fn from_path(&self, path: impl AsRef<Path>) -> Result<Reader<BufReader<Box<dyn Read + Send>>>, DataError> {
        let path = path.as_ref();
        if path.is_dir() {
            return Err(DataError::invalid(Location::file(path), "", "a file", "a directory"));
        }
        let file = open(path)?;
        self.from_reader(BufReader::with_capacity(1 << 16, file), path)
    }

    /// Reads from any [`BufRead`]; messages use `name` as the file name.
    ///
    /// # Errors
    /// The errors of [`from_path`](Self::from_path).
    pub fn from_reader<R: BufRead>(&self, reader: R, name: impl Into<PathBuf>) -> Result<Reader<R>, DataError> {
        let mut source = Source::new(reader, name.into())?;
        source.skip_blank()?;
        let at = Box::new(source.file());
        let expected = "a corpus (SpERT's JSON array or JSON lines, a multi-head table, tagged columns)";
        // The start of a file is in the buffer.
        let format = match (self.format, recognize(source.fill()?, false)) {
            (_, Recognized::Empty) => {
                return Err(DataError::NoSentence { at, records: 0, reasons: Reasons::default() });
            }
            (Some(format), _) | (None, Recognized::Corpus(format)) => format,
            (None, Recognized::Foreign { what, hint }) => {
                let convert = "`cman convert FILE train.json --to spert` converts it";
                let hint = if is_annotation(&what) { Some(convert.to_owned()) } else { hint };
                return Err(DataError::Foreign { at, expected, found: what, hint });
            }
            (None, Recognized::Text) => match source.peek()? {
                // A damaged file is reported at the place of the damage.
                Some(b'[') => Format::Spert,
                Some(b'#') => Format::Multihead,
                byte => return Err(unexpected(&source, byte, expected)),
            },
        };
        let records = match format {
            Format::Spert => Records::Json(JsonRecords::array()),
            Format::JsonLines => Records::Json(JsonRecords::lines()),
            Format::Multihead => Records::Multihead(TableParser::default()),
            Format::Columns => Records::Columns(ColumnParser::default()),
        };
        Ok(Reader {
            source,
            records,
            acceptance: Acceptance::new(self.schema.clone(), self.overlap),
            options: Self { schema: None, format: Some(format), ..*self },
            done: false,
        })
    }
}

/// An iterator over the sentences of a corpus.
///
/// Only one record is in memory at a time. The iterator ends after the first error.
///
/// ```
/// use cman_data::ReaderBuilder;
///
/// # fn main() -> Result<(), cman_data::DataError> {
/// let json = r#"[{"tokens": ["Ann", "left", "Rome", "."],
///   "entities": [{"type": "Peop", "start": 0, "end": 1}, {"type": "Loc", "start": 2, "end": 3}],
///   "relations": [{"type": "Live_In", "head": 0, "tail": 1}], "orig_id": 7}]"#;
/// let mut reader = ReaderBuilder::new().from_reader(json.as_bytes(), "example")?;
/// let sentence = reader.next().expect("a sentence")?;
/// assert_eq!((sentence.id.as_str(), sentence.span_text(2..3).as_str()), ("7", "Rome"));
/// assert!(reader.next().is_none());
/// assert_eq!(reader.schema().entities.names(), ["Peop", "Loc"]);
/// # Ok(())
/// # }
/// ```
pub struct Reader<R> {
    source: Source<R>,
    records: Records,
    acceptance: Acceptance,
    options: ReaderBuilder,
    done: bool,
}

enum Records {
    Json(JsonRecords),
    Multihead(TableParser),
    Columns(ColumnParser),
}

impl<R: BufRead> Reader<R> {
    /// The name of the file.
    pub fn name(&self) -> &Path {
        self.source.path()
    }

    /// The format of the file.
    pub fn format(&self) -> Format {
        self.options.format.expect("set when the reader is made")
    }

    /// The given types, or the types that have occurred so far.
    pub fn schema(&self) -> &Schema {
        &self.acceptance.schema
    }

    /// Anomalies so far.
    pub fn report(&self) -> &Report {
        &self.acceptance.report
    }

    /// The types and the report.
    pub fn into_parts(self) -> (Schema, Report) {
        (self.acceptance.schema, self.acceptance.report)
    }

    /// Reads the next record without validating it; `None` at the end.
    fn read(&mut self) -> Result<Option<Record>, ReadError> {
        let number = self.acceptance.report.records + 1;
        let limit = self.options.max_record_bytes;
        let read = match &mut self.records {
            Records::Multihead(table) => table.next(&mut self.source, number, limit),
            Records::Columns(columns) => columns.next(&mut self.source, number, limit),
            Records::Json(records) => match records.next(&mut self.source, number, limit) {
                Ok(Some((at, json))) => {
                    let record = spert::parse(json, &at).map_err(ReadError::Record);
                    match at.line.filter(|_| self.options.format == Some(Format::JsonLines)) {
                        Some(line) => record.map(|record| Some(record.on_line(line))),
                        None => record.map(Some),
                    }
                }
                Ok(None) => Ok(None),
                Err(error) => Err(error),
            },
        };
        if matches!(read, Ok(Some(_)) | Err(ReadError::Record(_))) {
            self.acceptance.report.records = number;
        }
        read
    }

    /// Merges duplicates and validates a record; `None` if the overlap policy drops it.
    fn accept(&mut self, record: Record) -> Result<Option<Sentence>, ReadError> {
        let file = self.source.file().with_record(self.acceptance.report.records);
        self.acceptance.accept(record, &file).map_err(ReadError::Record)
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Sentence, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.done {
            let accepted = match self.read() {
                Ok(Some(record)) => self.accept(record),
                Ok(None) => {
                    self.done = true;
                    let at = Box::new(self.source.file());
                    let (records, reasons) = (self.acceptance.report.records, self.acceptance.report.reasons.clone());
                    let none = self.acceptance.report.sentences == 0;
                    return none.then_some(Err(DataError::NoSentence { at, records, reasons }));
                }
                Err(error) => Err(error),
            };
            match accepted {
                Ok(Some(sentence)) => return Some(Ok(sentence)),
                Ok(None) => {}
                Err(ReadError::Record(error)) if self.options.on_error == OnError::Skip => {
                    self.acceptance.report.skip(&error, self.options.all_messages);
                }
                Err(ReadError::Record(error) | ReadError::File(error)) => {
                    self.done = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}
