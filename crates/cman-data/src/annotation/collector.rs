//! Collects the sentences and losses of the documents of a format.

use std::io::BufRead;

use serde::de::DeserializeOwned;

use super::{
    annotation_source::AnnotationSource,
    document::Document,
    losses::{LossKind, Losses},
    options::AnnotationOptions,
};
use crate::{
    corpus::{JsonRecords, OnError, ReaderBuilder, Report},
    error::{DataError, Location},
    id::Id,
    reasons::Reasons,
    sentence::Sentence,
    source::{ReadError, Source},
};

/// Maximum size of a record in bytes.
const LIMIT: usize = ReaderBuilder::MAX_RECORD_BYTES;

/// The sentences and losses so far.
pub(super) struct Collector<'a> {
    pub(super) options: &'a AnnotationOptions,
    pub(super) losses: Losses,
    sentences: Vec<Sentence>,
    records: usize,
    reasons: Reasons,
    /// The invalid records.
    report: Report,
    /// The sentences that are a document alone.
    alone: Vec<usize>,
}

impl<'a> Collector<'a> {
    pub(super) fn new(options: &'a AnnotationOptions) -> Self {
        Self {
            options,
            losses: Losses::default(),
            sentences: Vec::new(),
            records: 0,
            reasons: Reasons::default(),
            report: Report::default(),
            alone: Vec::new(),
        }
    }

    /// Adds a document at location `at`.
    pub(super) fn add(&mut self, document: &Document, at: &Location) -> Result<(), DataError> {
        let sentences = document.sentences(self.options, at, &mut self.losses)?;
        if sentences.is_empty() {
            self.reasons.add("no tokens", at.message("no tokens"));
        }
        if sentences.len() == 1 {
            self.alone.push(self.sentences.len());
        }
        self.sentences.extend(sentences);
        Ok(())
    }

    /// Counts a loss at location `at`.
    pub(super) fn lose(&mut self, kind: LossKind, at: &Location, what: &str) {
        self.losses.add(kind, if what.is_empty() { at.to_string() } else { at.message(what) });
    }

    /// Counts a document that is not accepted.
    pub(super) fn reject(&mut self, at: &Location, what: &str) {
        self.lose(LossKind::NotAccepted, at, what);
        self.reasons.add("not accepted", at.message("not accepted"));
    }

    /// Counts a record. Returns its error, unless invalid records are skipped.
    pub(super) fn record(&mut self, read: Result<(), DataError>) -> Result<(), DataError> {
        self.records += 1;
        match read {
            Err(error) if self.options.on_error == OnError::Skip => {
                self.reasons.add(&error.reason(), error.to_string());
                self.losses.add(LossKind::InvalidRecord, error.to_string());
                self.report.skip(&error, true);
                Ok(())
            }
            read => read,
        }
    }

    /// The sentences, the losses and the report of the file or folder.
    pub(super) fn finish(mut self, source: AnnotationSource) -> Result<(Vec<Sentence>, Losses, Report), DataError> {
        if self.sentences.is_empty() {
            let at = Box::new(source.location());
            return Err(DataError::NoSentence { at, records: self.records, reasons: self.reasons });
        }
        // Where documents are divided, every id is that of its document and a number.
        if self.alone.len() < self.sentences.len() {
            for &i in &self.alone {
                let id = &mut self.sentences[i].id;
                *id = Id::name(format!("{id}-1"));
            }
        }
        self.report.records = self.records;
        Ok((self.sentences, self.losses, self.report))
    }

    /// Reads the records of a JSON array, or one record per line. `read` gets the location of the record.
    pub(super) fn read_json<T: DeserializeOwned>(
        &mut self,
        source: AnnotationSource,
        mut read: impl FnMut(&mut Self, T, &Location) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        let mut records = RecordFile::open(source)?;
        loop {
            let record = match records.next(self.records + 1) {
                Ok(None) => return Ok(()),
                Ok(Some((at, json))) => parse(json, &at).map(|record| (Location { column: None, ..at }, record)),
                Err(ReadError::Record(error)) => Err(error),
                Err(ReadError::File(error)) => return Err(error),
            };
            let read = record.and_then(|(at, record)| read(self, record, &at));
            self.record(read)?;
        }
    }
}

/// Parses a record at location `at`.
fn parse<T: DeserializeOwned>(json: &str, at: &Location) -> Result<T, DataError> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let value = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| DataError::json_path(at.clone(), &error))?;
    deserializer.end().map_err(|error| DataError::json(at.clone(), None, &error))?;
    Ok(value)
}

/// A file of JSON records: an array, or one record per line.
pub(super) struct RecordFile<'a> {
    source: Source<Box<dyn BufRead + 'a>>,
    records: JsonRecords,
}

impl<'a> RecordFile<'a> {
    pub(super) fn open(file: AnnotationSource<'a>) -> Result<Self, DataError> {
        let mut source = Source::new(file.open()?, file.name().to_owned())?;
        let records = if source.skip_blank()? == Some(b'[') { JsonRecords::array() } else { JsonRecords::lines() };
        Ok(Self { source, records })
    }

    /// The next record, which has this number, and its location.
    pub(super) fn next(&mut self, number: usize) -> Result<Option<(Location, &str)>, ReadError> {
        self.records.next(&mut self.source, number, LIMIT)
    }
}
