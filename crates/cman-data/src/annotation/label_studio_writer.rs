//! Writer for Label Studio's JSON.

use serde::Serialize;

use super::{
    losses::{LossKind, Losses},
    prediction::Prediction,
    sentence_text::{SentenceText, to_json},
};
use crate::{
    error::{DataError, Location},
    id::Id,
    sentence::Sentence,
};

#[derive(Serialize)]
struct Task<'a> {
    data: Data<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<[Annotation<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    predictions: Option<[Predicted<'a>; 1]>,
}

/// Label Studio gives an imported task an id of its own.
#[derive(Serialize)]
struct Data<'a> {
    id: &'a Id,
    text: &'a str,
}

#[derive(Serialize)]
struct Annotation<'a> {
    result: Vec<Region<'a>>,
}

/// The tool shows a prediction to the annotator, and makes an annotation of what is corrected.
#[derive(Serialize)]
struct Predicted<'a> {
    model_version: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    result: Vec<Region<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Region<'a> {
    Span {
        id: String,
        from_name: &'static str,
        to_name: &'static str,
        #[serde(rename = "type")]
        kind: &'static str,
        value: Value<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        score: Option<f64>,
    },
    Relation {
        #[serde(rename = "type")]
        kind: &'static str,
        from_id: String,
        to_id: String,
        direction: &'static str,
        labels: [&'a str; 1],
        #[serde(skip_serializing_if = "Option::is_none")]
        score: Option<f64>,
    },
}

#[derive(Serialize)]
struct Value<'a> {
    start: usize,
    end: usize,
    text: String,
    labels: [&'a str; 1],
}

/// The task of a sentence: with an annotation, or with a prediction. Offsets are code points.
pub(super) fn record(
    sentence: &Sentence,
    prediction: Option<&Prediction>,
    at: &Location,
    losses: &mut Losses,
) -> Result<String, DataError> {
    losses.add(LossKind::Tokens, at.to_string());
    let text = SentenceText::of(sentence);
    let spans = sentence.entities.iter().enumerate().map(|(i, entity)| {
        let chars = text.chars(entity);
        Region::Span {
            id: format!("e{i}"),
            from_name: "label",
            to_name: "text",
            kind: "labels",
            value: Value { start: chars.start, end: chars.end, text: text.surface(entity), labels: [&entity.kind] },
            score: prediction.and_then(|prediction| prediction.entity(i)),
        }
    });
    let relations = sentence.relations.iter().enumerate().map(|(i, relation)| Region::Relation {
        kind: "relation",
        from_id: format!("e{}", relation.head),
        to_id: format!("e{}", relation.tail),
        direction: "right",
        labels: [&relation.kind],
        score: prediction.and_then(|prediction| prediction.relation(i)),
    });
    let result = spans.chain(relations).collect();
    let (annotations, predictions) = match prediction {
        None => (Some([Annotation { result }]), None),
        Some(prediction) => {
            let (model_version, score) = (prediction.model, prediction.mean());
            (None, Some([Predicted { model_version, score, result }]))
        }
    };
    to_json(&Task { data: Data { id: &sentence.id, text: &text.text }, annotations, predictions })
}

#[cfg(test)]
mod tests {
    use crate::annotation::AnnotationFormat::LabelStudio;
    use crate::annotation::fixture::{read, write};
    use crate::sentence::{Entity, Relation, Sentence};

    #[test]
    fn tasks_are_written_as_the_tool_exports_them() {
        let mut sentence = Sentence::from_tokens("a-7", ["😀", "Ann", "left", "Rome"]);
        sentence.entities = vec![Entity::new("P", 1..2), Entity::new("L", 3..4)];
        sentence.relations = vec![Relation::new("in", 0, 1)];
        let (text, _) = write(std::slice::from_ref(&sentence), LabelStudio);
        assert_eq!(
            text,
            concat!(
                r#"[{"data":{"id":"a-7","text":"😀 Ann left Rome"},"annotations":[{"result":["#,
                r#"{"id":"e0","from_name":"label","to_name":"text","type":"labels","#,
                r#""value":{"start":2,"end":5,"text":"Ann","labels":["P"]}},"#,
                r#"{"id":"e1","from_name":"label","to_name":"text","type":"labels","#,
                r#""value":{"start":11,"end":15,"text":"Rome","labels":["L"]}},"#,
                r#"{"type":"relation","from_id":"e0","to_id":"e1","direction":"right","labels":["in"]}]}]}"#
            )
            .replacen('[', "[\n", 1)
                + "\n]\n"
        );
        let (sentences, losses) = read(LabelStudio, &text);
        assert_eq!((&sentences[0].id, &sentences[0].entities), (&sentence.id, &sentence.entities));
        assert!(losses.is_empty());
    }
}
