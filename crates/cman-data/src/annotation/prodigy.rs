//! JSON lines of Prodigy's `rel.manual`.

use std::{collections::HashMap, ops::Range};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    annotation_source::AnnotationSource,
    collector::Collector,
    document::{Document, DocumentRelation, DocumentSpan, DocumentTokens},
    losses::LossKind,
    prediction::Prediction,
    sentence_text::{SentenceText, to_json},
};
use crate::{
    error::{DataError, Location, Quoted},
    id::Id,
    sentence::Sentence,
};

#[derive(Deserialize)]
struct Record {
    text: String,
    tokens: Option<Vec<Token>>,
    spans: Option<Vec<Span>>,
    relations: Option<Vec<Relation>>,
    answer: Option<String>,
    meta: Option<Box<RawValue>>,
    #[serde(rename = "_annotator_id")]
    annotator: Option<Id>,
    #[serde(rename = "_session_id")]
    session: Option<Id>,
}

#[derive(Deserialize)]
struct Meta {
    id: Id,
}

#[derive(Deserialize)]
struct Token {
    text: String,
    start: usize,
    end: usize,
}

#[derive(Deserialize)]
struct Span {
    start: usize,
    end: usize,
    label: Option<String>,
}

#[derive(Deserialize)]
struct Relation {
    head: usize,
    child: usize,
    head_span: Option<Span>,
    child_span: Option<Span>,
    label: String,
}

/// Reads a file.
pub(super) fn read(collector: &mut Collector, source: AnnotationSource) -> Result<(), DataError> {
    // The annotator of each text.
    let mut annotators: HashMap<String, Id> = HashMap::new();
    collector.read_json(source, |collector, mut record: Record, at| {
        match record.answer.as_deref() {
            None | Some("accept") => {}
            Some(answer @ ("reject" | "ignore")) => {
                collector.reject(at, answer);
                return Ok(());
            }
            Some(other) => {
                let found = Quoted(other).to_string();
                return Err(DataError::invalid(at.clone(), "answer", "accept, reject or ignore", found));
            }
        }
        let annotator = record.annotator.take().or(record.session.take());
        if let Some(annotator) = &annotator {
            let known = annotators.get(&record.text).filter(|known| *known != annotator);
            if let Some(known) = known {
                collector.lose(LossKind::FurtherAnnotation, at, &format!("by {annotator}, after {known}"));
                return Ok(());
            }
        }
        let document = document(collector, record, at)?;
        collector.add(&document, at)?;
        if let Some(annotator) = annotator {
            annotators.entry(document.text).or_insert(annotator);
        }
        Ok(())
    })
}

fn document(collector: &mut Collector, record: Record, at: &Location) -> Result<Document, DataError> {
    let meta = record.meta.and_then(|meta| serde_json::from_str::<Meta>(meta.get()).ok());
    let id = meta.map_or_else(|| at.record.unwrap_or_default().into(), |meta| meta.id);
    let mut document = Document { id, text: record.text, ..Document::default() };
    let chars: Vec<char> = document.text.chars().collect();
    let tokens = record.tokens.as_deref();
    for (i, token) in tokens.into_iter().flatten().enumerate() {
        let found = chars.get(token.start..token.end).map(|chars| chars.iter().collect::<String>());
        if found.as_ref() != Some(&token.text) {
            let Token { text, start, end } = token;
            let expected = format!("{} at characters {start}..{end}", Quoted(text));
            let found = found.map_or_else(|| "no such characters".to_owned(), |found| Quoted(&found).to_string());
            return Err(DataError::invalid(at.clone(), format!("tokens[{i}]"), expected, found));
        }
        if token.text.trim().is_empty() {
            collector.lose(LossKind::BlankToken, at, &format!("tokens[{i}]"));
        }
    }
    if let Some(tokens) = tokens {
        let tokens = tokens.iter().filter(|token| !token.text.trim().is_empty());
        document.tokens = DocumentTokens::Given(tokens.map(|token| token.start..token.end).collect());
    }
    if record.spans.is_none() {
        collector.lose(LossKind::Unannotated, at, "");
    }
    for (i, span) in record.spans.into_iter().flatten().enumerate() {
        let name = format!("spans[{i}]");
        let missing = || DataError::invalid(at.clone(), format!("{name}.label"), "a label", "none");
        let kind = span.label.ok_or_else(missing)?;
        document.spans.push(DocumentSpan { kind, chars: span.start..span.end, name });
    }
    for (i, relation) in record.relations.into_iter().flatten().enumerate() {
        let name = format!("relations[{i}]");
        let argument = |span: Option<&Span>, token: usize| match (span, tokens) {
            (Some(span), _) => Ok(document.spans.iter().position(|other| {
                other.chars == (span.start..span.end) && span.label.as_ref().is_none_or(|label| *label == other.kind)
            })),
            (None, Some(tokens)) if token < tokens.len() => {
                let Token { start, end, .. } = tokens[token];
                let around = |other: &DocumentSpan| other.chars.start <= start && end <= other.chars.end;
                let spans = document.spans.iter().enumerate().filter(|(_, other)| around(other));
                Ok(spans.min_by_key(|(_, other)| other.chars.len()).map(|(i, _)| i))
            }
            _ => {
                let n_tokens = tokens.map_or(0, <[Token]>::len);
                let expected = format!("a token of less than {n_tokens} (the number of tokens)");
                Err(DataError::invalid(at.clone(), &name, expected, token.to_string()))
            }
        };
        let head = argument(relation.head_span.as_ref(), relation.head)?;
        match (head, argument(relation.child_span.as_ref(), relation.child)?) {
            (Some(head), Some(tail)) => {
                document.relations.push(DocumentRelation { kind: relation.label, head, tail, name });
            }
            _ => collector.lose(LossKind::RelationWithoutEntity, at, &name),
        }
    }
    Ok(document)
}

