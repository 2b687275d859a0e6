//! Parser for the multi-head model's table: one token per line.

use std::{collections::HashMap, io::BufRead};

use super::record::{Record, RecordLines};
use crate::{
    bio::{Tag, decode},
    error::{DataError, Location, Quoted},
    labels::LabelSet,
    lines::LineKind,
    sentence::{Entity, Relation, Sentence, Token},
    source::{ReadError, Source, text},
};

/// The relation type that stands for "no relation".
pub(crate) const NO_RELATION: &str = "N";

/// Parses one sentence after another.
#[derive(Default)]
pub(crate) struct TableParser {
    /// The header that ended the previous sentence, with its line number.
    header: Option<(String, usize)>,
    /// Whether the lines up to the next header belong to an invalid record.
    skipping: bool,
    buffer: Vec<u8>,
}

/// One token's line.
struct Row {
    line: usize,
    token: String,
    tag: Tag,
    /// Relation type and index of the last token of the second argument.
    relations: Vec<(String, usize)>,
}

impl TableParser {
    /// Parses the next sentence. `limit` is the maximum size in bytes of a line and of a record.
    pub(crate) fn next<R: BufRead>(
        &mut self,
        source: &mut Source<R>,
        record: usize,
        limit: usize,
    ) -> Result<Option<Record>, ReadError> {
        let header = match self.header.take() {
            Some(header) => Some(header),
            None => self.find_header(source, record, limit)?,
        };
        let Some((header, header_line)) = header else { return Ok(None) };
        let at = source.file().with_record(record);
        self.skipping = true;
        let id = parse_header(&header, at.clone().with_line(header_line)).map_err(ReadError::Record)?;
        let (mut rows, mut types, mut size) = (Vec::new(), LabelSet::default(), 0);
        while let Some((row, line)) = self.line(source, record, limit)? {
            if row.starts_with('#') {
                self.header = Some((row, line));
                break;
            }
            size += row.len() + 1;
            if size > limit {
                return Err(ReadError::Record(DataError::TooLarge { at: Box::new(at), limit }));
            }
            if !row.trim().is_empty() {
                let row = Row::parse(&row, rows.len(), &mut types, at.clone().with_line(line));
                rows.push(row.map_err(ReadError::Record)?);
            }
        }
        self.skipping = false;
        assemble(id, header_line, rows, &types, at).map(Some).map_err(ReadError::Record)
    }

    /// Advances to the next line that starts with `#`.
    fn find_header<R: BufRead>(
        &mut self,
        source: &mut Source<R>,
        record: usize,
        limit: usize,
    ) -> Result<Option<(String, usize)>, ReadError> {
        loop {
            match self.line(source, record, limit) {
                Ok(None) => return Ok(None),
                Ok(Some((line, number))) if line.starts_with('#') => return Ok(Some((line, number))),
                Ok(Some((line, _))) if self.skipping || line.trim().is_empty() => {}
                Err(ReadError::Record(_)) if self.skipping => {}
                Ok(Some((line, number))) => {
                    self.skipping = true;
                    let at = source.file().with_record(record).with_line(number);
                    let found = Quoted(&line).to_string();
                    return Err(ReadError::Record(DataError::invalid(at, "", "a header such as `#doc 17`", found)));
                }
                Err(error) => {
                    self.skipping = true;
                    return Err(error);
                }
            }
        }
    }

    /// The next line with its line number.
    fn line<R: BufRead>(
        &mut self,
        source: &mut Source<R>,
        record: usize,
        limit: usize,
    ) -> Result<Option<(String, usize)>, ReadError> {
        let at = source.location().with_record(record);
        let number = at.line.unwrap_or_default();
        match source.read_line(&mut self.buffer, limit)? {
            LineKind::End => Ok(None),
            LineKind::TooLong => {
                Err(ReadError::Record(DataError::TooLarge { at: Box::new(Location { column: None, ..at }), limit }))
            }
            LineKind::Text => {
                let line = text(&self.buffer, at).map_err(ReadError::Record)?;
                Ok(Some((line.to_owned(), number)))
            }
        }
    }
}

/// Parses the sentence id from a header line.
fn parse_header(header: &str, at: Location) -> Result<String, DataError> {
    let id = header.strip_prefix("#doc").filter(|rest| rest.starts_with([' ', '\t'])).map(str::trim);
    match id {
        Some(id) if !id.is_empty() => Ok(id.to_owned()),
        _ => Err(DataError::invalid(at, "", "a header such as `#doc 17`", Quoted(header).to_string())),
    }
}

