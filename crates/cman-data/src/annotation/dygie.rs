//! JSON lines of DyGIE++ and PURE.

use serde::{Deserialize, Serialize, de::IgnoredAny};

use super::{
    annotation_source::AnnotationSource,
    collector::Collector,
    document::Document,
    losses::{LossKind, Losses},
    sentence_text::{has_raw_text, to_json},
    token_spans::{TokenRelation, TokenSpans},
};
use crate::{
    error::{DataError, Location},
    id::Id,
    sentence::Sentence,
};

#[derive(Deserialize)]
struct Record {
    doc_key: Option<Id>,
    sentences: Vec<Vec<String>>,
    ner: Option<Vec<Vec<(usize, usize, String)>>>,
    relations: Option<Vec<Vec<TokenRelation<String>>>>,
    events: Option<Vec<Vec<IgnoredAny>>>,
    clusters: Option<Vec<IgnoredAny>>,
}

/// Reads a file.
pub(super) fn read(collector: &mut Collector, source: AnnotationSource) -> Result<(), DataError> {
    collector.read_json(source, read_record)
}

fn read_record(collector: &mut Collector, record: Record, at: &Location) -> Result<(), DataError> {
    let id = record.doc_key.unwrap_or_else(|| at.record.unwrap_or_default().into());
    let n_sentences = record.sentences.len();
    let mut spans = TokenSpans::new(Document::from_tokens(id, &record.sentences), at);
    for (field, length) in
        [("ner", record.ner.as_ref().map(Vec::len)), ("relations", record.relations.as_ref().map(Vec::len))]
    {
        if let Some(length) = length.filter(|&length| length != n_sentences) {
            let expected = format!("{n_sentences} lists, one for each sentence");
            return Err(DataError::invalid(at.clone(), field, expected, length.to_string()));
        }
    }
    if record.ner.is_none() {
        collector.lose(LossKind::Unannotated, at, "");
    }
    for (i, entities) in record.ner.into_iter().flatten().enumerate() {
        for (j, (start, last, kind)) in entities.into_iter().enumerate() {
            spans.add(kind, start, last, format!("ner[{i}][{j}]"))?;
        }
    }
    for (i, relations) in record.relations.into_iter().flatten().enumerate() {
        for (j, (head, head_last, tail, tail_last, kind)) in relations.into_iter().enumerate() {
            spans.relate(kind, (head, head_last), (tail, tail_last), format!("relations[{i}][{j}]"))?;
        }
    }
    for _ in record.events.into_iter().flatten().flatten() {
        collector.lose(LossKind::Event, at, "events");
    }
    for _ in record.clusters.into_iter().flatten() {
        collector.lose(LossKind::Coreference, at, "clusters");
    }
    collector.add(&spans.document, at)
}

#[derive(Serialize)]
struct Written<'a> {
    doc_key: &'a Id,
    sentences: Vec<Vec<&'a str>>,
    ner: Vec<Vec<(usize, usize, &'a str)>>,
    relations: Vec<Vec<TokenRelation<&'a str>>>,
}

/// The record of a document of these sentences, of which the first has the id.
pub(super) fn record(sentences: &[Sentence], at: &Location, losses: &mut Losses) -> Result<String, DataError> {
    if sentences.iter().any(has_raw_text) {
        losses.add(LossKind::RawText, at.to_string());
    }
    let first = sentences.first();
    let id = Id::default();
    let doc_key = first.map_or(&id, |sentence| &sentence.id);
    let mut written = Written { doc_key, sentences: Vec::new(), ner: Vec::new(), relations: Vec::new() };
    let mut before = 0;
    for sentence in sentences {
        let span = |argument: usize| {
            let entity = &sentence.entities[argument];
            (before + entity.start, before + entity.end - 1)
        };
        // A relation names its arguments by their tokens alone; a sentence gives tokens one type.
        let relations = sentence.relations.iter().map(|relation| {
            let ((head, head_last), (tail, tail_last)) = (span(relation.head), span(relation.tail));
            (head, head_last, tail, tail_last, relation.kind.as_str())
        });
        let entities = sentence.entities.iter().enumerate().map(|(i, entity)| {
            let (start, last) = span(i);
            (start, last, entity.kind.as_str())
        });
        written.sentences.push(sentence.words().collect());
        written.ner.push(entities.collect());
        written.relations.push(relations.collect());
        before += sentence.len();
    }
    to_json(&written)
}

#[cfg(test)]
mod tests {
    use crate::annotation::fixture::{first_error, read, words};
    use crate::annotation::{AnnotationFormat::Dygie, LossKind};
    use crate::sentence::{Entity, Relation};

    const DOCUMENT: &str = r#"{"doc_key": "W05-01", "dataset": "x", "clusters": [[[0, 0], [4, 4]]],
        "sentences": [["Zoë", "left", "王 芳", "."], ["She", "likes", "Bonn"]],
        "ner": [[[0, 0, "P"], [2, 2, "P"]], [[4, 4, "P"], [6, 6, "L"]]],
        "relations": [[[0, 0, 2, 2, "met"]], [[0, 0, 6, 6, "in"]]]}"#;

    #[test]
    fn indices_count_over_the_document() {
        let (sentences, losses) = read(Dygie, &DOCUMENT.replace('\n', " "));
        assert_eq!(words(&sentences), [vec!["Zoë", "left", "王 芳", "."], vec!["She", "likes", "Bonn"]]);
        assert_eq!(sentences[1].entities, [Entity::new("P", 0..1), Entity::new("L", 2..3)]);
        assert_eq!(sentences[0].relations, [Relation::new("met", 0, 1)]);
        assert_eq!((sentences[1].id.as_str(), &sentences[1].text), ("W05-01-2", &None));
        assert_eq!(losses.count(LossKind::RelationAcrossSentences), 1);
        assert_eq!(losses.count(LossKind::Coreference), 1);
        assert_eq!(losses.kinds().len(), 2);
    }

    #[test]
    fn an_entity_across_sentences_joins_them() {
        let json = r#"{"doc_key": "a", "sentences": [["A", "b"], ["C"]], "ner": [[[1, 2, "X"]], []]}"#;
        let (sentences, losses) = read(Dygie, json);
        assert_eq!(words(&sentences), [["A", "b", "C"]]);
        assert_eq!(losses.count(LossKind::JoinedSentences), 1);
    }

    #[test]
    fn malformed_documents_are_errors() {
        for (json, message) in [
            (r#"{"doc_key": "a"}"#, "record 1, line 1, column 16: missing field `sentences`"),
            (
                r#"{"sentences": [["a"]], "ner": []}"#,
                "record 1, line 1, ner: expected 1 lists, one for each sentence, found 0",
            ),
            (
                r#"{"sentences": [["a"]], "ner": [[[0, 1, "X"]]]}"#,
                "record 1, line 1, ner[0][0]: expected a first token of at most the last, less than 1 (the number of tokens), found 0..1",
            ),
            (
                r#"{"sentences": [["a"]], "ner": [[]], "relations": [[[0, 0, 0, 0, "R"]]]}"#,
                "record 1, line 1, relations[0][0]: expected the tokens of an entity, found 0..0",
            ),
            (r#"{"sentences": [["a", ""]]}"#, "record 1, line 1, tokens[1]: expected a non-empty token, found \"\""),
            (
                r#"{"sentences": [["a"]], "ner": [[[0, 0]]]}"#,
                "record 1, line 1, column 38, ner[0][0]: expected an array of length 3, found 2",
            ),
        ] {
            let error = first_error(Dygie, json);
            assert!(error.starts_with(message), "{error}\n{message}");
        }
    }
}
