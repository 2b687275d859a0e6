//! Parser for tagged columns, as in the CoNLL shared tasks: one token per line, with its tag in the last column.

use std::io::BufRead;

use super::record::{Record, RecordLines};
use crate::{
    bio::{Tag, decode},
    error::{DataError, Location, Quoted},
    labels::LabelSet,
    lines::LineKind,
    sentence::{Entity, Sentence, Token},
    source::{ReadError, Source, text},
};

/// Parses one sentence after another. A sentence ends at a blank line.
#[derive(Default)]
pub(crate) struct ColumnParser {
    buffer: Vec<u8>,
}

impl ColumnParser {
    /// Parses the next sentence. `limit` is the maximum size in bytes of a line and of a sentence.
    pub(crate) fn next<R: BufRead>(
        &mut self,
        source: &mut Source<R>,
        record: usize,
        limit: usize,
    ) -> Result<Option<Record>, ReadError> {
        let (mut lines, mut numbers, mut size) = (Vec::new(), Vec::new(), 0);
        let mut fault = None;
        loop {
            let at = Location { column: None, ..source.location().with_record(record) };
            let number = at.line.unwrap_or_default();
            match source.read_line(&mut self.buffer, limit)? {
                LineKind::End => break,
                LineKind::TooLong => size = usize::MAX,
                LineKind::Text if self.buffer.iter().all(u8::is_ascii_whitespace) => {
                    if !numbers.is_empty() || size > limit || fault.is_some() {
                        break;
                    }
                }
                LineKind::Text => match text(&self.buffer, at.clone()) {
                    Ok(line) if is_comment(line) => {}
                    Ok(line) => {
                        size = size.saturating_add(line.len() + 1);
                        if size <= limit {
                            lines.push(line.to_owned());
                        }
                        numbers.push(number);
                    }
                    Err(error) => fault = fault.or(Some(error)),
                },
            }
            if size > limit && fault.is_none() {
                fault = Some(DataError::TooLarge { at: Box::new(at), limit });
                lines.clear();
            }
        }
        if let Some(fault) = fault {
            return Err(ReadError::Record(fault));
        }
        let at = source.file().with_record(record);
        if lines.is_empty() { Ok(None) } else { parse(&lines, numbers, &at).map(Some).map_err(ReadError::Record) }
    }
}

/// Whether text is a table of tokens with a tag in the last column: lines of as many columns, at least two, with a tag
/// in each, and more than one line.
pub(crate) fn tagged_columns(text: &str) -> bool {
    let (mut n_lines, mut n_columns) = (0, 0);
    for line in text.lines().filter(|line| !line.trim().is_empty() && !is_comment(line)) {
        let columns = split(line);
        if n_lines > 0 && columns.len() != n_columns {
            return false;
        }
        n_columns = columns.len();
        n_lines += 1;
        if n_columns < 2 || columns.last().is_none_or(|tag| Prefix::of(tag).is_none()) {
            return false;
        }
    }
    n_lines > 1
}

/// Whether a line is a comment or the mark of a document's start.
fn is_comment(line: &str) -> bool {
    line.starts_with("-DOCSTART-") || (line.starts_with('#') && !line.ends_with("\tO") && !line.ends_with(" O"))
}

/// The columns of a line, separated by tabs if there is one, else by spaces.
fn split(line: &str) -> Vec<&str> {
    if line.contains('\t') { line.trim_end().split('\t').collect() } else { line.split_whitespace().collect() }
}

/// The place of a token in an entity, in any of the usual tag sets (BIO, BIOES, BILOU).
enum Prefix {
    Outside,
    Begin,
    Inside,
}

impl Prefix {
    /// The prefix and the type of a tag.
    fn of(tag: &str) -> Option<(Self, &str)> {
        match tag.split_once('-') {
            None if tag == "O" => Some((Self::Outside, "")),
            Some(("B" | "S" | "U", kind)) if !kind.is_empty() => Some((Self::Begin, kind)),
            Some(("I" | "E" | "L", kind)) if !kind.is_empty() => Some((Self::Inside, kind)),
            _ => None,
        }
    }
}

/// The sentence of these lines, whose numbers are `numbers`.
fn parse(lines: &[String], numbers: Vec<usize>, at: &Location) -> Result<Record, DataError> {
    let rows: Vec<Vec<&str>> = lines.iter().map(|line| split(line)).collect();
    let fail = |i: usize, expected: String, found: String| {
        Err(DataError::invalid(at.clone().with_line(numbers[i]), "", expected, found))
    };
    let (mut types, mut tags) = (LabelSet::default(), Vec::with_capacity(rows.len()));
    for (i, row) in rows.iter().enumerate() {
        let n_columns = rows[0].len().max(2);
        if row.len() != n_columns {
            return fail(i, format!("{n_columns} columns, the token first and its tag last"), row.len().to_string());
        }
        let tag = row[n_columns - 1];
        tags.push(match Prefix::of(tag) {
            Some((Prefix::Outside, _)) => Tag::Outside,
            Some((Prefix::Begin, kind)) => Tag::Begin(types.insert(kind)),
            Some((Prefix::Inside, kind)) => Tag::Inside(types.insert(kind)),
            None => return fail(i, "`O` or a tag such as B-Loc".into(), Quoted(tag).to_string()),
        });
    }
    let word = usize::from(has_index(&rows));
    let tokens = rows.iter().map(|row| Token::new(row[word])).collect();
    let entities = decode(&tags).into_iter().map(|span| Entity::new(types.name(span.kind), span.tokens())).collect();
    let id = at.record.unwrap_or_default().into();
    let sentence = Sentence { id, text: None, tokens, entities, relations: Vec::new() };
    let lines = RecordLines { header: numbers[0], tokens: numbers, relations: Vec::new() };
    Ok(Record { sentence, annotated: true, orphans: 0, lines: Some(lines) })
}

/// Whether the first column is the index of the token, from 0 or 1.
fn has_index(rows: &[Vec<&str>]) -> bool {
    let first = rows[0][0].parse().ok().filter(|first: &usize| *first < 2 && rows[0].len() > 2);
    first.is_some_and(|first| rows.iter().enumerate().all(|(i, row)| row[0] == (first + i).to_string()))
}
