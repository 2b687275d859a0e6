//! Recognizes what an input is from its first bytes.

use std::fmt;

use serde::{
    Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor},
};

use crate::corpus::{Format, tagged_columns};

const LABEL_STUDIO: &str = "a Label Studio export";
const DYGIE: &str = "documents of DyGIE++";
const WEBANNO: &str = "a WebAnno TSV file";
const BRAT: &str = "the annotation of brat";

/// Whether a foreign input is of a format that [`read_annotations`](crate::read_annotations) reads.
pub(crate) fn is_annotation(what: &str) -> bool {
    [LABEL_STUDIO, DYGIE, WEBANNO, BRAT].contains(&what)
}

/// What an input seems to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recognized {
    /// Nothing but white space.
    Empty,
    /// Plain text.
    Text,
    /// Tokenized sentences, or JSON records with `text` or `tokens`.
    Corpus(Format),
    /// Something else.
    Foreign {
        /// What it is.
        what: String,
        /// How to make a file that can be read.
        hint: Option<String>,
    },
}

/// Recognizes an input from its first bytes, a few thousand if there are as many. `complete` tells whether they are the
/// whole input.
///
/// ```
/// use cman_data::{Format, Recognized, recognize};
///
/// assert_eq!(recognize(b"Ann left Rome.", true), Recognized::Text);
/// assert_eq!(recognize(br#"[{"tokens": ["Ann"]}]"#, true), Recognized::Corpus(Format::Spert));
/// assert_eq!(recognize(b"Ann\tB-Peop\nleft\tO\n", true), Recognized::Corpus(Format::Columns));
/// ```
pub fn recognize(start: &[u8], complete: bool) -> Recognized {
    let bytes = start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(start).trim_ascii_start();
    if let Some(binary) = recognize_binary(start) {
        return binary;
    }
    match bytes {
        [] => Recognized::Empty,
        [b'[', rest @ ..] => array(rest.trim_ascii_start()),
        [b'{', rest @ ..] if matches!(rest.trim_ascii_start().first(), Some(b'"' | b'}')) => lines(bytes, complete),
        _ => marked_up(bytes).unwrap_or_else(|| plain(bytes, complete)),
    }
}

fn foreign(what: impl Into<String>, hint: Option<&str>) -> Recognized {
    Recognized::Foreign { what: what.into(), hint: hint.map(str::to_owned) }
}

/// Binary files with a known signature, and text that is not UTF-8.
pub(crate) fn recognize_binary(start: &[u8]) -> Option<Recognized> {
    const UTF16: &str = "`iconv -f UTF-16 -t UTF-8 FILE` converts it";
    if start.starts_with(b"\xFF\xFE") || start.starts_with(b"\xFE\xFF") {
        return Some(foreign("text in UTF-16", Some(UTF16)));
    }
    if start.starts_with(b"PAR1") {
        let hint = if cfg!(feature = "parquet") {
            "Parquet is read from a file with a name, not from a stream"
        } else {
            "`cargo install --path crates/cman-cli --features parquet` makes a program that reads it"
        };
        return Some(foreign("a Parquet file", Some(hint)));
    }
    if let Some(kind) = infer::get(start).filter(|kind| kind.matcher_type() != infer::MatcherType::Text) {
        let hint = match kind.extension() {
            "gz" => Some("`gunzip -c FILE` decompresses it"),
            "zst" => Some("`zstd -dc FILE` decompresses it"),
            "bz2" => Some("`bunzip2 -c FILE` decompresses it"),
            "xz" => Some("`xz -dc FILE` decompresses it"),
            "zip" => Some("`unzip FILE` extracts its files"),
            "pdf" => Some("`pdftotext FILE -` extracts its text"),
            _ => None,
        };
        return Some(foreign(format!("a binary file ({})", kind.mime_type()), hint));
    }
    None
}

/// A JSON array, after its bracket; text may also start with a bracket.
fn array(rest: &[u8]) -> Recognized {
    match rest {
        [b'{', inside @ ..] if matches!(inside.trim_ascii_start().first(), Some(b'"' | b'}')) => {
            records(rest, Format::Spert)
        }
        [b']', end @ ..] if end.trim_ascii().is_empty() => Recognized::Corpus(Format::Spert),
        [b'[' | b'"', ..] if is_json(rest) => foreign(
            "a JSON array without objects",
            Some("a record is an object, such as {\"tokens\": [\"Ann\", \"left\"]} or {\"text\": \"Ann left\"}"),
        ),
        _ => Recognized::Text,
    }
}

