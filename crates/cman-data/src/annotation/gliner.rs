//! GLiNER's training data with relations.

use serde::{Deserialize, Serialize};

use super::{
    annotation_source::AnnotationSource,
    collector::Collector,
    document::{Document, DocumentRelation},
    losses::{LossKind, Losses},
    sentence_text::{has_raw_text, to_json},
    token_spans::TokenSpans,
};
use crate::{
    error::{DataError, Location},
    sentence::Sentence,
};

#[derive(Deserialize)]
struct Record {
    tokenized_text: Vec<String>,
    ner: Option<Vec<(usize, usize, String)>>,
    relations: Option<Vec<(usize, usize, String)>>,
}

/// Reads a file.
pub(super) fn read(collector: &mut Collector, source: AnnotationSource) -> Result<(), DataError> {
    collector.read_json(source, read_record)
}

fn read_record(collector: &mut Collector, record: Record, at: &Location) -> Result<(), DataError> {
    let id = at.record.unwrap_or_default().into();
    let mut spans = TokenSpans::new(Document::from_tokens(id, &[record.tokenized_text]), at);
    if record.ner.is_none() {
        collector.lose(LossKind::Unannotated, at, "");
    }
    for (i, (start, last, kind)) in record.ner.into_iter().flatten().enumerate() {
        spans.add(kind, start, last, format!("ner[{i}]"))?;
    }
    for (i, (head, tail, kind)) in record.relations.into_iter().flatten().enumerate() {
        spans.document.relations.push(DocumentRelation { kind, head, tail, name: format!("relations[{i}]") });
    }
    collector.add(&spans.document, at)
}

#[derive(Serialize)]
struct Written<'a> {
    tokenized_text: Vec<&'a str>,
    ner: Vec<(usize, usize, &'a str)>,
    relations: Vec<(usize, usize, &'a str)>,
}

/// The record of a sentence.
pub(super) fn record(sentence: &Sentence, at: &Location, losses: &mut Losses) -> Result<String, DataError> {
    count_token_losses(sentence, at, losses);
    to_json(&Written {
        tokenized_text: sentence.words().collect(),
        ner: sentence.entities.iter().map(|e| (e.start, e.end - 1, e.kind.as_str())).collect(),
        relations: sentence.relations.iter().map(|r| (r.head, r.tail, r.kind.as_str())).collect(),
    })
}

/// Counts what a record of tokens without an id does not store.
pub(super) fn count_token_losses(sentence: &Sentence, at: &Location, losses: &mut Losses) {
    if has_raw_text(sentence) {
        losses.add(LossKind::RawText, at.to_string());
    }
    // A reader numbers the records.
    if at.record.is_none_or(|number| sentence.id.as_str() != number.to_string()) {
        losses.add(LossKind::Id, format!("{at}: {}", sentence.id));
    }
}

#[cfg(test)]
mod tests {
    use crate::annotation::fixture::{first_error, read, words};
    use crate::annotation::{AnnotationFormat::Gliner, LossKind};
    use crate::sentence::{Entity, Relation};

    #[test]
    fn ends_are_inclusive_and_relations_index_entities() {
        let json = r#"[{"tokenized_text": ["Ann", "Lee", "left", "Rome"], "ner": [[0, 1, "P"], [3, 3, "L"]],
            "relations": [[0, 1, "in"]]}, {"tokenized_text": ["No"]}]"#;
        let (sentences, losses) = read(Gliner, json);
        assert_eq!(words(&sentences), [vec!["Ann", "Lee", "left", "Rome"], vec!["No"]]);
        assert_eq!(sentences[0].entities, [Entity::new("P", 0..2), Entity::new("L", 3..4)]);
        assert_eq!(sentences[0].relations, [Relation::new("in", 0, 1)]);
        assert_eq!(losses.count(LossKind::Unannotated), 1);
    }

    #[test]
    fn malformed_records_are_errors() {
        for (json, message) in [
            (
                r#"[{"tokenized_text": ["a"], "ner": [[0, -1, "X"]]}]"#,
                "record 1, line 1, column 41, ner[0][1]: expected a whole number of at least 0, found integer `-1`",
            ),
            (
                r#"[{"tokenized_text": ["a"], "ner": [[0, 0, "X"]], "relations": [[0, 1, "R"]]}]"#,
                "record 1, line 1, relations[0]: expected arguments less than 1 (the number of entities), found 1",
            ),
            (r#"[{"tokenized_text": []}]"#, "no sentences (1 records read"),
        ] {
            let error = first_error(Gliner, json);
            assert!(error.starts_with(message), "{error}\n{message}");
        }
    }
}
