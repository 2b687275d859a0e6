//! Label Studio's JSON.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
};

use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;

use super::{
    annotation_source::AnnotationSource,
    collector::Collector,
    document::{Document, DocumentRelation, DocumentSpan},
    losses::LossKind,
    offsets::{Offsets, Unit, fitting},
    options::AnnotationOptions,
};
use crate::{
    corpus::OnError,
    error::{DataError, Location, Quoted},
    id::Id,
};

/// The type of relations without one.
const UNTYPED: &str = "related";

#[derive(Deserialize)]
struct Task {
    id: Option<Id>,
    data: Option<BTreeMap<String, Box<RawValue>>>,
    #[serde(alias = "completions")]
    annotations: Option<Vec<Annotation>>,
    /// Predictions, or in some exports only their ids.
    predictions: Option<Box<RawValue>>,
    // Keys of JSON_MIN.
    annotation_id: Option<IgnoredAny>,
    lead_time: Option<IgnoredAny>,
    annotator: Option<IgnoredAny>,
    label: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Annotation {
    result: Vec<Region>,
    was_cancelled: Option<bool>,
    ground_truth: Option<bool>,
}

#[derive(Deserialize)]
struct Region {
    id: Option<Id>,
    #[serde(rename = "type")]
    kind: String,
    value: Option<Box<RawValue>>,
    from_id: Option<Id>,
    to_id: Option<Id>,
    direction: Option<String>,
    labels: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Value {
    start: usize,
    end: usize,
    text: Option<String>,
    #[serde(alias = "hypertextlabels")]
    labels: Option<Vec<String>>,
}

/// A region with labels.
struct Labelled {
    id: Option<Id>,
    value: Value,
    name: String,
}

/// Reads a file. Two passes: a task in which several units fit is read in the unit of the others.
pub(super) fn read(collector: &mut Collector, source: AnnotationSource) -> Result<(), DataError> {
    if !source.is_repeatable() {
        let found = if source.name().is_dir() { "a directory" } else { "a pipe or device, which can be read once" };
        return Err(DataError::invalid(source.location(), "", "a file", found));
    }
    let options = AnnotationOptions { on_error: OnError::Skip, ..collector.options.clone() };
    let mut decided = None;
    Collector::new(&options).read_json(source, |first, task: Task, at| {
        if decided.is_none()
            && let Ok((_, text, regions, _)) = parts(first, task, at)
            && let units = Unit::differing(&text)
            && units.len() > 1
            && let [unit] = fitting(&text, &units, &spans(&regions))[..]
        {
            decided = Some(unit);
        }
        Ok(())
    })?;
    collector.read_json(source, |collector, task: Task, at| {
        if task.data.is_none() && is_flat(&task) {
            return Err(flat(at));
        }
        let annotations = task.annotations.as_deref().unwrap_or_default();
        if !annotations.is_empty() && annotations.iter().all(|annotation| annotation.was_cancelled == Some(true)) {
            collector.reject(at, "was_cancelled");
            return Ok(());
        }
        let document = document(collector, task, decided, at)?;
        collector.add(&document, at)
    })
}

/// Whether a record without `data` is one of JSON_MIN.
fn is_flat(task: &Task) -> bool {
    [&task.annotation_id, &task.lead_time, &task.annotator, &task.label].into_iter().any(Option::is_some)
}

/// The error for an export as JSON_MIN.
pub(super) fn flat(at: &Location) -> DataError {
    DataError::Foreign {
        at: Box::new(at.clone()),
        expected: "an export of Label Studio as JSON",
        found: "an export as JSON_MIN, which drops relations".to_owned(),
        hint: Some("export the project from Label Studio as JSON".to_owned()),
    }
}

/// The id, text and labelled regions of a task, and the other regions with their names.
type Parts = (Id, String, Vec<Labelled>, Vec<(Region, String)>);

fn parts(collector: &mut Collector, task: Task, at: &Location) -> Result<Parts, DataError> {
    let Some(data) = task.data else {
        return Err(DataError::invalid(at.clone(), "data", "an object with the text", "none"));
    };
    let own = data.get("id").and_then(|id| serde_json::from_str::<Id>(id.get()).ok());
    let id = own.or(task.id).unwrap_or_else(|| at.record.unwrap_or_default().into());
    let (mut regions, mut others) = (Vec::new(), Vec::new());
    if let Some((chosen, result)) = chosen(collector, task.annotations, task.predictions.as_deref(), at)? {
        for (j, region) in result.into_iter().enumerate() {
            let name = format!("{chosen}.result[{j}]");
            match (region.kind.as_str(), &region.value) {
                ("labels" | "hypertextlabels", Some(value)) => {
                    let value = serde_json::from_str::<Value>(value.get()).map_err(|error| {
                        let error = DataError::json(Location::default(), None, &error).reason();
                        let expected = "a span of text with the numbers start and end";
                        DataError::invalid(at.clone(), format!("{name}.value"), expected, error)
                    })?;
                    regions.push(Labelled { id: region.id, value, name });
                }
                _ => others.push((region, name)),
            }
        }
    }
    let text = text(data, &regions, collector.options.text_key.as_deref(), at)?;
    Ok((id, text, regions, others))
}

/// The annotation that is read: the ground truth, else the first that was not cancelled, else, if it is wanted, the first
/// prediction. With its name.
fn chosen(
    collector: &mut Collector,
    annotations: Option<Vec<Annotation>>,
    predictions: Option<&RawValue>,
    at: &Location,
) -> Result<Option<(String, Vec<Region>)>, DataError> {
    let mut all: Vec<_> = annotations.into_iter().flatten().enumerate().collect();
    all.retain(|(_, annotation)| annotation.was_cancelled != Some(true));
    let mut list = "annotations";
    if all.is_empty() {
        let predictions = predictions.map_or("null", RawValue::get);
        let n_predictions = serde_json::from_str::<Vec<IgnoredAny>>(predictions).map_or(0, |all| all.len());
        if n_predictions == 0 || !collector.options.predictions {
            let kind = if n_predictions == 0 { LossKind::Unannotated } else { LossKind::Prediction };
            collector.lose(kind, at, "");
            return Ok(None);
        }
        list = "predictions";
        let predictions: Vec<Annotation> = serde_json::from_str(predictions).map_err(|error| {
            let found = DataError::json(Location::default(), None, &error).reason();
            DataError::invalid(at.clone(), list, "predictions with a result", found)
        })?;
        all = predictions.into_iter().enumerate().collect();
    }
    let first = all.iter().position(|(_, annotation)| annotation.ground_truth == Some(true)).unwrap_or_default();
    let (i, annotation) = all.swap_remove(first);
    for (other, _) in all {
        collector.lose(LossKind::FurtherAnnotation, at, &format!("{list}[{other}]"));
    }
    Ok(Some((format!("{list}[{i}]"), annotation.result)))
}

/// The text of a task.
fn text(
    data: BTreeMap<String, Box<RawValue>>,
    regions: &[Labelled],
    key: Option<&str>,
    at: &Location,
) -> Result<String, DataError> {
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in data {
        if let Ok(text) = serde_json::from_str(value.get()) {
            texts.insert(name, text);
        }
    }
    let keys = texts.keys().cloned().collect::<Vec<_>>().join(", ");
    let found = || if keys.is_empty() { "no text".to_owned() } else { format!("text under {keys}") };
    if let Some(key) = key {
        let expected = || DataError::invalid(at.clone(), "data", format!("text under {key}"), found());
        return texts.remove(key).ok_or_else(expected);
    }
    if let Some(text) = texts.remove("text") {
        return Ok(text);
    }
    if texts.len() > 1 {
        texts.retain(|_, text| !fitting(text, &Unit::differing(text), &spans(regions)).is_empty());
    }
    match (texts.len(), texts.pop_first()) {
        (1, Some((_, text))) => Ok(text),
        _ => Err(DataError::invalid(at.clone(), "data", "one text that fits the annotation", found())),
    }
}

fn spans(regions: &[Labelled]) -> Vec<(Range<usize>, Option<&str>)> {
    regions.iter().map(|region| (region.value.start..region.value.end, region.value.text.as_deref())).collect()
}

fn document(
    collector: &mut Collector,
    task: Task,
    decided: Option<Unit>,
    at: &Location,
) -> Result<Document, DataError> {
    let (id, text, regions, others) = parts(collector, task, at)?;
    let units = fitting(&text, &Unit::differing(&text), &spans(&regions));
    let decided = decided.filter(|unit| units.contains(unit));
    let Some(unit) = decided.or_else(|| units.first().copied()) else { return Err(misfit(&text, &regions, at)) };
    let offsets = Offsets::new(&text, unit);
    let others_fit: Vec<Offsets> = units.iter().map(|&unit| Offsets::new(&text, unit)).collect();
    let mut document = Document { id, ..Document::default() };
    let mut by_id: HashMap<Id, usize> = HashMap::new();
    for Labelled { id, value, name } in regions {
        let Some(chars) = offsets.chars(value.start..value.end) else { continue };
        let is_certain = others_fit.iter().all(|other| other.chars(value.start..value.end) == Some(chars.clone()));
        if decided.is_none() && !is_certain {
            collector.lose(LossKind::AmbiguousOffsets, at, &name);
        }
        let labels = value.labels.unwrap_or_default();
        if labels.is_empty() {
            collector.lose(LossKind::UntypedEntity, at, &name);
        } else if let Some(id) = id {
            by_id.entry(id).or_insert(document.spans.len());
        }
        for kind in labels {
            document.spans.push(DocumentSpan { kind, chars: chars.clone(), name: name.clone() });
        }
    }
    for (region, name) in others {
        if region.kind != "relation" {
            collector.lose(LossKind::Attribute, at, &format!("{name}: {}", region.kind));
            continue;
        }
        let [from, to] = [&region.from_id, &region.to_id].map(|id| by_id.get(id.as_ref()?).copied());
        let (Some(from), Some(to)) = (from, to) else {
            collector.lose(LossKind::RelationWithoutEntity, at, &name);
            continue;
        };
        let pairs = match region.direction.as_deref() {
            None | Some("right") => vec![(from, to)],
            Some("left") => vec![(to, from)],
            Some("bi") => {
                collector.lose(LossKind::BothDirections, at, &name);
                vec![(from, to), (to, from)]
            }
            Some(other) => {
                let found = Quoted(other).to_string();
                return Err(DataError::invalid(at.clone(), format!("{name}.direction"), "right, left or bi", found));
            }
        };
        let mut labels = region.labels.unwrap_or_default();
        if labels.is_empty() {
            collector.lose(LossKind::UntypedRelation, at, &name);
            labels.push(UNTYPED.to_owned());
        }
        for kind in labels {
            for &(head, tail) in &pairs {
                let (kind, name) = (kind.clone(), name.clone());
                document.relations.push(DocumentRelation { kind, head, tail, name });
            }
        }
    }
    document.text = text;
    Ok(document)
}

/// The error for offsets that fit in no unit.
fn misfit(text: &str, regions: &[Labelled], at: &Location) -> DataError {
    let units = Unit::differing(text);
    let alone = regions.iter().find(|region| fitting(text, &units, &spans(std::slice::from_ref(*region))).is_empty());
    let Some(Labelled { value, name, .. }) = alone else {
        let expected = "offsets that all count code points, or all UTF-16 units";
        return DataError::invalid(at.clone(), "annotations", expected, "some of each");
    };
    let Range { start, end } = value.start..value.end;
    let surface = value.text.as_deref().map_or_else(|| "characters".to_owned(), |text| Quoted(text).to_string());
    let found = [("code points", Unit::CODE_POINTS), ("UTF-16 units", Unit::UTF16)].map(|(unit, kind)| {
        let offsets = Offsets::new(text, kind);
        let found = offsets.chars(start..end).map(|chars| offsets.text(chars));
        let found = found.map_or_else(|| "no such characters".to_owned(), |text| Quoted(&text).to_string());
        format!("{found} in {unit}")
    });
    let expected = format!("{surface} at {start}..{end}");
    DataError::invalid(at.clone(), format!("{name}.value"), expected, found.join(", "))
}

#[cfg(test)]
mod tests {
    use crate::annotation::fixture::{first_error, read, read_with, span_texts};
    use crate::annotation::{AnnotationFormat::LabelStudio, AnnotationOptions, LossKind};
    use crate::sentence::Relation;

