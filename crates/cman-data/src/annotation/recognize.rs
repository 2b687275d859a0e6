//! Recognizes annotation formats by their content.

use std::{collections::BTreeMap, fs, io::Read, path::Path};

use serde_json::Value;

use super::{
    annotation_source::AnnotationSource, brat_line::Line, collector::RecordFile, format::AnnotationFormat,
    label_studio::flat, tree::files,
};
use crate::{
    error::{DataError, Location},
    source::ReadError,
};

/// Most records that are read to recognize a file.
const MAX_RECORDS: usize = 1000;

/// Recognizes the annotation format of a file or folder, where the content makes it certain.
///
/// `None` for everything else: a [corpus format](crate::Format), BIO and BIOES columns included, a damaged file, and
/// anything that is not a file or folder. A folder with `.ann` files is [`AnnotationFormat::Brat`], and so is a `.txt`
/// file with an `.ann` file beside it; a folder whose first `.tsv` file is of WebAnno is [`AnnotationFormat::WebAnno`].
///
/// # Errors
/// [`DataError::Foreign`] for Label Studio's JSON_MIN, which drops relations.
pub fn recognize_annotations(path: impl AsRef<Path>) -> Result<Option<AnnotationFormat>, DataError> {
    let path = path.as_ref();
    if path.is_dir() {
        return Ok(of_folder(path));
    }
    // A pipe can only be read once.
    if !fs::metadata(path).is_ok_and(|metadata| metadata.is_file()) {
        return Ok(None);
    }
    let is_text = path.extension().is_some_and(|extension| extension == "txt");
    if is_text && path.with_extension("ann").is_file() {
        return Ok(Some(AnnotationFormat::Brat));
    }
    of_file(AnnotationSource::Path(path))
}

/// Recognizes the annotation format of a file by its bytes, as [`recognize_annotations`] does. Messages use `name` as the
/// file name.
///
/// # Errors
/// As [`recognize_annotations`].
pub fn recognize_annotations_in(bytes: &[u8], name: impl AsRef<Path>) -> Result<Option<AnnotationFormat>, DataError> {
    of_file(AnnotationSource::Bytes { name: name.as_ref(), bytes })
}

fn of_folder(folder: &Path) -> Option<AnnotationFormat> {
    let first = |extension| files(folder, &[extension]).ok()?.into_iter().next();
    if first("ann").is_some() {
        return Some(AnnotationFormat::Brat);
    }
    let table = first("tsv")?;
    of_file(AnnotationSource::Path(&table)).ok()?.filter(|format| *format == AnnotationFormat::WebAnno)
}

fn of_file(source: AnnotationSource) -> Result<Option<AnnotationFormat>, DataError> {
    let mut start = Vec::new();
    if source.open().and_then(|file| read_start(file, source.name(), &mut start)).is_err() {
        return Ok(None);
    }
    let start = String::from_utf8_lossy(&start);
    let start = start.trim_start_matches('\u{FEFF}').trim_start();
    if start.starts_with(['[', '{']) {
        return records(source);
    }
    if start.starts_with("#FORMAT=WebAnno TSV 3") {
        return Ok(Some(AnnotationFormat::WebAnno));
    }
    let is_brat = start.starts_with('T')
        && matches!(Line::parse(start.lines().next().unwrap_or_default()), Ok(Line::TextBound(_)));
    Ok(is_brat.then_some(AnnotationFormat::Brat))
}

fn read_start(file: impl Read, name: &Path, start: &mut Vec<u8>) -> Result<(), DataError> {
    file.take(4096).read_to_end(start).map(drop).map_err(|source| DataError::io(name, source))
}

/// The format of the first records.
fn records(source: AnnotationSource) -> Result<Option<AnnotationFormat>, DataError> {
    let Ok(mut file) = RecordFile::open(source) else { return Ok(None) };
    let mut unannotated = None;
    for number in 1..=MAX_RECORDS {
        let (at, json) = match file.next(number) {
            Ok(Some((at, json))) => (Location { column: None, ..at }, json),
            Ok(None) => return Ok(unannotated),
            Err(ReadError::Record(_) | ReadError::File(_)) => return Ok(None),
        };
        let Ok(record) = serde_json::from_str::<BTreeMap<String, Value>>(json) else { return Ok(None) };
        if is_flat(&record) {
            return Err(flat(&at));
        }
        if let Some(format) = of_record(&record) {
            return Ok(Some(format));
        }
        let is_empty = |key: &str| record.get(key).and_then(Value::as_array).is_some_and(Vec::is_empty);
        if record.contains_key("text") && !record.contains_key("tokens") && is_empty("entities") {
            unannotated = Some(AnnotationFormat::Doccano);
        }
    }
    Ok(unannotated)
}

