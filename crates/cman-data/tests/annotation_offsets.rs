//! Property tests: offsets that are written are exact, in the units of the tool, for text of every kind.

use cman_data::{
    AnnotationFormat::{self, Brat, Doccano, LabelStudio, Prodigy},
    AnnotationOptions, Entity, LossKind, PreAnnotation, PreAnnotationWriter, PredictedSentence, Relation, Schema,
    Sentence, read_annotations, read_annotations_from, sentences_from_text,
};
use proptest::prelude::*;
use serde_json::Value;

/// Words of every kind of script, with emoji, combining marks, right-to-left text and zero-width characters.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z]{1,6}",
        Just("👩‍👩‍👧".to_owned()),
        Just("𝒳😀🇳🇴".to_owned()),
        Just("e\u{301}a\u{308}\u{323}".to_owned()),
        Just("東京".to_owned()),
        Just("한국어".to_owned()),
        Just("שָׁלוֹם".to_owned()),
        Just("\u{200F}نص\u{200E}".to_owned()),
        Just("a\u{200B}b\u{2060}c\u{FEFF}d".to_owned()),
        Just("\u{AD}soft".to_owned()),
        "[(,;!?-]",
    ]
}

/// A text of several sentences, with all kinds of white space between its words.
fn text() -> impl Strategy<Value = String> {
    let space = prop_oneof![
        6 => Just(" "), 1 => Just("\t"), 1 => Just("\r\n"), 1 => Just("\n"), 1 => Just("\u{A0}"), 1 => Just("  "),
        2 => Just(". "), 1 => Just(".\r\n\t"),
    ];
    prop::collection::vec((word(), space), 1..14)
        .prop_map(|words| words.into_iter().map(|(word, space)| word + space).collect())
}

/// The text as a predicted document.
fn document(text: &str, marks: &[(usize, usize)]) -> PreAnnotation {
    let mut marks = marks.iter().cycle();
    let sentences = sentences_from_text(text).into_iter().map(|raw| {
        let n = raw.sentence.len();
        let mut entities: Vec<Entity> = Vec::new();
        for kind in ["P", "L"] {
            let &(start, length) = marks.next().expect("a mark");
            let (start, end) = (start % n, (start % n + length).min(n));
            if entities.iter().all(|entity| !entity.overlaps(&Entity::new("", start..end))) {
                entities.push(Entity::new(kind, start..end));
            }
        }
        let relations = if entities.len() > 1 { vec![Relation::new("R", 1, 0)] } else { Vec::new() };
        let confidences = vec![0.5; 2];
        let sentence = Sentence { entities, relations, ..raw.sentence };
        let offset = raw.offset;
        PredictedSentence {
            sentence,
            offset,
            entity_confidences: confidences.clone(),
            relation_confidences: confidences,
        }
    });
    PreAnnotation { id: "d".into(), text: Some(text.to_owned()), sentences: sentences.collect() }
}

/// The spans of the document: start and end in characters, text and type.
fn spans(document: &PreAnnotation) -> Vec<(usize, usize, String, String)> {
    let text: Vec<char> = document.text.as_deref().unwrap().chars().collect();
    let of = |predicted: &PredictedSentence| -> Vec<(usize, usize, String, String)> {
        let token = |i: usize| predicted.sentence.tokens[i].chars.clone().unwrap();
        let span = |entity: &Entity| {
            let (start, end) =
                (token(entity.start).start + predicted.offset, token(entity.end - 1).end + predicted.offset);
            (start, end, text[start..end].iter().collect(), entity.kind.clone())
        };
        predicted.sentence.entities.iter().map(span).collect()
    };
    document.sentences.iter().flat_map(of).collect()
}

fn written(document: &PreAnnotation, format: AnnotationFormat) -> String {
    let mut bytes = Vec::new();
    let mut writer = PreAnnotationWriter::to_writer(&mut bytes, format, "m").unwrap();
    writer.write(document).unwrap();
    writer.finish().unwrap();
    String::from_utf8(bytes).unwrap()
}

