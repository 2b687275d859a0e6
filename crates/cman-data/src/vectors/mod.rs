//! Word vectors in the formats of GloVe and word2vec.

mod binary;

use std::{
    collections::HashSet,
    fmt,
    fs::File,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use flate2::bufread::MultiGzDecoder;
use serde::Serialize;

use crate::{
    error::{DataError, Location, Quoted},
    lines::LineKind,
    recognition::{Recognized, recognize_binary},
    source::Source,
};

/// Maximum size of a line in bytes.
const MAX_LINE: usize = 1 << 20;

/// An iterator over the words of a vector file and their vectors, with one line in memory at a time.
///
/// A line holds a word and its values, separated by single spaces or tabs. The header of word2vec (number of words and
/// width) is optional. After a header the values may also be binary, as in `GoogleNews-vectors`. gzip is detected from the first bytes of the file. The first vector sets the width for all
/// others. A word may contain spaces, as in GloVe's largest file, except in the first line: the word is everything
/// before the last `width` values.
///
/// Repeated words (the first vector is kept) and words that are not UTF-8 occur in public files; they are skipped and
/// counted in the [`report`](Self::report). Anything else is an error that ends iteration: a different width, a field
/// that is not a finite number, a line without a word, or a number of lines that differs from the header.
///
/// ```
/// use cman_data::VectorReader;
///
/// # fn main() -> Result<(), cman_data::DataError> {
/// let mut vectors = VectorReader::from_reader("the 0.1 0.2\ncat -1 3e-2\n".as_bytes(), "example")?;
/// assert_eq!(vectors.width(), 2);
/// assert_eq!(vectors.next().expect("a vector")?, ("the".to_owned(), vec![0.1, 0.2]));
/// # Ok(())
/// # }
/// ```
pub struct VectorReader<'a> {
    source: Source<Box<dyn BufRead + 'a>>,
    width: usize,
    /// Number of vectors in the header.
    declared: Option<usize>,
    /// Whether the values are binary.
    binary: bool,
    /// The first line, if it is a vector.
    first: Option<Vec<u8>>,
    buffer: Vec<u8>,
    line: usize,
    words: HashSet<Box<str>>,
    report: VectorReport,
    done: bool,
}

/// A word and its values; the word is `None` if it is not UTF-8.
type Entry = (Option<String>, Vec<f32>);

/// Counts of the lines of a vector file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct VectorReport {
    /// Number of vectors returned.
    pub words: usize,
    /// Lines skipped because their word is repeated.
    pub duplicates: usize,
    /// Lines skipped because their word is not UTF-8.
    pub not_utf8: usize,
}

impl fmt::Display for VectorReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} vectors", self.words)?;
        if self.duplicates > 0 {
            write!(f, ", {} skipped (repeated word)", self.duplicates)?;
        }
        if self.not_utf8 > 0 {
            write!(f, ", {} skipped (word is not UTF-8)", self.not_utf8)?;
        }
        Ok(())
    }
}

impl VectorReader<'static> {
    /// Opens a file.
    ///
    /// # Errors
    /// If the file cannot be read, has no vectors, or starts with an invalid line.
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self, DataError> {
        let path = path.as_ref();
        if path.is_dir() {
            return Err(DataError::invalid(Location::file(path), "", "a file", "a directory"));
        }
        let file = File::open(path).map_err(|source| DataError::io(path, source))?;
        Self::from_reader(BufReader::with_capacity(1 << 16, file), path)
    }
}

impl<'a> VectorReader<'a> {
    /// Reads from any [`BufRead`]; messages use `name` as the file name.
    ///
    /// # Errors
    /// The errors of [`from_path`](VectorReader::from_path).
    pub fn from_reader(reader: impl BufRead + 'a, name: impl Into<PathBuf>) -> Result<Self, DataError> {
        let path = name.into();
        let source = Source::new(decompress(reader, &path)?, path)?;
        let mut vectors = Self {
            source,
            width: 0,
            declared: None,
            binary: false,
            first: None,
            buffer: Vec::new(),
            line: 0,
            words: HashSet::new(),
            report: VectorReport::default(),
            done: false,
        };
        vectors.read_first_line()?;
        Ok(vectors)
    }

    /// Reads the first line and sets the width.
    fn read_first_line(&mut self) -> Result<(), DataError> {
        if !self.read_line()? {
            return Err(self.empty());
        }
        let parts: Vec<&[u8]> = self.buffer.split(is_separator).collect();
        if let [count, width] = parts[..]
            && let (Some(count), Some(width)) = (parse_count(count), parse_count(width))
        {
            self.declared = Some(count);
            self.width = width;
            self.binary = binary::is_binary(self.source.fill()?, width);
            if count == 0 {
                return Err(self.empty());
            }
        } else {
            self.width = parts.len() - 1;
            self.first = Some(std::mem::take(&mut self.buffer));
        }
        if self.width == 0 {
            return Err(self.fail("", "a word and its values", "no values".into()));
        }
        Ok(())
    }

    /// The width of the vectors.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Counts of the lines read so far.
    pub fn report(&self) -> VectorReport {
        self.report
    }

    /// Reads a line into the buffer, without trailing separators. Returns `false` at the end of the file.
    fn read_line(&mut self) -> Result<bool, DataError> {
        let at = Location { column: None, ..self.source.location() };
        self.line = at.line.unwrap_or_default();
        match self.source.read_line(&mut self.buffer, MAX_LINE)? {
            LineKind::End => Ok(false),
            LineKind::TooLong => Err(DataError::TooLarge { at: Box::new(at), limit: MAX_LINE }),
            LineKind::Text => {
                while self.buffer.last().is_some_and(is_separator) {
                    self.buffer.pop();
                }
                Ok(true)
            }
        }
    }

