//! Corpora of any format, read by `Corpus::read_any` and `Splits::read_any`.

use std::{fs, path::Path};

use cman_data::{
    AnnotationFormat::{self, Bio, Bioes, Brat, Doccano, Dygie, Gliner, LabelStudio, Prodigy, UnifiedAde},
    AnnotationOptions, Corpus, CorpusDir, DataError, LossKind, OnError, OverlapPolicy, ReaderBuilder, Schema, Sentence,
    SplitFiles, Splits, recognize_annotations, recognize_annotations_in, sample, write_annotations, write_spert,
};

const WRITTEN: [AnnotationFormat; 9] = [LabelStudio, Doccano, Brat, Dygie, Prodigy, Gliner, UnifiedAde, Bio, Bioes];

fn read(path: impl AsRef<Path>) -> Result<Corpus, DataError> {
    Corpus::read_any(path, &ReaderBuilder::new(), &AnnotationOptions::default()).map(|(corpus, _)| corpus)
}

/// Tokens, entities and relations.
fn content(sentences: &[Sentence]) -> Vec<(Vec<&str>, &[cman_data::Entity], &[cman_data::Relation])> {
    sentences.iter().map(|s| (s.words().collect(), &s.entities[..], &s.relations[..])).collect()
}

/// The sample corpus, repeated with changed names and numbers to 1,000 sentences.
fn thousand() -> Vec<Sentence> {
    let all = sample::corpus().unwrap();
    let sample: Vec<Sentence> =
        [Some(all.train), all.dev, all.test].into_iter().flatten().flat_map(|corpus| corpus.sentences).collect();
    let sentence = |number: usize| {
        let mut sentence = sample[number % sample.len()].clone();
        let entities: Vec<usize> = sentence.entities.iter().flat_map(cman_data::Entity::span).collect();
        for i in entities {
            // Names stay words of letters.
            let token = &mut sentence.tokens[i].text;
            if number >= sample.len() && token.chars().all(char::is_alphabetic) {
                token.extend(
                    format!("{}", number / sample.len()).chars().map(|digit| (b'a' + digit as u8 - b'0') as char),
                );
            }
        }
        Sentence { id: format!("doc-{number:04}").into(), text: None, ..sentence }
    };
    let mut sentences: Vec<Sentence> = (0..1000).map(sentence).collect();
    for sentence in &mut sentences {
        sentence.tokens.iter_mut().for_each(|token| token.chars = None);
    }
    sentences
}

#[test]
fn a_thousand_sentences_come_back_from_every_format() {
    let sentences = thousand();
    let folder = tempfile::tempdir().unwrap();
    let options = AnnotationOptions { whole_documents: true, ..AnnotationOptions::default() };
    for format in WRITTEN {
        let path = folder.path().join(format.to_string());
        let losses = write_annotations(&sentences, format, &path).unwrap();
        assert_eq!(losses.count(LossKind::Order), 0, "{format}");
        let (corpus, read) = Corpus::read_any(&path, &ReaderBuilder::new(), &options).unwrap();
        assert_eq!(corpus.sentences.len(), 1000, "{format}: {read}");
        match format {
            Bio | Bioes => {
                for (back, own) in corpus.sentences.iter().zip(&sentences) {
                    let mut entities = own.entities.clone();
                    entities.sort_by_key(|entity| entity.start);
                    assert_eq!((back.words().collect::<Vec<_>>(), &back.entities), (own.words().collect(), &entities));
                }
            }
            LabelStudio | Doccano | Brat => {
                // The tokenizer may cut other tokens; the text of every entity is the same.
                let texts = |s: &Sentence| -> Vec<(String, String)> {
                    let text = |e: &cman_data::Entity| (e.kind.clone(), s.span_text(e.span()));
                    s.entities.iter().map(text).collect()
                };
                let same = corpus.sentences.iter().zip(&sentences).filter(|(a, b)| texts(a) == texts(b)).count();
                let widened = read.count(LossKind::WidenedEntity);
                assert!(same + widened >= 1000, "{format}: {same}\n{read}");
                let relations = |all: &[Sentence]| all.iter().map(|s| s.relations.len()).sum::<usize>();
                assert_eq!(relations(&corpus.sentences), relations(&sentences), "{format}");
            }
            _ => assert_eq!(content(&corpus.sentences), content(&sentences), "{format}"),
        }
    }
}

#[test]
fn parts_may_be_files_and_folders_of_any_format() {
    let all = sample::corpus().unwrap();
    let dev = &all.dev.as_ref().unwrap().sentences;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    write_annotations(&dev[..9], Brat, path("train")).unwrap();
    write_annotations(&dev[..9], Dygie, path("dev.jsonl")).unwrap();
    write_spert(&dev[..9], fs::File::create(path("test.json")).unwrap()).unwrap();
    fs::create_dir(path("empty_test")).unwrap();
    let files = SplitFiles::find_any(folder.path()).unwrap();
    assert_eq!((&files.train, files.dev.as_deref()), (&path("train"), Some(path("dev.jsonl").as_path())));
    let annotation = AnnotationOptions { whole_documents: true, ..AnnotationOptions::default() };
    let (splits, losses) = Splits::read_any(&files, &ReaderBuilder::new(), &annotation).unwrap();
    assert_eq!((splits.train.sentences.len(), losses.dev.is_empty(), losses.test.is_empty()), (9, true, true));
    assert_eq!(content(&splits.dev.as_ref().unwrap().sentences), content(&splits.test.unwrap().sentences));
    assert_eq!(splits.schema, splits.train.schema);
    // Without the annotation, the folder is no part of the corpus.
    let plain = CorpusDir::find(folder.path()).unwrap();
    assert_eq!((plain.train, plain.test), (None, Some(path("test.json"))));
}

