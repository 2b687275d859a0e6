//! Reads a corpus, or predictions with their confidences.

use std::{fs, path::Path};

use cman_data::{DataError, Format, Location, ReaderBuilder, Sentence};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::annotated::AnnotatedSentence;

/// Reads a file of sentences: a corpus in any format that [`Corpus::read`](cman_data::Corpus::read) reads, or the
/// output of `cman predict`, whose
/// confidences and ids are kept.
///
/// # Errors
/// A file that cannot be read, or a sentence that is invalid. The message states file, line and field, as far as the
/// format has lines.
pub fn read(path: impl AsRef<Path>) -> Result<Vec<AnnotatedSentence>, DataError> {
    let path = path.as_ref();
    if path.is_dir() {
        ReaderBuilder::new().from_path(path)?; // says what a folder is
    }
    // Read once: the path may be a pipe.
    let bytes = fs::read(path).map_err(|source| DataError::Io { at: Box::new(Location::file(path)), source })?;
    read_from(&bytes, path)
}

/// Reads sentences as [`read`] does, from the bytes of a file. Messages use `name` as the file name.
///
/// # Errors
/// As [`read`].
pub fn read_from(bytes: &[u8], name: impl AsRef<Path>) -> Result<Vec<AnnotatedSentence>, DataError> {
    let path = name.as_ref();
    let reader = ReaderBuilder::new().from_reader(bytes, path)?;
    let format = reader.format();
    let sentences = reader.collect::<Result<Vec<_>, _>>()?;
    if !matches!(format, Format::Spert | Format::JsonLines) {
        return Ok(sentences.into_iter().map(AnnotatedSentence::from).collect());
    }
    // Every record is a sentence, because invalid and overlapping ones are not skipped.
    let text = String::from_utf8_lossy(bytes);
    let records = records(text.trim_start_matches('\u{FEFF}'), format, path)?;
    Ok(sentences.into_iter().zip(records).map(|(sentence, record)| record.join(sentence)).collect())
}

/// The parts of a prediction that a corpus does not have.
#[derive(Deserialize)]
struct Record<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    entities: Option<Vec<EntityRecord>>,
    relations: Option<Vec<RelationRecord>>,
}

#[derive(Deserialize)]
struct EntityRecord {
    #[serde(rename = "type")]
    kind: String,
    start: usize,
    end: usize,
    confidence: Option<Confidence>,
}

#[derive(Deserialize)]
struct RelationRecord {
    #[serde(rename = "type")]
    kind: String,
    head: usize,
    tail: usize,
    confidence: Option<Confidence>,
}

/// A number from 0 to 1.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "f64")]
struct Confidence(f64);

impl TryFrom<f64> for Confidence {
    type Error = String;

    fn try_from(value: f64) -> Result<Self, String> {
        if (0.0..=1.0).contains(&value) {
            Ok(Self(value))
        } else {
            Err(format!("expected a number from 0 to 1, found {value}"))
        }
    }
}

fn records<'a>(text: &'a str, format: Format, path: &Path) -> Result<Vec<Record<'a>>, DataError> {
    if format == Format::Spert {
        return parse(text, |error| Location::file(path).with_line(error.line()));
    }
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(line, json)| parse(json, |_| Location::file(path).with_line(line + 1))).collect()
}

fn parse<'a, T: Deserialize<'a>>(
    json: &'a str,
    at: impl FnOnce(&serde_json::Error) -> Location,
) -> Result<T, DataError> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let field = Some(error.path().to_string()).filter(|field| field != ".");
        let error = error.into_inner();
        let message = error.to_string();
        // The location states the line.
        let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(reason, _)| reason).to_owned();
        DataError::Json { at: Box::new(at(&error)), field, message }
    })
}