#[derive(Serialize)]
struct Written<'a> {
    text: &'a str,
    meta: WrittenMeta<'a>,
    tokens: Vec<WrittenToken<'a>>,
    spans: Vec<WrittenSpan<'a>>,
    relations: Vec<WrittenRelation<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<&'static str>,
}

#[derive(Serialize)]
struct WrittenMeta<'a> {
    id: &'a Id,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
}

#[derive(Serialize)]
struct WrittenToken<'a> {
    text: &'a str,
    start: usize,
    end: usize,
    id: usize,
    ws: bool,
}

#[derive(Clone, Serialize)]
struct WrittenSpan<'a> {
    start: usize,
    end: usize,
    token_start: usize,
    token_end: usize,
    label: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
}

#[derive(Serialize)]
struct WrittenRelation<'a> {
    head: usize,
    child: usize,
    head_span: WrittenSpan<'a>,
    child_span: WrittenSpan<'a>,
    label: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
}

/// The record of a sentence: accepted, or with a prediction and no answer yet.
pub(super) fn record(sentence: &Sentence, prediction: Option<&Prediction>) -> Result<String, DataError> {
    let text = SentenceText::of(sentence);
    let chars: Vec<char> = text.text.chars().collect();
    let tokens = sentence.words().zip(&text.tokens).enumerate();
    let spans: Vec<WrittenSpan> = sentence
        .entities
        .iter()
        .enumerate()
        .map(|(i, entity)| {
            let Range { start, end } = text.chars(entity);
            let (token_start, token_end) = (entity.start, entity.end - 1);
            let score = prediction.and_then(|prediction| prediction.entity(i));
            WrittenSpan { start, end, token_start, token_end, label: &entity.kind, score }
        })
        .collect();
    let relations = sentence.relations.iter().enumerate().map(|(i, relation)| {
        let [head_span, child_span] = [relation.head, relation.tail].map(|argument| spans[argument].clone());
        let score = prediction.and_then(|prediction| prediction.relation(i));
        // A token stands for its span: the last one.
        let (head, child) = (head_span.token_end, child_span.token_end);
        WrittenRelation { head, child, head_span, child_span, label: &relation.kind, score }
    });
    to_json(&Written {
        text: &text.text,
        meta: WrittenMeta {
            id: &sentence.id,
            model: prediction.map(|prediction| prediction.model),
            score: prediction.and_then(Prediction::mean),
        },
        tokens: tokens
            .map(|(id, (word, range))| WrittenToken {
                text: word,
                start: range.start,
                end: range.end,
                id,
                ws: chars.get(range.end).is_some_and(|char| *char == ' '),
            })
            .collect(),
        relations: relations.collect(),
        spans,
        answer: prediction.is_none().then_some("accept"),
    })
}

#[cfg(test)]
mod tests {
    use crate::annotation::fixture::{first_error, read, span_texts, words};
    use crate::annotation::{AnnotationFormat::Prodigy, LossKind};
    use crate::sentence::Relation;