#[test]
fn policies_and_types_hold_for_annotation() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    let line = |id: &str, label: &str| format!("{{\"id\": {id}, \"text\": \"Ann Lee ran.\", \"label\": [{label}]}}\n");
    let overlap = r#"[0, 7, "P"], [4, 7, "Q"]"#;
    fs::write(&path, line("1", r#"[0, 3, "P"]"#) + &line("2", overlap) + &line("3", r#"[0, 99, "P"]"#)).unwrap();
    let read = |reader: ReaderBuilder| Corpus::read_any(&path, &reader, &AnnotationOptions::default());
    let skip = || ReaderBuilder::new().on_error(OnError::Skip);

    let (corpus, losses) = read(skip()).unwrap();
    assert_eq!((corpus.sentences.len(), corpus.report.skipped, corpus.report.records), (2, 1, 3));
    assert_eq!((corpus.report.overlapping_sentences, corpus.report.messages.len()), (1, 0));
    assert_eq!(corpus.schema.entities.names(), ["P", "Q"]);
    assert_eq!(losses.count(LossKind::InvalidRecord), 0, "they are in the report");
    assert_eq!(read(skip().all_messages()).unwrap().0.report.messages.len(), 1);
    let (corpus, _) = read(skip().overlap(OverlapPolicy::Drop)).unwrap();
    assert_eq!((corpus.sentences.len(), corpus.report.left_out()), (1, 2));
    let (corpus, _) = read(skip().overlap(OverlapPolicy::Refuse)).unwrap();
    assert_eq!((corpus.sentences.len(), corpus.report.skipped), (1, 2));
    let error = read(ReaderBuilder::new()).unwrap_err().to_string();
    assert!(error.ends_with("a.jsonl: record 3, line 3, label[0]: expected a start before the end, and an end of at most 12 (the text's length), found 0..99"), "{error}");
    let mut schema = Schema::default();
    schema.entities.insert("P");
    let error = read(ReaderBuilder::new().schema(schema)).unwrap_err().to_string();
    assert!(error.contains("record 2") && error.contains("expected one of the types P, found \"Q\""), "{error}");
    fs::write(&path, line("2", overlap)).unwrap();
    let error = read(ReaderBuilder::new().overlap(OverlapPolicy::Refuse)).unwrap_err().to_string();
    assert!(
        error.ends_with(
            "sentence \"2\", entities[1]: expected an entity that overlaps no other, found an overlap with entities[0]"
        ),
        "{error}"
    );
}

#[test]
fn bytes_are_read_as_files_are() {
    let dev = sample::corpus().unwrap().dev.unwrap().sentences;
    let folder = tempfile::tempdir().unwrap();
    for format in WRITTEN {
        let path = folder.path().join(format.to_string());
        write_annotations(&dev, format, &path).unwrap();
        if format == Brat {
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        assert_eq!(recognize_annotations_in(&bytes, "x").unwrap(), recognize_annotations(&path).unwrap());
        let from = |bytes| Corpus::read_any_from(bytes, "x", &ReaderBuilder::new(), &AnnotationOptions::default());
        assert_eq!(from(&bytes[..]).unwrap().0.sentences, read(&path).unwrap().sentences, "{format}");
    }
    let annotation = fs::read_dir(folder.path().join("brat")).unwrap().map(|entry| entry.unwrap().path());
    let annotation = annotation.into_iter().find(|path| path.extension().is_some_and(|e| e == "ann")).unwrap();
    let bytes = fs::read(&annotation).unwrap();
    let error = Corpus::read_any_from(&bytes, "in", &ReaderBuilder::new(), &AnnotationOptions::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "in: expected a folder, or a .txt file with a .ann file beside it, found one file without the other"
    );
    let one = read(annotation.with_extension("txt")).unwrap();
    assert!(!one.sentences.is_empty());
}

#[test]
fn a_folder_without_annotation_says_what_is_expected() {
    let folder = tempfile::tempdir().unwrap();
    let message = |folder: &Path| match read(folder).unwrap_err() {
        DataError::Foreign { expected, found, hint, .. } => (format!("expected {expected}, found {found}"), hint),
        other => panic!("{other}"),
    };
    let expected = "expected a corpus file, or a folder of brat or WebAnno, found a folder without .ann files and \
                    WebAnno's .tsv files";
    assert_eq!(message(folder.path()), (expected.to_owned(), None));
    fs::write(folder.path().join("train.json"), "[]").unwrap();
    let hint = format!("name one of its files, such as {}", folder.path().join("train.json").display());
    assert_eq!(message(folder.path()), (expected.to_owned(), Some(hint)));
    fs::write(folder.path().join("x.tsv"), "a\tO\n").unwrap();
    assert_eq!(recognize_annotations(folder.path()).unwrap(), None);
    fs::write(folder.path().join("x.tsv"), "#FORMAT=WebAnno TSV 3.3\n").unwrap();
    assert_eq!(recognize_annotations(folder.path()).unwrap(), Some(AnnotationFormat::WebAnno));
}
