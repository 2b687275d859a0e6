//! Recognition of inputs, and reading of sentences from each kind.

use cman_data::{
    Corpus, DataError, Entity, Format, Input, InputFormat, InputOptions, OnError, ReaderBuilder, Recognized, recognize,
};

const SPERT: &str = r#"[
  {"tokens": ["Ann", "left", "Rome"], "entities": [{"type": "Peop", "start": 0, "end": 1}], "orig_id": 31415926535897932384626},
  {"tokens": ["Bob", "ran"], "entities": []}]"#;
const LINES: &str = "{\"tokens\": [\"Ann\", \"left\"], \"entities\": []}\n\n{\"tokens\": [\"Bob\"]}\n";
const TABLE: &str = "#doc 17\n0\tAnn\tB-Peop\t['N']\t[0]\n1\tleft\tO\t['N']\t[1]\n";
const COLUMNS: &str =
    "-DOCSTART- -X- O\n\nAnn NNP B-Peop\nleft VBD O\n\n# id 2\nEl NNP B-Loc\nPaso NNP E-Loc\nshines VB O\n";

/// The id and the words of a sentence, or the message of an invalid record.
type Read = Result<(String, Vec<String>), String>;

/// The words of every sentence and the ids, or the messages of records that are invalid.
fn sentences(bytes: &[u8], format: Option<InputFormat>) -> Result<Vec<Read>, DataError> {
    let mut input = Input::open(bytes, "in", &InputOptions { format, ..InputOptions::default() })?;
    let mut found = Vec::new();
    while let Some(record) = input.next()? {
        match record {
            Ok(record) => {
                let id = record.id.map_or_else(String::new, |id| id.get().to_owned());
                let words = |sentence: &cman_data::Sentence| sentence.words().map(str::to_owned).collect();
                found.extend(record.sentences.iter().map(|(_, sentence)| Ok((id.clone(), words(sentence)))));
            }
            Err(error) => found.push(Err(error.to_string())),
        }
    }
    Ok(found)
}

fn sentence(id: &str, words: &str) -> Read {
    Ok((id.into(), words.split(' ').map(str::to_owned).collect()))
}

#[test]
fn every_corpus_format_is_read_by_its_tokens() {
    assert_eq!(
        sentences(SPERT.as_bytes(), None).unwrap(),
        [sentence("31415926535897932384626", "Ann left Rome"), sentence("", "Bob ran")]
    );
    assert_eq!(sentences(LINES.as_bytes(), None).unwrap(), [sentence("", "Ann left"), sentence("", "Bob")]);
    assert_eq!(sentences(TABLE.as_bytes(), None).unwrap(), [sentence("17", "Ann left")]);
    assert_eq!(
        sentences(COLUMNS.as_bytes(), None).unwrap(),
        [sentence("1", "Ann left"), sentence("2", "El Paso shines")]
    );
}

#[test]
fn text_and_json_records_are_read() {
    let expected = [sentence("", "Ann left ."), sentence("", "[1] Bob")];
    // A bracket or a brace may start a text.
    assert_eq!(sentences(b"Ann left.\n\n[1] Bob\n", None).unwrap()[0], expected[0]);
    for text in ["[1] Bob ran", "[Ann] left", "{sic} Ann", "# Title\nAnn", "T1 weighted images", "O\nO"] {
        assert_eq!(recognize(text.as_bytes(), true), Recognized::Text, "{text}");
    }
    let records = r#"[{"id": "a", "text": "Ann left."}, {"id": 2.50, "tokens": ["Bob"]}, {"id": 3}, {"text": 4}]"#;
    assert_eq!(
        sentences(records.as_bytes(), None).unwrap(),
        [
            sentence("\"a\"", "Ann left ."),
            sentence("2.50", "Bob"),
            Err("in: record 3, line 1: expected `text` or `tokens`, found neither".into()),
            Err("in: record 4, line 1, column 89, text: expected a string, found integer `4`".into()),
        ]
    );
    let lines = "{\"text\": \"Ann left.\"}\n{\"text\": \n{\"tokens\": [1]}\n\u{0}\n";
    let found = sentences(lines.as_bytes(), Some(InputFormat::Corpus(Format::JsonLines))).unwrap();
    let messages: Vec<&str> = found[1..].iter().map(|record| record.as_ref().unwrap_err().as_str()).collect();
    assert_eq!(messages[1], "in: record 3, line 3, column 13, tokens[0]: expected a string, found integer `1`");
    assert_eq!(messages.len(), 3);
    assert!(sentences(b" \n", None).unwrap().is_empty());
    assert!(sentences(b"", Some(InputFormat::Corpus(Format::Spert))).unwrap().is_empty());
}

