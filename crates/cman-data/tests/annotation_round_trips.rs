//! Property tests: annotation that is written is read again, and no input makes a reader panic.

use std::{collections::HashSet, fs};

use cman_data::{
    AnnotationFormat::{self, Bio, Bioes, Brat, Doccano, Dygie, Gliner, LabelStudio, Prodigy, UnifiedAde, WebAnno},
    AnnotationOptions, CutPolicy, Document, DocumentRelation, DocumentSpan, Entity, Location, LossKind, Losses,
    OnError, Relation, Sentence, TokenizerConfig, read_annotations, recognize_annotations, sentences_from_text,
    write_annotations,
};
use proptest::prelude::*;

const ALL: [AnnotationFormat; 10] =
    [LabelStudio, Doccano, Brat, Dygie, Prodigy, Gliner, UnifiedAde, WebAnno, Bio, Bioes];

/// Writes and reads sentences.
fn there_and_back(
    sentences: &[Sentence],
    format: AnnotationFormat,
    options: &AnnotationOptions,
) -> (Vec<Sentence>, Losses, Losses) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out");
    let written = write_annotations(sentences, format, &path).unwrap();
    if !matches!(format, Bio | Bioes) && sentences.iter().all(|sentence| !sentence.entities.is_empty()) {
        assert_eq!(recognize_annotations(&path).unwrap(), Some(format));
    }
    let (sentences, read) = read_annotations(&path, format, options).unwrap();
    (sentences, written, read)
}

/// Adds entities, no two of the same tokens, and relations.
fn annotate(mut sentence: Sentence, spans: &[(usize, usize, String)], pairs: &[(usize, usize, String)]) -> Sentence {
    let n = sentence.len();
    let mut seen = HashSet::new();
    for (start, length, kind) in spans {
        let start = start % n;
        let end = (start + length).min(n);
        if seen.insert((start, end)) {
            sentence.entities.push(Entity::new(kind, start..end));
        }
    }
    let n = sentence.entities.len().max(1);
    for (head, tail, kind) in pairs {
        let relation = Relation::new(kind, head % n, tail % n);
        if relation.head != relation.tail && !sentence.relations.contains(&relation) {
            sentence.relations.push(relation);
        }
    }
    sentence
}

type Annotation = (Vec<(usize, usize, String)>, Vec<(usize, usize, String)>);

fn annotation() -> impl Strategy<Value = Annotation> {
    (
        prop::collection::vec((0usize..9, 1usize..4, "[A-C]".prop_map(String::from)), 1..5),
        prop::collection::vec((0usize..9, 0usize..9, "[R-T]".prop_map(String::from)), 0..5),
    )
}

/// Words of every kind of script, with combining marks, joined emoji, zero-width characters and punctuation.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z]{1,6}",
        Just("👩‍👩‍👧".to_owned()),
        Just("𝒳😀".to_owned()),
        Just("e\u{301}a\u{308}".to_owned()),
        Just("東京".to_owned()),
        Just("שָׁלוֹם".to_owned()),
        Just("نص".to_owned()),
        Just("a\u{200B}b".to_owned()),
        "[(,;.!?-]",
    ]
}