impl Row {
    /// Parses the line of token `index` and adds new types to `types`.
    fn parse(row: &str, index: usize, types: &mut LabelSet, at: Location) -> Result<Self, DataError> {
        let columns: Vec<&str> = row.split('\t').collect();
        let fail =
            |field: &str, expected: String, found: String| Err(DataError::invalid(at.clone(), field, expected, found));
        let &[number, token, tag, names, ends] = columns.as_slice() else {
            return fail("", "5 tab-separated columns".into(), columns.len().to_string());
        };
        if parse_index(number) != Some(index) {
            return fail("index", format!("{index}"), Quoted(number).to_string());
        }
        let parsed_tag = match tag.split_once('-') {
            Some(("B", kind)) if !kind.is_empty() => Tag::Begin(types.insert(kind)),
            Some(("I", kind)) if !kind.is_empty() => Tag::Inside(types.insert(kind)),
            _ if tag == "O" => Tag::Outside,
            _ => return fail("tag", "`O`, `B-type` or `I-type`".into(), Quoted(tag).to_string()),
        };
        let Some(kinds) = parse_list(names, parse_name) else {
            return fail("relations", "a list such as ['Kill', 'Live_In']".into(), Quoted(names).to_string());
        };
        let Some(tails) = parse_list(ends, parse_index) else {
            return fail("heads", "a list of token indices such as [3, 7]".into(), Quoted(ends).to_string());
        };
        if kinds.len() != tails.len() {
            return fail("heads", format!("{} (one per relation)", kinds.len()), tails.len().to_string());
        }
        let none = kinds.iter().any(|kind| kind == NO_RELATION);
        if none && (kinds.len() > 1 || tails != [index]) {
            let found = format!("{names} with {ends}");
            return fail("relations", format!("['{NO_RELATION}'] alone, with [{index}]"), Quoted(&found).to_string());
        }
        let relations = if none { Vec::new() } else { kinds.into_iter().zip(tails).collect() };
        Ok(Self { line: at.line.unwrap_or_default(), token: token.to_owned(), tag: parsed_tag, relations })
    }
}

/// Parses a non-empty list.
fn parse_list<T>(list: &str, item: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    list.strip_prefix('[')?.strip_suffix(']')?.split(',').map(|part| item(part.trim_matches(' '))).collect()
}

/// Parses `'name'`.
fn parse_name(quoted: &str) -> Option<String> {
    let name = quoted.strip_prefix('\'')?.strip_suffix('\'')?;
    (!name.is_empty() && !name.contains(['\'', '\\'])).then(|| name.to_owned())
}

/// Parses an index in its canonical form, without sign or leading zeros.
fn parse_index(digits: &str) -> Option<usize> {
    digits.parse().ok().filter(|number: &usize| number.to_string() == digits)
}

/// Builds the sentence from its rows: decodes the tags and maps relations between tokens to relations between entities.
fn assemble(id: String, header: usize, rows: Vec<Row>, types: &LabelSet, at: Location) -> Result<Record, DataError> {
    let tags: Vec<Tag> = rows.iter().map(|row| row.tag).collect();
    let orphans = (0..tags.len()).filter(|&i| !Tag::allows(i.checked_sub(1).map(|i| tags[i]), tags[i])).count();
    let entities: Vec<Entity> =
        decode(&tags).into_iter().map(|span| Entity::new(types.name(span.kind), span.tokens())).collect();
    let ends: HashMap<usize, usize> = entities.iter().enumerate().map(|(i, entity)| (entity.end - 1, i)).collect();
    let argument = |token: usize, field: &str, line: usize| {
        ends.get(&token).copied().ok_or_else(|| {
            let found = match rows.get(token) {
                Some(row) => format!("token {token}, {}", Quoted(&row.token)),
                None => format!("token {token} in a sentence of {} tokens", rows.len()),
            };
            DataError::invalid(at.clone().with_line(line), field, "the last token of an entity", found)
        })
    };
    let mut lines = RecordLines { header, tokens: rows.iter().map(|row| row.line).collect(), relations: Vec::new() };
    let mut relations = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        for (kind, tail) in &row.relations {
            let head = argument(i, "relations", row.line)?;
            relations.push(Relation::new(kind.as_str(), head, argument(*tail, "heads", row.line)?));
            lines.relations.push(row.line);
        }
    }
    let tokens = rows.into_iter().map(|row| Token::new(row.token)).collect();
    let sentence = Sentence { id: id.into(), text: None, tokens, entities, relations };
    Ok(Record { sentence, annotated: true, orphans, lines: Some(lines) })
}