/// Whether a record is one of Label Studio's JSON_MIN.
fn is_flat(record: &BTreeMap<String, Value>) -> bool {
    let has = |key: &str| record.contains_key(key);
    has("annotation_id") && has("annotator") && !has("data") && !has("tokens")
}

/// The format of a record. A record without annotation may belong to several formats.
fn of_record(record: &BTreeMap<String, Value>) -> Option<AnnotationFormat> {
    let has = |key: &str| record.contains_key(key);
    let items = |key: &str| record.get(key).and_then(Value::as_array);
    let first = |key: &str| items(key).and_then(|items| items.first());
    let is_object = |key: &str| first(key).is_some_and(Value::is_object);
    let is_triple = |key: &str| first(key).and_then(Value::as_array).is_some_and(|item| item.len() == 3);
    if record.get("data").is_some_and(Value::is_object)
        && ["annotations", "completions", "predictions"].into_iter().any(has)
    {
        Some(AnnotationFormat::LabelStudio)
    } else if has("doc_key") && has("sentences") {
        Some(AnnotationFormat::Dygie)
    } else if has("tokenized_text") && has("ner") {
        Some(AnnotationFormat::Gliner)
    } else if has("text") && has("spans") && (has("answer") || is_object("tokens")) {
        Some(AnnotationFormat::Prodigy)
    } else if items("tokens").is_some() && is_triple("entities") {
        Some(AnnotationFormat::UnifiedAde)
    } else if (has("text") || has("data"))
        && !has("tokens")
        && (is_doccano(first("entities")) || is_triple("label") || is_triple("labels"))
    {
        Some(AnnotationFormat::Doccano)
    } else {
        None
    }
}

fn is_doccano(entity: Option<&Value>) -> bool {
    entity.is_some_and(|entity| entity.get("start_offset").is_some() && entity.get("end_offset").is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recognized(content: &str) -> Result<Option<AnnotationFormat>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, content).unwrap();
        recognize_annotations(&path).map_err(|error| error.to_string().replace(&format!("{}: ", path.display()), ""))
    }

    #[test]
    fn formats_are_recognized_by_their_first_annotated_record() {
        for (content, format) in [
            (r#"[{"id": 1, "data": {"text": "a"}, "annotations": []}]"#, AnnotationFormat::LabelStudio),
            (r#"{"doc_key": "a", "sentences": []}"#, AnnotationFormat::Dygie),
            (r#"[{"tokenized_text": ["a"], "ner": []}]"#, AnnotationFormat::Gliner),
            (r#"{"text": "a", "spans": [], "answer": "accept"}"#, AnnotationFormat::Prodigy),
            (
                r#"[{"tokens": ["a"], "entities": []}, {"tokens": ["a"], "entities": [[0, 1, "X"]]}]"#,
                AnnotationFormat::UnifiedAde,
            ),
            (
                "{\"text\": \"a\", \"label\": []}\n{\"text\": \"a\", \"label\": [[0, 1, \"X\"]]}",
                AnnotationFormat::Doccano,
            ),
            (
                "\u{FEFF}{\"text\": \"a\", \"entities\": [{\"start_offset\": 0, \"end_offset\": 1, \"label\": \"X\"}]}",
                AnnotationFormat::Doccano,
            ),
            (r#"{"id": 1, "text": "a", "entities": [], "relations": []}"#, AnnotationFormat::Doccano),
            ("#FORMAT=WebAnno TSV 3.3\n", AnnotationFormat::WebAnno),
            ("T1\tP 0 3\tAnn\n", AnnotationFormat::Brat),
        ] {
            assert_eq!(recognized(content), Ok(Some(format)), "{content}");
        }
    }

    #[test]
    fn other_files_are_not_recognized() {
        for content in [
            "",
            "Ann left.",
            "[",
            "[1]",
            r#"[{"tokens": ["a"], "entities": [{"type": "X", "start": 0, "end": 1}]}]"#,
            r#"{"text": "good", "label": ["positive"]}"#,
            "{\"text\":",
            "Ann\tB-P\nleft\tO\n",
        ] {
            assert_eq!(recognized(content), Ok(None), "{content}");
        }
        assert_eq!(recognize_annotations("/no/such/file").unwrap(), None);
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(recognize_annotations(folder.path()).unwrap(), None);
        fs::create_dir(folder.path().join("a")).unwrap();
        fs::write(folder.path().join("a/a.ann"), "").unwrap();
        assert_eq!(recognize_annotations(folder.path()).unwrap(), Some(AnnotationFormat::Brat));
    }

    #[test]
    fn json_min_is_refused() {
        let error = recognized(r#"[{"text": "a", "id": 1, "annotator": 1, "annotation_id": 2, "lead_time": 1.5}]"#);
        let expected = "record 1, line 1: expected an export of Label Studio as JSON, found an export as JSON_MIN, which drops relations";
        assert_eq!(error.unwrap_err(), expected);
    }
}
