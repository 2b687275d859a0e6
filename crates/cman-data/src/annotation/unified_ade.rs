//! The unified form of ADE and other corpora in "Two are Better than One: Joint Entity and Relation Extraction with
//! Table-Sequence Encoders".

use serde::{Deserialize, Serialize};

use super::{
    annotation_source::AnnotationSource,
    collector::Collector,
    document::Document,
    gliner::count_token_losses,
    losses::{LossKind, Losses},
    sentence_text::to_json,
    token_spans::{TokenRelation, TokenSpans},
};
use crate::{
    error::{DataError, Location},
    sentence::Sentence,
};

#[derive(Deserialize)]
struct Record {
    tokens: Vec<String>,
    entities: Option<Vec<(usize, usize, String)>>,
    relations: Option<Vec<TokenRelation<String>>>,
}

/// Reads a file.
pub(super) fn read(collector: &mut Collector, source: AnnotationSource) -> Result<(), DataError> {
    collector.read_json(source, read_record)
}

fn read_record(collector: &mut Collector, record: Record, at: &Location) -> Result<(), DataError> {
    let id = at.record.unwrap_or_default().into();
    let mut spans = TokenSpans::new(Document::from_tokens(id, &[record.tokens]), at);
    if record.entities.is_none() {
        collector.lose(LossKind::Unannotated, at, "");
    }
    let last = |start: usize, end: usize, name: &str| {
        let last = end.checked_sub(1).filter(|&last| last >= start);
        let expected = || format!("an end of more than {start} (the start)");
        last.ok_or_else(|| DataError::invalid(at.clone(), name, expected(), end.to_string()))
    };
    for (i, (start, end, kind)) in record.entities.into_iter().flatten().enumerate() {
        let name = format!("entities[{i}]");
        spans.add(kind, start, last(start, end, &name)?, name)?;
    }
    for (i, (head, head_end, tail, tail_end, kind)) in record.relations.into_iter().flatten().enumerate() {
        let name = format!("relations[{i}]");
        let (head, tail) = ((head, last(head, head_end, &name)?), (tail, last(tail, tail_end, &name)?));
        spans.relate(kind, head, tail, name)?;
    }
    collector.add(&spans.document, at)
}

#[derive(Serialize)]
struct Written<'a> {
    tokens: Vec<&'a str>,
    entities: Vec<(usize, usize, &'a str)>,
    relations: Vec<TokenRelation<&'a str>>,
}

/// The record of a sentence.
pub(super) fn record(sentence: &Sentence, at: &Location, losses: &mut Losses) -> Result<String, DataError> {
    count_token_losses(sentence, at, losses);
    let relations = sentence.relations.iter().map(|relation| {
        let [head, tail] = [relation.head, relation.tail].map(|argument| &sentence.entities[argument]);
        (head.start, head.end, tail.start, tail.end, relation.kind.as_str())
    });
    to_json(&Written {
        tokens: sentence.words().collect(),
        entities: sentence.entities.iter().map(|e| (e.start, e.end, e.kind.as_str())).collect(),
        relations: relations.collect(),
    })
}

#[cfg(test)]
mod tests {
    use crate::annotation::AnnotationFormat::UnifiedAde;
    use crate::annotation::fixture::{first_error, read};
    use crate::sentence::{Entity, Relation};

    #[test]
    fn ends_are_exclusive() {
        let json = r#"[{"tokens": ["Ann", "took", "the", "drug"], "entities": [[0, 1, "P"], [2, 4, "Drug"]],
            "relations": [[2, 4, 0, 1, "of"]]}]"#;
        let (sentences, losses) = read(UnifiedAde, json);
        assert_eq!(sentences[0].entities, [Entity::new("P", 0..1), Entity::new("Drug", 2..4)]);
        assert_eq!(sentences[0].relations, [Relation::new("of", 1, 0)]);
        assert!(losses.is_empty());
    }

    #[test]
    fn malformed_records_are_errors() {
        for (json, message) in [
            (
                r#"{"tokens": ["a"], "entities": [[0, 0, "X"]]}"#,
                "record 1, line 1, entities[0]: expected an end of more than 0 (the start), found 0",
            ),
            (
                r#"{"tokens": ["a"], "entities": [[0, 1, "X"]], "relations": [[0, 1, 1, 2, "R"]]}"#,
                "record 1, line 1, relations[0]: expected the tokens of an entity, found 1..1",
            ),
        ] {
            let error = first_error(UnifiedAde, json);
            assert!(error.starts_with(message), "{error}\n{message}");
        }
    }
}