fn number(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn written_offsets_are_those_of_the_text(
        text in text(),
        marks in prop::collection::vec((0usize..9, 1usize..4), 2..9),
    ) {
        let document = document(&text, &marks);
        prop_assume!(!document.sentences.is_empty());
        let expected = spans(&document);
        for format in [LabelStudio, Doccano, Prodigy] {
            let json: Value = serde_json::from_str(&written(&document, format)).unwrap();
            let (whole, items) = match format {
                LabelStudio => (&json[0]["data"]["text"], &json[0]["predictions"][0]["result"]),
                Doccano => (&json["text"], &json["entities"]),
                _ => (&json["text"], &json["spans"]),
            };
            prop_assert_eq!(whole, &text);
            let chars: Vec<char> = text.chars().collect();
            let items = items.as_array().unwrap().iter().filter(|item| item["type"] != "relation");
            let found: Vec<_> = items
                .map(|item| {
                    let (start, end, label) = match format {
                        LabelStudio => (&item["value"]["start"], &item["value"]["end"], &item["value"]["labels"][0]),
                        Doccano => (&item["start_offset"], &item["end_offset"], &item["label"]),
                        _ => (&item["start"], &item["end"], &item["label"]),
                    };
                    let (start, end) = (number(start), number(end));
                    (start, end, chars[start..end].iter().collect::<String>(), label.as_str().unwrap().to_owned())
                })
                .collect();
            prop_assert_eq!(&found, &expected, "{}", format);
        }
    }

    #[test]
    fn documents_come_back_with_all_sentences(
        text in text(),
        marks in prop::collection::vec((0usize..9, 1usize..4), 2..9),
    ) {
        let document = document(&text, &marks);
        prop_assume!(!document.sentences.is_empty());
        let several = document.sentences.len() > 1;
        let expected: Vec<Sentence> = (1..)
            .zip(&document.sentences)
            .map(|(i, own)| {
                let id = if several { format!("d-{i}") } else { "d".to_owned() };
                Sentence { id: cman_data::Id::name(id), ..own.sentence.clone() }
            })
            .collect();
        let options = AnnotationOptions { predictions: true, ..AnnotationOptions::default() };
        for format in [LabelStudio, Doccano, Prodigy] {
            let tasks = written(&document, format);
            let (sentences, losses) = read_annotations_from(tasks.as_bytes(), "x", format, &options).unwrap();
            prop_assert_eq!(&sentences, &expected, "{}: {}", format, losses);
        }
        let folder = tempfile::tempdir().unwrap();
        let mut writer = PreAnnotationWriter::<Vec<u8>>::to_folder(folder.path(), "m", &Schema::default()).unwrap();
        writer.write(&document).unwrap();
        writer.finish().unwrap();
        let (sentences, losses) = read_annotations(folder.path(), Brat, &options).unwrap();
        prop_assert_eq!(&sentences, &expected, "{}", losses);
    }

    #[test]
    fn label_studio_is_read_in_utf16_units_too(
        text in text(),
        marks in prop::collection::vec((0usize..9, 1usize..4), 2..9),
    ) {
        let document = document(&text, &marks);
        prop_assume!(!document.sentences.is_empty());
        let mut json: Value = serde_json::from_str(&written(&document, LabelStudio)).unwrap();
        let chars: Vec<char> = text.chars().collect();
        for item in json[0]["predictions"][0]["result"].as_array_mut().unwrap() {
            for key in ["start", "end"] {
                if let Some(offset) = item["value"][key].as_u64() {
                    let before = &chars[..usize::try_from(offset).unwrap()];
                    item["value"][key] = before.iter().map(|char| char.len_utf16()).sum::<usize>().into();
                }
            }
        }
        let options = AnnotationOptions { predictions: true, ..AnnotationOptions::default() };
        let (sentences, losses) =
            read_annotations_from(json.to_string().as_bytes(), "x", LabelStudio, &options).unwrap();
        // Where the same text also fits in code points, that is said.
        if losses.count(LossKind::AmbiguousOffsets) == 0 {
            let content = |s: &Sentence| (s.text.clone(), s.entities.clone(), s.relations.clone());
            let expected: Vec<_> = document.sentences.iter().map(|own| content(&own.sentence)).collect();
            prop_assert_eq!(sentences.iter().map(content).collect::<Vec<_>>(), expected);
        }
    }
}