/// A text with its words, separated by all kinds of white space.
fn text() -> impl Strategy<Value = String> {
    let space = prop_oneof![
        6 => Just(" "), 1 => Just("\t"), 1 => Just("\r\n"), 1 => Just("\n"), 1 => Just("\u{A0}"), 1 => Just(". "),
    ];
    prop::collection::vec((word(), space), 1..9)
        .prop_map(|words| words.into_iter().map(|(word, space)| word + space).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn formats_of_tokens_keep_everything(
        records in prop::collection::vec((prop::collection::vec(word(), 1..7), annotation()), 1..4),
    ) {
        let sentences: Vec<Sentence> = (1usize..)
            .zip(&records)
            .map(|(number, (words, (spans, pairs)))| annotate(Sentence::from_tokens(number, words.clone()), spans, pairs))
            .collect();
        for format in [Dygie, Gliner, UnifiedAde] {
            let (read, written, losses) = there_and_back(&sentences, format, &AnnotationOptions::default());
            prop_assert!(written.is_empty() && losses.is_empty(), "{written} {losses}");
            prop_assert_eq!(&read, &sentences, "{}", format);
        }
        for format in [Bio, Bioes] {
            let (read, written, _) = there_and_back(&sentences, format, &AnnotationOptions::default());
            let n: usize = sentences.iter().map(|sentence| sentence.entities.len()).sum();
            let kept: usize = read.iter().map(|sentence| sentence.entities.len()).sum();
            prop_assert_eq!(n, kept + written.count(LossKind::OverlappingEntity));
            let relations: usize = sentences.iter().map(|sentence| sentence.relations.len()).sum();
            prop_assert_eq!(written.count(LossKind::Relation), relations);
        }
    }

    #[test]
    fn formats_of_text_keep_sentences_that_our_tokenizer_made(text in text(), (spans, pairs) in annotation()) {
        let Some(raw) = sentences_from_text(&text).into_iter().next() else { return Ok(()) };
        let sentence = Sentence { id: "a7".into(), ..annotate(raw.sentence, &spans, &pairs) };
        // A sentence alone may be split where it was not in its text.
        let options = AnnotationOptions { whole_documents: true, ..AnnotationOptions::default() };
        for format in [LabelStudio, Doccano, Brat, Prodigy] {
            let (read, _, losses) = there_and_back(std::slice::from_ref(&sentence), format, &options);
            prop_assert_eq!(losses.count(LossKind::WidenedEntity), 0);
            prop_assert_eq!(&read, std::slice::from_ref(&sentence), "{}", format);
        }
    }

    #[test]
    fn documents_lose_nothing_without_a_count(
        text in text(),
        spans in prop::collection::vec((0usize..40, 1usize..9), 0..6),
        pairs in prop::collection::vec((0usize..6, 0usize..6), 0..6),
        whole_documents in any::<bool>(),
        characters in any::<bool>(),
    ) {
        let n = text.chars().count();
        let spans: Vec<DocumentSpan> = (0..)
            .zip(spans)
            .map(|(i, (start, length))| {
                let start = start % n;
                DocumentSpan { kind: format!("K{}", i % 2), chars: start..(start + length).min(n), name: format!("T{i}") }
            })
            .collect();
        let relations: Vec<DocumentRelation> = (0..)
            .zip(pairs)
            .filter(|&(_, (head, tail))| head < spans.len() && tail < spans.len())
            .map(|(i, (head, tail))| DocumentRelation { kind: "R".into(), head, tail, name: format!("R{i}") })
            .collect();
        let document = Document { id: "d".into(), text, spans, relations, ..Document::default() };
        let tokenizer = if characters { TokenizerConfig::Characters } else { TokenizerConfig::Auto };
        let options = AnnotationOptions { whole_documents, tokenizer, ..AnnotationOptions::default() };
        let mut losses = Losses::default();
        let sentences = document.sentences(&options, &Location::file("x"), &mut losses).unwrap();
        let count = |kinds: &[LossKind]| kinds.iter().map(|&kind| losses.count(kind)).sum::<usize>();
        let n: usize = sentences.iter().map(|sentence| sentence.entities.len()).sum();
        let lost = count(&[LossKind::EntityWithoutToken, LossKind::SecondType, LossKind::RepeatedEntity]);
        prop_assert_eq!(document.spans.len(), n + lost);
        let n: usize = sentences.iter().map(|sentence| sentence.relations.len()).sum();
        let lost = count(&[
            LossKind::RelationAcrossSentences,
            LossKind::RelationWithoutEntity,
            LossKind::RelationWithItself,
            LossKind::RepeatedRelation,
        ]);
        prop_assert_eq!(document.relations.len(), n + lost);
        // Each entity holds the characters of a span that are not white space.
        let visible = |text: &str| text.chars().filter(|char| !char.is_whitespace()).collect::<String>();
        let text: Vec<char> = document.text.chars().collect();
        let texts: Vec<String> = sentences
            .iter()
            .flat_map(|sentence| sentence.entities.iter().map(|entity| visible(&sentence.span_text(entity.span()))))
            .collect();
        for span in &document.spans {
            let inside = visible(&text[span.chars.clone()].iter().collect::<String>());
            prop_assert!(inside.is_empty() || texts.iter().any(|text| text.contains(&inside)), "{inside:?} {texts:?}");
        }
        if losses.count(LossKind::WidenedEntity) > 0 {
            let options = AnnotationOptions { cut_tokens: CutPolicy::Refuse, ..options };
            prop_assert!(document.sentences(&options, &Location::default(), &mut Losses::default()).is_err());
        }
    }

    #[test]
    fn readers_do_not_panic_on_changed_files(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..3), 1..4),
    ) {
        let folder = tempfile::tempdir().unwrap();
        for format in ALL {
            let mut bytes = fixture(format).into_bytes();
            for (index, byte, change) in &changes {
                let i = index.index(bytes.len());
                match change {
                    0 => bytes[i] = *byte,
                    1 => bytes.insert(i, *byte),
                    _ => drop(bytes.remove(i)),
                }
            }
            let path = folder.path().join(if format == Brat { "x.ann" } else { "x" });
            fs::write(folder.path().join("x.txt"), "😀 Ann left Rome.").unwrap();
            fs::write(&path, &bytes).unwrap();
            _ = recognize_annotations(&path);
            for on_error in [OnError::Refuse, OnError::Skip] {
                let options = AnnotationOptions { on_error, ..AnnotationOptions::default() };
                if let Err(error) = read_annotations(&path, format, &options) {
                    let message = error.to_string();
                    prop_assert!(message.contains(&*folder.path().to_string_lossy()), "{message}");
                    prop_assert!(!message.contains("usize") && !message.contains("struct"), "{message}");
                }
            }
        }
    }
}