    fn fail(&self, field: &str, expected: impl Into<String>, found: String) -> DataError {
        DataError::invalid(self.source.file().with_line(self.line), field, expected, found)
    }

    fn empty(&self) -> DataError {
        DataError::invalid(self.source.file(), "", "word vectors", "none")
    }

    /// The next vector; `None` at the end.
    fn read(&mut self) -> Result<Option<(String, Vec<f32>)>, DataError> {
        loop {
            let Some((word, vector)) = self.entry()? else { return self.finish() };
            let lines = self.report.words + self.report.duplicates + self.report.not_utf8;
            if let Some(declared) = self.declared.filter(|&declared| lines == declared) {
                return Err(self.fail("", format!("the end of the file after {declared} vectors"), "more".into()));
            }
            match word {
                None => self.report.not_utf8 += 1,
                Some(word) if self.words.contains(word.as_str()) => self.report.duplicates += 1,
                Some(word) => {
                    self.words.insert(word.as_str().into());
                    self.report.words += 1;
                    return Ok(Some((word, vector)));
                }
            }
        }
    }

    /// The next entry; `None` at the end.
    fn entry(&mut self) -> Result<Option<Entry>, DataError> {
        if self.binary {
            let Some((word, vector)) = binary::read(&mut self.source, self.width)? else { return Ok(None) };
            if let Some(value) = vector.iter().find(|value| !value.is_finite()) {
                let word = Quoted(&String::from_utf8_lossy(&word)).to_string();
                let found = format!("{value} for {word}");
                return Err(DataError::invalid(self.source.file(), "", "finite numbers", found));
            }
            return Ok(Some((String::from_utf8(word).ok(), vector)));
        }
        match self.first.take() {
            Some(first) => self.buffer = first,
            None => {
                if !self.read_line()? {
                    return Ok(None);
                }
            }
        }
        self.split().map(Some)
    }

    fn finish(&self) -> Result<Option<(String, Vec<f32>)>, DataError> {
        let lines = self.report.words + self.report.duplicates + self.report.not_utf8;
        match self.declared {
            Some(declared) if declared != lines => {
                let at = self.source.file();
                Err(DataError::invalid(at, "", format!("{declared} vectors as in the header"), lines.to_string()))
            }
            _ if self.report.words == 0 => Err(self.empty()),
            _ => Ok(None),
        }
    }

    /// Splits the line into word and values; the word is `None` if it is not UTF-8.
    fn split(&self) -> Result<Entry, DataError> {
        let mut parts: Vec<&[u8]> = self.buffer.rsplitn(self.width.saturating_add(1), is_separator).collect();
        let n_values = parts.len() - 1;
        let word = parts.pop().unwrap_or_default();
        if word.is_empty() {
            return Err(self.fail("", "a word and its values", "no word".into()));
        }
        // A word with spaces must not end in a number: such a line is a vector that is too long.
        let extra = word.split(is_separator).skip(1).filter(|part| parse_value(part).is_some()).count();
        let ends_in_number = word.rsplit(is_separator).next().is_some_and(|part| parse_value(part).is_some());
        if n_values < self.width || (extra > 0 && ends_in_number) {
            return Err(self.fail("", format!("{} values", self.width), (n_values + extra).to_string()));
        }
        let mut vector = Vec::with_capacity(self.width);
        for (i, part) in parts.into_iter().rev().enumerate() {
            match parse_value(part) {
                Some(value) if value.is_finite() => vector.push(value),
                _ => {
                    let found = Quoted(&String::from_utf8_lossy(part)).to_string();
                    return Err(self.fail(&format!("value {}", i + 1), "a finite number", found));
                }
            }
        }
        Ok((std::str::from_utf8(word).ok().map(str::to_owned), vector))
    }
}

impl Iterator for VectorReader<'_> {
    type Item = Result<(String, Vec<f32>), DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let read = self.read();
        self.done = !matches!(read, Ok(Some(_)));
        read.transpose()
    }
}

fn is_separator(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn parse_count(bytes: &[u8]) -> Option<usize> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

fn parse_value(bytes: &[u8]) -> Option<f32> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

/// Decompresses the stream if it starts with the magic bytes of gzip. Other binary files are refused by their name.
fn decompress<'a>(mut reader: impl BufRead + 'a, path: &Path) -> Result<Box<dyn BufRead + 'a>, DataError> {
    let mut start = Vec::new();
    reader.by_ref().take(2).read_to_end(&mut start).map_err(|source| DataError::io(path, source))?;
    let compressed = start == *b"\x1F\x8B";
    // What is in the buffer; an error is reported when it is read.
    let known = [&start, reader.fill_buf().unwrap_or_default()].concat();
    if let Some(Recognized::Foreign { what, hint }) = recognize_binary(&known).filter(|_| !compressed) {
        let expected = "word vectors (text, also with gzip, or word2vec's binary format)";
        return Err(DataError::Foreign { at: Box::new(Location::file(path)), expected, found: what, hint });
    }
    let reader = std::io::Cursor::new(start).chain(reader);
    Ok(if compressed { Box::new(BufReader::new(MultiGzDecoder::new(reader))) } else { Box::new(reader) })
}
