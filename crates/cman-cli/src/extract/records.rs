//! Reads the records of files, one after another.

use std::{
    io::{BufReader, Read},
    sync::{Arc, atomic::AtomicU64},
};

use cman_data::{DataError, Input, InputFormat, InputOptions, InputRecord, Location, file};
use cman_model::{Extractor, TokenizedText};

use super::{
    files::InputFile,
    position::Position,
    row::{Origin, Rejected},
};
use crate::{notes::note, sentences::script_warning};

/// Most records that are read together.
const RECORDS: u64 = 256;
/// Number of tokens from which on no record is added to those that are read together.
const TOKENS: usize = 1 << 14;

type Open = Input<BufReader<Box<dyn Read + Send>>>;

/// Records that are read together.
#[derive(Default)]
pub struct Window {
    /// Those that can be read, cut into tokens.
    pub texts: Vec<(Origin, TokenizedText)>,
    /// What cannot be read.
    pub rejected: Vec<Rejected>,
    /// Number of the records, with those that cannot be read.
    pub records: u64,
    /// The place after them.
    pub end: Position,
    /// Whether nothing follows.
    pub is_last: bool,
}

/// The records of files.
pub struct Records<'a> {
    extractor: &'a Extractor,
    files: &'a [InputFile],
    options: InputOptions,
    position: Position,
    input: Option<Open>,
    /// Number of bytes of the files that are read.
    read: Arc<AtomicU64>,
    /// Whether the warning of a script without spaces was printed.
    warned: bool,
}

impl<'a> Records<'a> {
    /// The records after `position`. `read` counts the bytes of the files that are read.
    pub fn after(
        position: Position,
        files: &'a [InputFile],
        format: Option<InputFormat>,
        extractor: &'a Extractor,
        read: Arc<AtomicU64>,
    ) -> Self {
        let tokenizer = extractor.model().config().data.tokenizer;
        let options = InputOptions { format, tokenizer, interactive: false };
        Self { extractor, files, options, position, input: None, read, warned: false }
    }

    /// The next records, at most `most`.
    pub fn window(&mut self, most: u64) -> Window {
        let mut window = Window::default();
        let mut tokens = 0;
        while window.records < most.min(RECORDS) && tokens < TOKENS {
            let Some(file) = self.files.get(self.position.files) else {
                window.is_last = true;
                break;
            };
            match self.next(file) {
                Ok(Some(record)) => {
                    window.records += 1;
                    self.position.records += 1;
                    match record {
                        Ok(record) => tokens += self.add(record, &mut window),
                        Err(error) => window.rejected.push(rejected(&error, file)),
                    }
                }
                Ok(None) => self.end_file(file, &mut window),
                Err(error) => {
                    window.rejected.push(rejected(&error, file));
                    self.end_file(file, &mut window);
                }
            }
        }
        window.end = self.position;
        window
    }

    /// The next record of the file, or why it is invalid.
    fn next(&mut self, file: &InputFile) -> Result<Option<Result<InputRecord, DataError>>, DataError> {
        let input = match &mut self.input {
            Some(input) => input,
            None => {
                let reader = BufReader::with_capacity(1 << 16, file::open_counted(&file.path, &self.read)?);
                let mut input = Input::open(reader, &file.path.to_string_lossy(), &self.options)?;
                // Records before the position are read again, but not by the model.
                for _ in 0..self.position.records {
                    input.skip()?;
                }
                self.input.insert(input)
            }
        };
        input.next()
    }

    /// Ends a file. The invalid records of a corpus table are known only now.
    fn end_file(&mut self, file: &InputFile, window: &mut Window) {
        let skipped = self.input.take().map(|input| input.skipped()).unwrap_or_default();
        let at = Location::file(&file.path);
        let reasons = skipped.groups().iter().map(ToString::to_string);
        window.rejected.extend(reasons.map(|reason| Rejected { origin: Origin::of(&at, None), reason }));
        self.position = Position { files: self.position.files + 1, records: 0 };
    }

    /// Adds a record. Returns the number of its tokens.
    fn add(&mut self, mut record: InputRecord, window: &mut Window) -> usize {
        if !self.warned
            && let Some(warning) = script_warning(&record, self.options.tokenizer)
        {
            self.warned = true;
            note(warning);
        }
        let origin = Origin::of(&record.at, record.id.take());
        match self.extractor.tokenize_record(record) {
            Ok(text) => {
                let tokens = text.tokens();
                window.texts.push((origin, text));
                tokens
            }
            Err(error) => {
                window.rejected.push(Rejected { origin, reason: error.to_string() });
                0
            }
        }
    }
}

/// What an error says of a file, without its location.
fn rejected(error: &DataError, file: &InputFile) -> Rejected {
    let at = Location { path: Some(file.path.clone()), record: error.record(), line: error.line(), column: None };
    let reason = error.to_string();
    Rejected { origin: Origin::of(&at, None), reason }
}
