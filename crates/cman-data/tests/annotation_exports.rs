//! Exports as the tools write them, with all their keys. The texts are made up.

use std::{fs, path::PathBuf};

use cman_data::{
    AnnotationFormat, AnnotationOptions, LossKind, Losses, Relation, Sentence, read_annotations, read_annotations_from,
    recognize_annotations,
};

fn export(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/exports").join(name)
}

fn read(name: &str, format: AnnotationFormat) -> (Vec<Sentence>, Losses) {
    let path = export(name);
    assert_eq!(recognize_annotations(&path).unwrap(), Some(format), "{name}");
    read_annotations(&path, format, &AnnotationOptions::default()).unwrap()
}

fn entities(sentence: &Sentence) -> Vec<(&str, String)> {
    sentence.entities.iter().map(|entity| (entity.kind.as_str(), sentence.span_text(entity.span()))).collect()
}

/// The losses, by kind.
fn counts(losses: &Losses) -> Vec<(LossKind, usize)> {
    losses.kinds().iter().map(|loss| (loss.kind, loss.count)).collect()
}

#[test]
fn label_studio_with_emoji() {
    let check = |sentences: &[Sentence], losses: &Losses| {
        assert_eq!(sentences.iter().map(|s| s.id.as_str()).collect::<Vec<_>>(), ["17", "19"]);
        assert_eq!(entities(&sentences[0]), [("Peop", "Zoë Šimková".into()), ("Loc", "Košice 🏔".into())]);
        assert_eq!(sentences[0].relations, [Relation::new("Live_In", 0, 1)]);
        let expected = [(LossKind::Attribute, 1), (LossKind::NotAccepted, 1), (LossKind::Unannotated, 1)];
        assert_eq!(counts(losses), expected);
    };
    let (sentences, losses) = read("label_studio.json", AnnotationFormat::LabelStudio);
    check(&sentences, &losses);
    // Older versions count UTF-16 units.
    let text = fs::read_to_string(export("label_studio.json")).unwrap();
    let older = text.replace("\"start\": 4, \"end\": 15", "\"start\": 6, \"end\": 17");
    let older = older.replace("\"start\": 19, \"end\": 27", "\"start\": 21, \"end\": 30");
    let options = AnnotationOptions::default();
    let (sentences, losses) =
        read_annotations_from(older.as_bytes(), "older", AnnotationFormat::LabelStudio, &options).unwrap();
    check(&sentences, &losses);
    let mixed = older.replace("\"start\": 6, \"end\": 17", "\"start\": 4, \"end\": 15");
    let error = read_annotations_from(mixed.as_bytes(), "mixed", AnnotationFormat::LabelStudio, &options).unwrap_err();
    assert!(error.to_string().contains("all count code points, or all UTF-16 units"), "{error}");
}

#[test]
fn doccano_with_and_without_relations() {
    for (name, n_relations) in [("doccano_relations.jsonl", 1), ("doccano_spans.jsonl", 0)] {
        let (sentences, losses) = read(name, AnnotationFormat::Doccano);
        assert_eq!(sentences.iter().map(|s| s.id.as_str()).collect::<Vec<_>>(), ["7-1", "7-2", "8-1"], "{name}");
        assert_eq!(entities(&sentences[0]), [("Peop", "Ann Lee".into()), ("Loc", "東京".into())], "{name}");
        assert_eq!(entities(&sentences[2]), [("Peop", "שרה".into())], "{name}");
        assert_eq!(sentences[0].relations.len(), n_relations, "{name}");
        assert_eq!((losses.count(LossKind::Note), losses.count(LossKind::NoRelations)), (1, 1 - n_relations), "{name}");
    }
}

#[test]
fn brat_as_a_tree_of_folders() {
    let (sentences, losses) = read("brat", AnnotationFormat::Brat);
    // A text without annotation has no .ann file; `note-9` comes before `note-10`.
    let ids: Vec<&str> = sentences.iter().map(|sentence| sentence.id.as_str()).collect();
    assert_eq!(ids, ["ward/2024/note-9-1", "ward/2024/note-10-1", "ward/2024/note-10-2", "ward/first-1"]);
    let expected = [("Symptom", "Left arm and leg hurt".to_owned()), ("Date", "Monday".to_owned())];
    assert_eq!(entities(&sentences[1]), expected, "both discontinuous symptoms become the same span");
    assert_eq!(sentences[1].relations, [Relation::new("Since", 0, 1)]);
    assert_eq!(entities(&sentences[3]), [("Drug", "Ibuprofen".into())]);
    for (kind, count) in [
        (LossKind::DiscontinuousEntity, 2),
        (LossKind::RepeatedEntity, 1),
        (LossKind::RelationAcrossSentences, 1),
        (LossKind::Attribute, 1),
        (LossKind::Note, 1),
        (LossKind::Unannotated, 1),
        (LossKind::DividedDocument, 1),
    ] {
        assert_eq!(losses.count(kind), count, "{kind}");
    }
    assert_eq!(losses.kinds().len(), 7, "{losses}");
}