    fn task(text: &str, result: &str) -> String {
        let text = serde_json::to_string(text).unwrap();
        format!(r#"{{"id": 3, "data": {{"text": {text}}}, "annotations": [{{"id": 9, "result": [{result}]}}]}}"#)
    }

    fn region(id: &str, start: usize, end: usize, text: &str, label: &str) -> String {
        let text = serde_json::to_string(text).unwrap();
        format!(
            r#"{{"id": "{id}", "from_name": "label", "to_name": "text", "type": "labels",
            "value": {{"start": {start}, "end": {end}, "text": {text}, "labels": ["{label}"]}}}}"#
        )
    }

    fn relation(direction: &str, labels: &str) -> String {
        format!(r#"{{"type": "relation", "from_id": "a", "to_id": "b", "direction": {direction}, "labels": {labels}}}"#)
    }

    #[test]
    fn the_text_of_a_span_decides_the_unit() {
        let text = "😀 Zoë 👩‍👧\tlives in 東京.";
        for (a, b) in [(2..5, 19..21), (3..6, 22..24)] {
            let result = [region("a", a.start, a.end, "Zoë", "P"), region("b", b.start, b.end, "東京", "L")].join(",");
            let result = [result, relation("\"right\"", r#"["in"]"#)].join(",");
            let (sentences, losses) = read(LabelStudio, &format!("[{}]", task(text, &result)));
            assert_eq!(span_texts(&sentences[0]), [("P", "Zoë".into()), ("L", "東京".into())]);
            assert_eq!(
                (sentences[0].id.as_str(), &sentences[0].relations[..]),
                ("3", &[Relation::new("in", 0, 1)][..])
            );
            assert!(losses.is_empty(), "{losses}");
        }
        let crlf = task("a\r\nAnn left", &region("a", 2, 5, "Ann", "P"));
        assert_eq!(
            span_texts(&read(LabelStudio, &format!("[{crlf}]")).0[0]),
            [("P", "Ann".into())],
            "a browser joins CR and LF"
        );
    }

    #[test]
    fn other_tasks_decide_where_several_units_fit() {
        let ambiguous = task("😀😀 a a a", &region("a", 7, 8, "a", "X"));
        let (sentences, losses) = read(LabelStudio, &format!("[{ambiguous}]"));
        assert_eq!((losses.count(LossKind::AmbiguousOffsets), sentences[0].entities[0].start), (1, 3));
        let decides = task("😀 bb", &region("a", 3, 5, "bb", "X"));
        let (sentences, losses) = read(LabelStudio, &format!("[{ambiguous}, {decides}]"));
        assert_eq!((losses.count(LossKind::AmbiguousOffsets), sentences[0].entities[0].start), (0, 2));
        let without = ambiguous.replace(r#""text": "a", "#, "");
        assert_eq!(read(LabelStudio, &format!("[{without}]")).1.count(LossKind::AmbiguousOffsets), 1);
    }

    #[test]
    fn directions_labels_and_annotators() {
        let spans = [region("a", 0, 3, "Ann", "P"), region("b", 8, 11, "Bob", "P")].join(",");
        let with = |relation: String| task("Ann met Bob", &format!("{spans},{relation}"));
        let relations = |direction, labels| {
            let (sentences, losses) = read(LabelStudio, &format!("[{}]", with(relation(direction, labels))));
            (sentences[0].relations.clone(), losses)
        };
        assert_eq!(relations("\"left\"", r#"["R"]"#).0, [Relation::new("R", 1, 0)]);
        let (both, losses) = relations("\"bi\"", r#"["R"]"#);
        assert_eq!((both.len(), losses.count(LossKind::BothDirections)), (2, 1));
        let (untyped, losses) = relations("null", "null");
        assert_eq!((untyped, losses.count(LossKind::UntypedRelation)), (vec![Relation::new("related", 0, 1)], 1));

        let two = with(r#"{"type": "choices", "value": {"choices": ["x"]}}"#.into())
            .replace(
                r#""annotations": ["#,
                r#""annotations": [{"was_cancelled": true, "result": []}, {"result": []}, "#,
            )
            .replace(r#"{"id": 9,"#, r#"{"id": 9, "ground_truth": true,"#);
        let (sentences, losses) = read(LabelStudio, &format!("[{two}]"));
        assert_eq!(sentences[0].entities.len(), 2);
        for kind in [LossKind::FurtherAnnotation, LossKind::Attribute] {
            assert_eq!(losses.count(kind), 1, "{kind}");
        }
    }

    #[test]
    fn predictions_are_read_if_they_are_asked_for() {
        let spans = [region("a", 0, 3, "Ann", "P"), region("b", 8, 11, "Bob", "P")].join(",");
        let task = task("Ann met Bob", &spans);
        let with = |predictions: &str| {
            format!(
                "[{}]",
                task.replace(r#""annotations""#, &format!(r#""annotations": [], "predictions": {predictions}, "x""#))
            )
        };
        let options = AnnotationOptions { predictions: true, ..AnnotationOptions::default() };
        let two = with(&format!(r#"[{{"model_version": "m", "score": 0.5, "result": [{spans}]}}, {{"result": []}}]"#));
        let (sentences, losses) = read_with(LabelStudio, &two, &options).unwrap();
        assert_eq!((sentences[0].entities.len(), losses.count(LossKind::FurtherAnnotation)), (2, 1));
        let (sentences, losses) = read(LabelStudio, &two);
        assert_eq!(
            (sentences[0].entities.len(), losses.to_string().starts_with("1 documents with predictions")),
            (0, true)
        );
        let (_, losses) = read_with(LabelStudio, &with("[]"), &options).unwrap();
        assert_eq!((losses.count(LossKind::Unannotated), losses.kinds().len()), (1, 1));
        let ids = with("[3, 4]");
        assert_eq!(read(LabelStudio, &ids).1.count(LossKind::Prediction), 1, "some exports have only their ids");
        let error = read_with(LabelStudio, &ids, &options).unwrap_err();
        assert!(
            error.starts_with("record 1, line 1, predictions: expected predictions with a result, found"),
            "{error}"
        );
        let annotated = format!("[{}]", task.replacen('{', r#"{"predictions": [{"result": []}], "#, 1));
        assert_eq!(read_with(LabelStudio, &annotated, &options).unwrap().0[0].entities.len(), 2);
    }

    #[test]
    fn the_text_has_any_key() {
        let own =
            task("Ann", &region("a", 0, 3, "Ann", "P")).replace(r#"{"text""#, r#"{"id": "d7", "note": "Bob", "body""#);
        let (sentences, _) = read(LabelStudio, &format!("[{own}]"));
        assert_eq!((sentences[0].id.as_str(), span_texts(&sentences[0])), ("d7", vec![("P", "Ann".into())]));
        let options = AnnotationOptions { text_key: Some("none".into()), ..AnnotationOptions::default() };
        let error = read_with(LabelStudio, &format!("[{own}]"), &options).unwrap_err();
        assert_eq!(error, "record 1, line 1, data: expected text under none, found text under body, id, note");
        let error = first_error(LabelStudio, &format!("[{}]", own.replace("Bob", "Ann")));
        assert_eq!(
            error,
            "record 1, line 1, data: expected one text that fits the annotation, found text under body, id, note"
        );
    }

    #[test]
    fn malformed_tasks_are_errors() {
        let text = "😀 Ann left";
        for (json, message) in [
            (
                task(text, &region("a", 1, 4, "Ann", "P")),
                "record 1, line 1, annotations[0].result[0].value: expected \"Ann\" at 1..4, found \" An\" in code points, \
                 no such characters in UTF-16 units",
            ),
            (
                task(text, &[region("a", 2, 5, "Ann", "P"), region("b", 7, 11, "left", "V")].join(",")),
                "record 1, line 1, annotations: expected offsets that all count code points, or all UTF-16 units, found \
                 some of each",
            ),
            (
                task(text, &region("a", 2, 5, "Ann", "P").replace("\"start\": 2", "\"start\": \"/p[1]\"")),
                "record 1, line 1, annotations[0].result[0].value: expected a span of text with the numbers start and end, found",
            ),
            (
                r#"{"id": 1, "text": "Ann", "label": [{"start": 0, "end": 3, "labels": ["P"]}], "annotator": 1}"#
                    .into(),
                "record 1, line 1: expected an export of Label Studio as JSON, found an export as JSON_MIN, which drops relations",
            ),
            (r#"{"annotations": []}"#.into(), "record 1, line 1, data: expected an object with the text, found none"),
        ] {
            let error = first_error(LabelStudio, &format!("[{json}]"));
            assert!(error.starts_with(message), "{error}\n{message}");
        }
    }
}