/// Objects, one per line.
fn lines(bytes: &[u8], complete: bool) -> Recognized {
    let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let is_whole_line = complete || line.len() < bytes.len();
    if is_whole_line && serde_json::from_slice::<IgnoredAny>(line).is_err_and(|error| error.is_eof()) {
        let hint = "one record per line is read: `jq -c . FILE` writes a document on one line";
        return foreign("a JSON document of several lines", Some(hint));
    }
    records(bytes, Format::JsonLines)
}

/// Records of this format, if the first one has `tokens` or `text`.
fn records(first: &[u8], format: Format) -> Recognized {
    let Keys { names, complete } = Keys::of(first);
    let has = |name: &str| names.iter().any(|own| own == name);
    if !complete || names.is_empty() || ["tokens", "text", "entities"].into_iter().any(has) {
        return Recognized::Corpus(format);
    }
    let hint = |jq: &str| {
        let each = if format == Format::Spert { ".[] | " } else { "" };
        format!("`jq -c '{each}{jq}' FILE` writes records with their text")
    };
    let (what, hint) = if has("data") && (has("annotations") || has("predictions")) {
        (LABEL_STUDIO.to_owned(), Some(hint("{id, text: .data.text}")))
    } else if has("sentences") && has("doc_key") {
        let jq = ".doc_key as $id | .sentences[] | {id: $id, tokens: .}";
        (DYGIE.to_owned(), Some(hint(jq)))
    } else {
        (format!("JSON records with the keys {}", names.join(", ")), Some(hint("{text: .KEY}")))
    };
    Recognized::Foreign { what, hint }
}

/// Markup, and annotation that is kept apart from its text.
fn marked_up(bytes: &[u8]) -> Option<Recognized> {
    const PLAIN: Option<&str> = Some("extract the text first; `--format text` reads the file as it is");
    let lower = bytes[..bytes.len().min(64)].to_ascii_lowercase();
    let starts = |mark: &[u8]| lower.starts_with(mark);
    let is_annotation = || {
        let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let mut columns = line.split(|&byte| byte == b'\t');
        let id = columns.next().unwrap_or_default();
        let is_id = id.len() > 1 && id[0] == b'T' && id[1..].iter().all(u8::is_ascii_digit);
        let offsets = columns.next().unwrap_or_default().split(|&byte| byte == b' ').skip(1);
        is_id && columns.next().is_some() && offsets.filter(|part| part.iter().all(u8::is_ascii_digit)).count() >= 2
    };
    if starts(b"<?xml") || starts(b"<!doctype") || starts(b"<html") {
        Some(foreign("XML or HTML", PLAIN))
    } else if starts(b"{\\rtf") {
        Some(foreign("a rich text document", PLAIN))
    } else if starts(b"#format=webanno") {
        Some(foreign(WEBANNO, Some("export plain text or CoNLL columns from WebAnno or INCEpTION")))
    } else if is_annotation() {
        Some(foreign(BRAT, Some("give the .txt file beside it")))
    } else {
        None
    }
}

/// A table of tokens, or text. One byte in a hundred may be a null character.
fn plain(bytes: &[u8], complete: bool) -> Recognized {
    let is_header = bytes.strip_prefix(b"#doc").is_some_and(|rest| matches!(rest.first(), Some(b' ' | b'\t')));
    if is_header {
        return Recognized::Corpus(Format::Multihead);
    }
    if 100 * bytes.iter().filter(|&&byte| byte == 0).count() > bytes.len() {
        return foreign("a binary file", None);
    }
    // The last line may be cut.
    let end = if complete { None } else { bytes.iter().rposition(|&byte| byte == b'\n') };
    let text = String::from_utf8_lossy(&bytes[..end.unwrap_or(bytes.len())]);
    if tagged_columns(&text) { Recognized::Corpus(Format::Columns) } else { Recognized::Text }
}

/// Whether the start of a JSON array, after its bracket, has no syntax error.
fn is_json(rest: &[u8]) -> bool {
    let mut array = vec![b'['];
    array.extend_from_slice(rest);
    serde_json::from_slice::<IgnoredAny>(&array).err().is_none_or(|error| error.is_eof())
}

/// The keys of an object, as far as it is there.
struct Keys {
    names: Vec<String>,
    complete: bool,
}

impl Keys {
    fn of(json: &[u8]) -> Self {
        let mut names = Vec::new();
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let complete = KeyCollector(&mut names).deserialize(&mut deserializer).is_ok();
        Self { names, complete }
    }
}

struct KeyCollector<'a>(&'a mut Vec<String>);

impl<'de> DeserializeSeed<'de> for KeyCollector<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for KeyCollector<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key()? {
            self.0.push(key);
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}