impl Record<'_> {
    /// Adds id and confidences to the sentence of the record. Annotation is found by its content, because the reader
    /// merges what is listed twice.
    fn join(self, mut sentence: Sentence) -> AnnotatedSentence {
        let (entities, relations) = (self.entities.unwrap_or_default(), self.relations.unwrap_or_default());
        let own = sentence.entities.iter().map(|entity| {
            let is_own = |record: &&EntityRecord| {
                (record.kind.as_str(), record.start, record.end) == (entity.kind.as_str(), entity.start, entity.end)
            };
            entities.iter().find(is_own)?.confidence
        });
        let entity_confidences: Vec<_> = own.map(|confidence| confidence.map(|Confidence(value)| value)).collect();
        let span = |i: usize| entities.get(i).map(|record| (record.kind.as_str(), record.start, record.end));
        let own = sentence.relations.iter().map(|relation| {
            let [head, tail] = [relation.head, relation.tail].map(|i| {
                let entity = &sentence.entities[i];
                Some((entity.kind.as_str(), entity.start, entity.end))
            });
            let is_own = |record: &&RelationRecord| {
                record.kind == relation.kind && span(record.head) == head && span(record.tail) == tail
            };
            relations.iter().find(is_own)?.confidence
        });
        let relation_confidences: Vec<_> = own.map(|confidence| confidence.map(|Confidence(value)| value)).collect();
        if let Some(id) = self.id {
            let id = id.get();
            sentence.id = serde_json::from_str::<String>(id).unwrap_or_else(|_| id.to_owned()).into();
        }
        AnnotatedSentence { sentence, entity_confidences, relation_confidences }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Vec<AnnotatedSentence>, DataError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.jsonl");
        fs::write(&path, text).unwrap();
        read(&path)
    }

    fn message(text: &str) -> String {
        let message = read_text(text).unwrap_err().to_string();
        message.split_once("p.jsonl: ").expect("the message names the file").1.to_owned()
    }

    const LINE: &str = r#"{"id": "d7", "offset": 0, "text": "Ada left Rome", "tokens": ["Ada", "left", "Rome"], "entities":
        [{"type": "Peop", "text": "Ada", "start": 0, "end": 1, "char_start": 0, "char_end": 3, "confidence": 0.98},
        {"type": "Peop", "start": 0, "end": 1, "confidence": 0.5}, {"type": "Loc", "start": 2, "end": 3}],
        "relations": [{"type": "Live_In", "head": 1, "tail": 2, "confidence": 0.71}]}"#;

    #[test]
    fn predictions_keep_their_confidences_and_ids() {
        let line = LINE.replace('\n', " ");
        let plain = r#"{"tokens": ["a"]}"#;
        for text in [format!("\u{FEFF}{line}\n\n{plain}\n"), format!("[{LINE}, {{\"tokens\": [\"a\"]}}]")] {
            let sentences = read_text(&text).unwrap();
            let [first, second] = &sentences[..] else { panic!("{} sentences", sentences.len()) };
            assert_eq!(first.sentence.id.as_str(), "d7");
            // The second entity repeats the first and is merged with it.
            assert_eq!(first.entity_confidences, [Some(0.98), None]);
            assert_eq!(first.relation_confidences, [Some(0.71)]);
            assert_eq!((second.sentence.id.as_str(), second.sentence.len()), ("2", 1));
        }
    }

    #[test]
    fn errors_state_line_and_field() {
        let line = LINE.replace('\n', " ");
        let wrong = line.replace("0.71", "1.5");
        let expected = "line 3, relations[0].confidence: expected a number from 0 to 1, found 1.5";
        assert_eq!(message(&format!("{line}\n\n{wrong}\n")), expected);
        let outside = line.replace("\"end\": 3", "\"end\": 4");
        assert!(message(&format!("{line}\n{outside}\n")).starts_with("record 2, line 2, entities["));
        let array = format!("[{line},\n{wrong}]");
        assert!(message(&array).starts_with("line 2, [1].relations[0].confidence: expected"), "{}", message(&array));
        assert!(message("").contains("no sentences"));
    }

    #[test]
    fn other_formats_have_no_confidences() {
        let sentences = read_text("#doc 7\n0\tAda\tB-Peop\t['N']\t[0]\n").unwrap();
        assert_eq!(sentences[0].sentence.id.as_str(), "7");
        assert_eq!((sentences[0].sentence.entities.len(), sentences[0].entity_confidence(0)), (1, None));
    }
}