/// A file of each format.
fn fixture(format: AnnotationFormat) -> String {
    match format {
        WebAnno => "#FORMAT=WebAnno TSV 3.3\n#T_SP=a.Named|value\n#T_RL=a.Rel|label|BT_a.Named\n\n\
            #Text=😀 Ann left Rome.\n1-1\t0-2\t😀\t_\t_\t_\t\n1-2\t3-6\tAnn\tP[1]\t_\t_\t\n\
            1-3\t7-11\tleft\tP[1]\t_\t_\t\n1-4\t12-16\tRome\tL\tin\t1-2[1_0]\t\n1-5\t16-17\t.\t_\t_\t_\t\n"
            .to_owned(),
        Brat => "T1\tP 2 5\tAnn\nT2\tL 11 15\tRome\nR1\tin Arg1:T1 Arg2:T2\t\n".to_owned(),
        format => {
            let mut sentence = Sentence::from_tokens("7", ["😀", "Ann", "left", "Rome"]);
            sentence.entities = vec![Entity::new("P", 1..2), Entity::new("L", 3..4)];
            sentence.relations = vec![Relation::new("in", 0, 1)];
            let mut bytes = Vec::new();
            cman_data::write_annotations_to([&sentence, &sentence], format, &mut bytes).unwrap();
            String::from_utf8(bytes).unwrap()
        }
    }
}

#[test]
fn fixtures_are_valid() {
    let folder = tempfile::tempdir().unwrap();
    for format in ALL {
        let path = folder.path().join(if format == Brat { "x.ann" } else { "x" });
        fs::write(folder.path().join("x.txt"), "😀 Ann left Rome.").unwrap();
        fs::write(&path, fixture(format)).unwrap();
        let (sentences, losses) = read_annotations(&path, format, &AnnotationOptions::default()).unwrap();
        assert_eq!(sentences[0].entities.len(), 2, "{format}: {losses}");
        assert_eq!(sentences[0].relations.len(), usize::from(!matches!(format, Bio | Bioes)), "{format}: {losses}");
    }
}

#[test]
fn invalid_records_are_skipped_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.jsonl");
    fs::write(&path, "{\"text\": \"Ann\", \"label\": [[0, 9, \"P\"]]}\n{\"text\": \"Bob\", \"label\": []}\n").unwrap();
    let options = AnnotationOptions { on_error: OnError::Skip, ..AnnotationOptions::default() };
    let (sentences, losses) = read_annotations(&path, Doccano, &options).unwrap();
    assert_eq!((sentences.len(), losses.count(LossKind::InvalidRecord)), (1, 1));
    let error = read_annotations(folder.path().join("none"), Brat, &options).unwrap_err().to_string();
    assert!(error.ends_with("none: No such file or directory (os error 2)"), "{error}");
    let error = read_annotations(folder.path(), Doccano, &options).unwrap_err().to_string();
    assert!(error.ends_with("expected a file, found a directory"), "{error}");
}