#[test]
fn what_cannot_be_read_is_refused_by_its_name() {
    let message = |bytes: &[u8]| match sentences(bytes, None).unwrap_err() {
        DataError::Foreign { found, hint, .. } => (found, hint.unwrap_or_default()),
        error => panic!("{error}"),
    };
    let studio = r#"[{"id": 1, "annotations": [], "data": {"text": "Ann"}}]"#;
    assert_eq!(message(studio.as_bytes()).0, "a Label Studio export");
    assert!(message(studio.as_bytes()).1.contains("jq -c '.[] | {id, text: .data.text}'"));
    let dygie = r#"{"doc_key": "a", "sentences": [["Ann"]], "ner": [[]]}"#;
    assert_eq!(message(dygie.as_bytes()).0, "documents of DyGIE++");
    assert_eq!(message(br#"{"headline": "x", "body": "y"}"#).0, "JSON records with the keys headline, body");
    assert_eq!(message(b"{\n  \"text\": \"Ann\"\n}\n").0, "a JSON document of several lines");
    assert_eq!(message(br#"["Ann", "left"]"#).0, "a JSON array without objects");
    assert_eq!(message(b"\x1F\x8B\x08\0\0\0").0, "a binary file (application/gzip)");
    assert!(message(b"\x1F\x8B\x08\0\0\0").1.contains("gunzip"));
    assert_eq!(message(b"PK\x03\x04abc").0, "a binary file (application/zip)");
    assert_eq!(message(b"%PDF-1.7\n").0, "a binary file (application/pdf)");
    assert_eq!(message(b"PAR1\x15\x04").0, "a Parquet file");
    assert_eq!(message(b"\xFF\xFEA\0n\0").0, "text in UTF-16");
    assert_eq!(message(b"An\0n").0, "a binary file");
    assert_eq!(message(b"<?xml version=\"1.0\"?><a/>").0, "XML or HTML");
    assert_eq!(message(b"T1\tPeop 0 3\tAnn\n").0, "the annotation of brat");
    assert_eq!(message(b"#FORMAT=WebAnno TSV 3.2\n").0, "a WebAnno TSV file");
    for annotation in [studio, dygie, "T1\tPeop 0 3\tAnn\n"] {
        let Err(DataError::Foreign { hint, .. }) = ReaderBuilder::new().from_reader(annotation.as_bytes(), "a") else {
            panic!("{annotation}")
        };
        assert_eq!(hint.as_deref(), Some("`cman convert FILE train.json --to spert` converts it"));
    }
}

#[test]
fn the_format_can_be_named() {
    let text = sentences(SPERT.as_bytes(), Some("text".parse().unwrap())).unwrap();
    assert_ne!(text[0], sentences(SPERT.as_bytes(), None).unwrap()[0]);
    assert_eq!("jsonl".parse::<InputFormat>().unwrap(), InputFormat::Corpus(Format::JsonLines));
    assert!("words".parse::<InputFormat>().unwrap_err().to_string().contains("spert, jsonl, multihead, columns"));
}

#[test]
fn recognition_needs_no_whole_record() {
    let bytes = SPERT.as_bytes();
    for end in 13..bytes.len() {
        assert_eq!(recognize(&bytes[..end], false), Recognized::Corpus(Format::Spert), "{end}");
    }
    let bytes = COLUMNS.as_bytes();
    for end in COLUMNS.find("\n\n#").unwrap() + 1..bytes.len() {
        assert_eq!(recognize(&bytes[..end], false), Recognized::Corpus(Format::Columns), "{end}");
    }
}

#[test]
fn lines_and_columns_are_corpora() {
    let read = |text: &str, options: &ReaderBuilder| {
        let mut reader = options.from_reader(text.as_bytes(), "in").unwrap();
        let sentences = reader.by_ref().collect::<Result<Vec<_>, _>>();
        let (schema, report) = reader.into_parts();
        sentences.map(|sentences| Corpus { sentences, schema, report })
    };
    let corpus = read(COLUMNS, &ReaderBuilder::new()).unwrap();
    assert_eq!(corpus.sentences[1].entities, [Entity::new("Loc", 0..2)]);
    assert_eq!((corpus.schema.entities.names().len(), corpus.schema.relations.len()), (2, 0));
    let indexed = read("1\tAnn\tS-Peop\n2\tleft\tO\n", &ReaderBuilder::new()).unwrap();
    assert_eq!(indexed.sentences[0].words().collect::<Vec<_>>(), ["Ann", "left"]);

    let skip = ReaderBuilder::new().on_error(OnError::Skip).all_messages();
    let corpus = read(
        "Ann B-Peop\nleft O\n\nBob O\nran VBD O\n\nBob O\nran X-Y\n\nEnd O\n",
        &skip.clone().format(Format::Columns),
    );
    assert_eq!(
        corpus.unwrap().report.messages,
        [
            "in: record 2, line 5: expected 2 columns, the token first and its tag last, found 3",
            "in: record 3, line 8: expected `O` or a tag such as B-Loc, found \"X-Y\""
        ]
    );
    let lines = "{\"tokens\": [\"Ann\"], \"entities\": [{\"type\": \"X\", \"start\": 0, \"end\": 2}]}\n\n{\"tokens\":\n{\"tokens\": [\"b\"]}\n";
    let corpus = read(lines, &skip.format(Format::JsonLines)).unwrap();
    assert_eq!(
        corpus.report.messages,
        [
            "in: record 1, line 1, entities[0].end: expected at most 1 (the number of tokens), found 2",
            "in: record 2, line 3, column 10, tokens: EOF while parsing a value"
        ]
    );
    assert_eq!(corpus.sentences.len(), 1);
}