    const RECORD: &str = r#"{"text": "Zoë-Ann  met שרה.", "_input_hash": -7, "tokens": [
        {"text": "Zoë-Ann", "start": 0, "end": 7, "id": 0, "ws": true},
        {"text": " ", "start": 8, "end": 9, "id": 1, "ws": false},
        {"text": "met", "start": 9, "end": 12, "id": 2, "ws": true, "disabled": false},
        {"text": "שרה", "start": 13, "end": 16, "id": 3, "ws": false},
        {"text": ".", "start": 16, "end": 17, "id": 4, "ws": false}],
        "spans": [{"start": 0, "end": 7, "token_start": 0, "token_end": 0, "label": "P"},
                  {"start": 13, "end": 16, "token_start": 3, "token_end": 3, "label": "P"}],
        "relations": [{"head": 0, "child": 3, "label": "met", "color": "x",
            "head_span": {"start": 0, "end": 7, "token_start": 0, "token_end": 0, "label": "P"},
            "child_span": {"start": 13, "end": 16, "token_start": 3, "token_end": 3, "label": "P"}},
            {"head": 3, "child": 0, "label": "knows"}, {"head": 2, "child": 0, "label": "by"}],
        "answer": "accept"}"#;

    fn line(json: &str) -> String {
        json.replace('\n', " ")
    }

    #[test]
    fn tokens_spans_and_relations_are_read() {
        let rejected = r#"{"text": "No", "answer": "reject"}"#;
        let (sentences, losses) = read(Prodigy, &format!("{}\n{rejected}\n", line(RECORD)));
        assert_eq!(words(&sentences), [["Zoë-Ann", "met", "שרה", "."]]);
        assert_eq!(span_texts(&sentences[0]), [("P", "Zoë-Ann".into()), ("P", "שרה".into())]);
        assert_eq!(sentences[0].relations, [Relation::new("met", 0, 1), Relation::new("knows", 1, 0)]);
        for kind in [LossKind::BlankToken, LossKind::NotAccepted, LossKind::RelationWithoutEntity] {
            assert_eq!(losses.count(kind), 1, "{kind}");
        }
        assert_eq!(losses.kinds().len(), 3);
    }

    #[test]
    fn the_first_annotator_of_a_text_is_read() {
        let by = |annotator: &str, answer: &str, text: &str| {
            format!(r#"{{"text": "{text}", "spans": [], "answer": "{answer}", {annotator}}}"#)
        };
        let [ann, bob] = [r#""_annotator_id": "db-ann", "_session_id": "s""#, r#""_annotator_id": "db-bob""#];
        let lines = [
            by(ann, "reject", "One."),
            by(bob, "accept", "One."),
            by(ann, "accept", "Two."),
            by(bob, "accept", "Two."),
            by(bob, "accept", "Two."),
            by(ann, "accept", "Two."),
            by(r#""_session_id": "x""#, "accept", "Three."),
            by(r#""meta": {}"#, "accept", "Three."),
        ];
        let (sentences, losses) = read(Prodigy, &lines.join("\n"));
        assert_eq!(words(&sentences).concat().join(" "), "One . Two . Two . Three . Three .");
        let further = losses.kinds().iter().find(|loss| loss.kind == LossKind::FurtherAnnotation).unwrap();
        assert_eq!(further.count, 2);
        assert!(further.places[0].ends_with("record 4, line 4: by db-bob, after db-ann"), "{}", further.places[0]);
    }

    #[test]
    fn malformed_records_are_errors() {
        for (old, new, message) in [
            (r#""start": 9, "#, r#""start": 8, "#, r#"tokens[2]: expected "met" at characters 8..12, found " met""#),
            (
                r#""head": 3"#,
                r#""head": 5"#,
                "relations[1]: expected a token of less than 5 (the number of tokens), found 5",
            ),
            ("accept", "maybe", r#"answer: expected accept, reject or ignore, found "maybe""#),
            (r#""token_end": 0, "label": "P"}"#, r#""token_end": 0}"#, "spans[0].label: expected a label, found none"),
        ] {
            let error = first_error(Prodigy, &line(&RECORD.replacen(old, new, 1)));
            assert_eq!(error, format!("record 1, line 1, {message}"));
        }
        let rejected = first_error(Prodigy, r#"{"text": "No", "answer": "reject"}"#);
        assert_eq!(rejected.split(':').next(), Some("no sentences (1 records read)"));
    }
}
