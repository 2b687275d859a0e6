//! doccano's JSON lines.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    annotation_source::AnnotationSource,
    collector::Collector,
    document::{Document, DocumentRelation, DocumentSpan},
    losses::{LossKind, Losses},
    sentence_text::{SentenceText, to_json},
};
use crate::{
    error::{DataError, Location, Quoted},
    id::Id,
    sentence::Sentence,
};

#[derive(Deserialize)]
struct Record {
    id: Option<Id>,
    #[serde(alias = "data")]
    text: String,
    entities: Option<Vec<Entity>>,
    relations: Option<Vec<Relation>>,
    /// The older shape: start, end and type.
    #[serde(alias = "labels")]
    label: Option<Vec<(usize, usize, String)>>,
    #[serde(alias = "Comments")]
    comments: Option<Value>,
}

#[derive(Deserialize)]
struct Entity {
    id: Option<Id>,
    start_offset: usize,
    end_offset: usize,
    label: String,
}

#[derive(Deserialize)]
struct Relation {
    from_id: Id,
    to_id: Id,
    #[serde(rename = "type")]
    kind: String,
}

/// Reads a file.
pub(super) fn read(collector: &mut Collector, source: AnnotationSource) -> Result<(), DataError> {
    let (mut n_entities, mut n_relations) = (0, 0);
    collector.read_json(source, |collector, record: Record, at| {
        let document = document(collector, record, at)?;
        n_entities += document.spans.len();
        n_relations += document.relations.len();
        collector.add(&document, at)
    })?;
    if n_entities > 0 && n_relations == 0 {
        collector.lose(LossKind::NoRelations, &source.location(), "");
    }
    Ok(())
}

fn document(collector: &mut Collector, record: Record, at: &Location) -> Result<Document, DataError> {
    if record.entities.is_none() && record.label.is_none() {
        collector.lose(LossKind::Unannotated, at, "");
    }
    for _ in record.comments.as_ref().and_then(Value::as_array).into_iter().flatten() {
        collector.lose(LossKind::Note, at, "comments");
    }
    let id = record.id.unwrap_or_else(|| at.record.unwrap_or_default().into());
    let mut document = Document { id, text: record.text, ..Document::default() };
    let mut by_id = HashMap::new();
    for (i, entity) in record.entities.into_iter().flatten().enumerate() {
        if let Some(id) = entity.id
            && by_id.insert(id.clone(), i).is_some()
        {
            let found = Quoted(id.as_str()).to_string();
            return Err(DataError::invalid(at.clone(), format!("entities[{i}].id"), "an id that is used once", found));
        }
        let chars = entity.start_offset..entity.end_offset;
        document.spans.push(DocumentSpan { kind: entity.label, chars, name: format!("entities[{i}]") });
    }
    for (i, (start, end, kind)) in record.label.into_iter().flatten().enumerate() {
        document.spans.push(DocumentSpan { kind, chars: start..end, name: format!("label[{i}]") });
    }
    for (i, relation) in record.relations.into_iter().flatten().enumerate() {
        let argument = |field: &str, id: &Id| {
            let name = format!("relations[{i}].{field}");
            let unknown =
                || DataError::invalid(at.clone(), name, "the id of an entity", Quoted(id.as_str()).to_string());
            by_id.get(id).copied().ok_or_else(unknown)
        };
        let (head, tail) = (argument("from_id", &relation.from_id)?, argument("to_id", &relation.to_id)?);
        document.relations.push(DocumentRelation { kind: relation.kind, head, tail, name: format!("relations[{i}]") });
    }
    Ok(document)
}

#[derive(Serialize)]
struct Written<'a> {
    id: &'a Id,
    text: &'a str,
    entities: Vec<WrittenEntity<'a>>,
    relations: Vec<WrittenRelation<'a>>,
}

#[derive(Serialize)]
struct WrittenEntity<'a> {
    id: usize,
    start_offset: usize,
    end_offset: usize,
    label: &'a str,
}

#[derive(Serialize)]
struct WrittenRelation<'a> {
    id: usize,
    from_id: usize,
    to_id: usize,
    #[serde(rename = "type")]
    kind: &'a str,
}

/// The ids of entities and relations, which are distinct in a file.
#[derive(Default)]
pub(super) struct Serial {
    entities: usize,
    relations: usize,
}

