//! Word vectors in text form: GloVe's files and word2vec's.

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
    source::Source,
};

/// Most bytes of a line.
const LONGEST_LINE: usize = 1 << 20;

/// An iterator over the words of a vector file with their vectors, one line in memory at a time.
///
/// A line is a word and its numbers with single spaces or tabs between them; word2vec's first line, with the number of
/// words and the width, may be there or not. gzip is recognised by the file's first bytes. All vectors have the width
/// of the first one. A word may itself have spaces in it, as in GloVe's largest file: what stands before the last
/// `width` numbers is the word (not in the very first line, which tells the width).
///
/// Two oddities of public files are passed over, and counted in the [`report`](Self::report): a word that was there
/// before (the first vector wins), and a word that is not UTF-8. Everything else is an error, behind which nothing
/// comes: another width, a number that is none or is not finite, a line without a word, fewer or more lines than the
/// first line announces.
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
    /// Vectors announced by the first line.
    announced: Option<usize>,
    /// A first line that is already a vector.
    first: Option<Vec<u8>>,
    buffer: Vec<u8>,
    line: usize,
    words: HashSet<Box<str>>,
    report: VectorReport,
    done: bool,
}

/// What was in a vector file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct VectorReport {
    /// Vectors given out.
    pub words: usize,
    /// Lines passed over because their word was there before.
    pub duplicates: usize,
    /// Lines passed over because their word is not UTF-8.
    pub not_utf8: usize,
}

impl fmt::Display for VectorReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} vectors", self.words)?;
        if self.duplicates > 0 {
            write!(f, ", {} passed over for a word seen before", self.duplicates)?;
        }
        if self.not_utf8 > 0 {
            write!(f, ", {} passed over for a word that is not UTF-8", self.not_utf8)?;
        }
        Ok(())
    }
}

impl VectorReader<'static> {
    /// A reader of a file.
    ///
    /// # Errors
    /// If the file cannot be read, has no vector, or starts with a line that is none.
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
    /// A reader of anything that gives bytes; `name` stands for the file's name in messages.
    ///
    /// # Errors
    /// As [`from_path`](VectorReader::from_path).
    pub fn from_reader(reader: impl BufRead + 'a, name: impl Into<PathBuf>) -> Result<Self, DataError> {
        let path = name.into();
        let source = Source::new(unzip(reader, &path)?, path)?;
        let mut vectors = Self {
            source,
            width: 0,
            announced: None,
            first: None,
            buffer: Vec::new(),
            line: 0,
            words: HashSet::new(),
            report: VectorReport::default(),
            done: false,
        };
        vectors.start()?;
        Ok(vectors)
    }

    /// Reads the first line, which tells the width.
    fn start(&mut self) -> Result<(), DataError> {
        if !self.read_line()? {
            return Err(self.empty());
        }
        let parts: Vec<&[u8]> = self.buffer.split(is_gap).collect();
        if let [count, width] = parts[..]
            && let (Some(count), Some(width)) = (whole(count), whole(width))
        {
            self.announced = Some(count);
            self.width = width;
            if count == 0 {
                return Err(self.empty());
            }
        } else {
            self.width = parts.len() - 1;
            self.first = Some(std::mem::take(&mut self.buffer));
        }
        if self.width == 0 {
            return Err(self.fail("", "a word and its numbers", "no number".into()));
        }
        Ok(())
    }

    /// The width of the vectors.
    pub fn width(&self) -> usize {
        self.width
    }

    /// What was in the file so far.
    pub fn report(&self) -> VectorReport {
        self.report
    }

    /// Reads a line into the buffer, without spaces at its end; `false` at the end of the file.
    fn read_line(&mut self) -> Result<bool, DataError> {
        let at = Location { column: None, ..self.source.place() };
        self.line = at.line.unwrap_or_default();
        match self.source.read_line(&mut self.buffer, LONGEST_LINE)? {
            LineKind::End => Ok(false),
            LineKind::TooLong => Err(DataError::TooLarge { at: Box::new(at), limit: LONGEST_LINE }),
            LineKind::Text => {
                while self.buffer.last().is_some_and(is_gap) {
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

    /// The next vector; nothing at the end.
    fn read(&mut self) -> Result<Option<(String, Vec<f32>)>, DataError> {
        loop {
            match self.first.take() {
                Some(first) => self.buffer = first,
                None => {
                    if !self.read_line()? {
                        return self.finish();
                    }
                }
            }
            let lines = self.report.words + self.report.duplicates + self.report.not_utf8;
            if let Some(announced) = self.announced.filter(|&announced| lines == announced) {
                return Err(self.fail("", format!("the end of the file after {announced} vectors"), "more".into()));
            }
            let (word, vector) = self.split()?;
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

    fn finish(&self) -> Result<Option<(String, Vec<f32>)>, DataError> {
        let lines = self.report.words + self.report.duplicates + self.report.not_utf8;
        match self.announced {
            Some(announced) if announced != lines => {
                let at = self.source.file();
                Err(DataError::invalid(
                    at,
                    "",
                    format!("{announced} vectors, as the first line says"),
                    lines.to_string(),
                ))
            }
            _ if self.report.words == 0 => Err(self.empty()),
            _ => Ok(None),
        }
    }

    /// Takes the line apart; the word is missing if it is not UTF-8.
    fn split(&self) -> Result<(Option<String>, Vec<f32>), DataError> {
        let mut parts: Vec<&[u8]> = self.buffer.rsplitn(self.width.saturating_add(1), is_gap).collect();
        let n_numbers = parts.len() - 1;
        let word = parts.pop().unwrap_or_default();
        if word.is_empty() {
            return Err(self.fail("", "a word and its numbers", "no word".into()));
        }
        // A word with spaces may end in anything but a number: that would be a vector that is too long.
        let extra = word.split(is_gap).skip(1).filter(|part| number(part).is_some()).count();
        let ends_in_number = word.rsplit(is_gap).next().is_some_and(|part| number(part).is_some());
        if n_numbers < self.width || (extra > 0 && ends_in_number) {
            return Err(self.fail("", format!("{} numbers", self.width), (n_numbers + extra).to_string()));
        }
        let mut vector = Vec::with_capacity(self.width);
        for (i, part) in parts.into_iter().rev().enumerate() {
            match number(part) {
                Some(value) if value.is_finite() => vector.push(value),
                _ => {
                    let found = Quoted(&String::from_utf8_lossy(part)).to_string();
                    return Err(self.fail(&format!("number {}", i + 1), "a finite number", found));
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

fn is_gap(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn whole(bytes: &[u8]) -> Option<usize> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

fn number(bytes: &[u8]) -> Option<f32> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

/// The text of a stream that may be packed with gzip.
fn unzip<'a>(mut reader: impl BufRead + 'a, path: &Path) -> Result<Box<dyn BufRead + 'a>, DataError> {
    const MAGIC: [u8; 2] = [0x1F, 0x8B];
    let mut start = Vec::new();
    reader.by_ref().take(2).read_to_end(&mut start).map_err(|source| DataError::io(path, source))?;
    let packed = start == MAGIC;
    let reader = std::io::Cursor::new(start).chain(reader);
    Ok(if packed { Box::new(BufReader::new(MultiGzDecoder::new(reader))) } else { Box::new(reader) })
}