/// The record of a sentence.
pub(super) fn record(
    sentence: &Sentence,
    at: &Location,
    serial: &mut Serial,
    losses: &mut Losses,
) -> Result<String, DataError> {
    losses.add(LossKind::Tokens, at.to_string());
    let text = SentenceText::of(sentence);
    let first = serial.entities + 1;
    let entities = (first..).zip(&sentence.entities).map(|(id, entity)| {
        let chars = text.chars(entity);
        WrittenEntity { id, start_offset: chars.start, end_offset: chars.end, label: &entity.kind }
    });
    let relations = (serial.relations + 1..).zip(&sentence.relations).map(|(id, relation)| WrittenRelation {
        id,
        from_id: first + relation.head,
        to_id: first + relation.tail,
        kind: &relation.kind,
    });
    let record =
        Written { id: &sentence.id, text: &text.text, entities: entities.collect(), relations: relations.collect() };
    serial.entities += sentence.entities.len();
    serial.relations += sentence.relations.len();
    to_json(&record)
}

#[cfg(test)]
mod tests {
    use crate::annotation::fixture::{first_error, read, span_texts, write};
    use crate::annotation::{AnnotationFormat::Doccano, LossKind};
    use crate::sentence::Relation;

    const NEWER: &str = concat!(
        r#"{"id": 12, "text": "😀 Zoë\tlives in 東京.", "Comments": ["?"], "entities": ["#,
        r#"{"id": 90, "start_offset": 2, "end_offset": 5, "label": "P"}, "#,
        r#"{"id": 91, "start_offset": 15, "end_offset": 17, "label": "L"}], "#,
        r#""relations": [{"id": 4, "from_id": 90, "to_id": 91, "type": "in"}]}"#
    );

    #[test]
    fn the_newer_shape_has_relations() {
        let (sentences, losses) = read(Doccano, NEWER);
        assert_eq!(span_texts(&sentences[0]), [("P", "Zoë".into()), ("L", "東京".into())]);
        assert_eq!((sentences[0].id.as_str(), &sentences[0].relations[..]), ("12", &[Relation::new("in", 0, 1)][..]));
        assert_eq!((losses.kinds().len(), losses.count(LossKind::Note)), (1, 1));
    }

    #[test]
    fn the_older_shape_has_no_relations() {
        let (sentences, losses) =
            read(Doccano, "{\"text\": \"Ann left.\", \"label\": [[0, 3, \"P\"]]}\r\n{\"text\": \"No\"}");
        assert_eq!(span_texts(&sentences[0]), [("P", "Ann".into())]);
        assert_eq!((losses.count(LossKind::NoRelations), losses.count(LossKind::Unannotated)), (1, 1));
    }

    #[test]
    fn ids_are_distinct_in_a_file() {
        let (sentences, _) = read(Doccano, NEWER);
        let (text, losses) = write(&[sentences[0].clone(), sentences[0].clone()], Doccano);
        assert!(text.contains(r#""relations":[{"id":2,"from_id":3,"to_id":4,"type":"in"}]"#), "{text}");
        assert_eq!(losses.count(LossKind::Tokens), 2);
        assert_eq!(read(Doccano, &text).0, [sentences.clone(), sentences].concat());
    }

    #[test]
    fn malformed_records_are_errors() {
        for (json, message) in [
            (r#"{"id": 1}"#, "record 1, line 1, column 9: missing field `text`"),
            (
                r#"{"text": "Ann", "label": [[0, 4, "P"]]}"#,
                "record 1, line 1, label[0]: expected a start before the end, and an end of at most 3 (the text's length), found 0..4",
            ),
            (
                r#"{"text": "Ann", "entities": [], "relations": [{"from_id": 1, "to_id": 2, "type": "R"}]}"#,
                "record 1, line 1, relations[0].from_id: expected the id of an entity, found \"1\"",
            ),
            (
                r#"{"text": "Ann", "entities": [{"id": 4, "start_offset": 0, "end_offset": 1, "label": "P"}, {"id": 4, "start_offset": 1, "end_offset": 2, "label": "P"}]}"#,
                "record 1, line 1, entities[1].id: expected an id that is used once, found \"4\"",
            ),
            (
                r#"{"text": "Ann", "label": ["positive"]}"#,
                "record 1, line 1, column 36, label[0]: expected an array of length 3, found string \"positive\"",
            ),
        ] {
            let error = first_error(Doccano, json);
            assert!(error.starts_with(message), "{error}\n{message}");
        }
    }
}
