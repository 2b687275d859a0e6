//! Files and folders: missing, ambiguous and mistaken for each other.

use std::{
    fs,
    io::{self, BufReader, Read},
    path::PathBuf,
};

use cman_data::{Corpus, CorpusDir, DataError, LabelSet, OnError, ReaderBuilder, Schema, VectorReader, write_types};
use tempfile::TempDir;

fn folder(names: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in names {
        fs::write(folder.path().join(name), "").unwrap();
    }
    folder
}

fn names(paths: impl IntoIterator<Item = PathBuf>) -> Vec<String> {
    paths.into_iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
}

#[test]
fn errors_name_a_missing_file_and_a_folder() {
    let folder = folder(&[]);
    let error = Corpus::read(folder.path(), &ReaderBuilder::new()).unwrap_err();
    assert_eq!(error.to_string(), format!("{}: expected a file, found a directory", folder.path().display()));
    let missing = folder.path().join("missing.json");
    let error = Corpus::read(&missing, &ReaderBuilder::new()).unwrap_err();
    assert!(matches!(error, DataError::Io { .. }) && error.path() == Some(missing.as_path()), "{error}");
    assert!(matches!(CorpusDir::find(&missing), Err(DataError::Io { .. })));
    assert!(matches!(Schema::read(&missing), Err(DataError::Io { .. })));
}

/// Returns one byte at a time, each after an interruption, and then fails.
struct Flaky<'a> {
    bytes: &'a [u8],
    interrupted: bool,
}

impl Read for Flaky<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.interrupted = !self.interrupted;
        match self.bytes {
            _ if self.interrupted => Err(io::ErrorKind::Interrupted.into()),
            [] => Err(io::ErrorKind::ConnectionReset.into()),
            [byte, rest @ ..] => {
                (buffer[0], self.bytes) = (*byte, rest);
                Ok(1)
            }
        }
    }
}

#[test]
fn interrupted_reads_are_retried_and_failures_are_errors() {
    for text in ["[{\"tokens\": [\"a\"]},", "#doc 1\n0\ta\tO\t['N']\t[0]\n#doc 2\n"] {
        let reader = BufReader::new(Flaky { bytes: text.as_bytes(), interrupted: false });
        let skip = ReaderBuilder::new().on_error(OnError::Skip);
        let mut reader = skip.from_reader(reader, "flaky").unwrap();
        assert_eq!(reader.next().unwrap().unwrap().tokens[0].text, "a");
        let error = reader.next().unwrap().unwrap_err();
        assert_eq!(error.to_string(), "flaky: connection reset");
        assert!(reader.next().is_none());
    }
    let reader = BufReader::new(Flaky { bytes: b"a 1 2\n", interrupted: false });
    let mut vectors = VectorReader::from_reader(reader, "flaky").unwrap();
    assert_eq!(vectors.next().unwrap().unwrap().0, "a");
    assert!(matches!(vectors.next(), Some(Err(DataError::Io { .. }))));
}

#[test]
fn a_corpus_is_read_with_its_schema_and_report() {
    let folder = folder(&[]);
    let path = folder.path().join("a.txt");
    fs::write(&path, "#doc 9\n0\tAnn\tI-Peop\t['Live_In']\t[1]\n1\tBonn\tB-Loc\t['N']\t[1]\n").unwrap();
    let corpus = Corpus::read(&path, &ReaderBuilder::new()).unwrap();
    assert_eq!((corpus.sentences.len(), corpus.sentences[0].id.as_str()), (1, "9"));
    assert_eq!(corpus.schema.entities.names(), ["Peop", "Loc"]);
    assert_eq!(corpus.schema.relations.names(), ["Live_In"]);
    assert_eq!(corpus.report.to_string(), "1 sentences from 1 records\n1 entities that start with an I- tag");
    let json = serde_json::to_value(&corpus.report).unwrap();
    assert_eq!((&json["sentences"], &json["orphan_inside_tags"]), (&1.into(), &1.into()));
}

#[test]
fn types_files() {
    let folder = folder(&[]);
    let path = folder.path().join("types.json");
    let schema =
        Schema { entities: LabelSet::from_iter(["Loc", "A \"b\"", "Ä"]), relations: LabelSet::from_iter(["R"]) };
    write_types(&schema, fs::File::create(&path).unwrap()).unwrap();
    assert_eq!(Schema::read(&path).unwrap(), schema);
    let written: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(written["relations"]["R"], serde_json::json!({"short": "R", "verbose": "R", "symmetric": false}));
    write_types(&Schema::default(), fs::File::create(&path).unwrap()).unwrap();
    assert_eq!(Schema::read(&path).unwrap(), Schema::default());

    for (json, expected) in [
        (r#"{"entities": {"Z": {}, "A": {}}, "relations": []}"#, Ok(["Z", "A"])),
        ("\u{FEFF}{\"relations\": {}, \"entities\": [\"Z\", \"A\"], \"x\": 1}", Ok(["Z", "A"])),
        (r#"{"entities": {"A": {}, "A": {}}, "relations": []}"#, Err(r#"entities: duplicate type "A""#)),
        (r#"{"entities": ["A", "A"], "relations": []}"#, Err(r#"entities: duplicate type "A""#)),
        (r#"{"entities": [""], "relations": []}"#, Err("entities: a type with an empty name")),
        (r#"{"entities": []}"#, Err("missing field `relations`")),
        (r#"{"entities": [], "entities": [], "relations": []}"#, Err("duplicate field `entities`")),
        (
            r#"{"entities": 5, "relations": []}"#,
            Err("entities: expected an object with types as keys, or an array of types, found integer `5`"),
        ),
        (r#"{"entities": [5], "relations": []}"#, Err("entities[0]: expected a string, found integer `5`")),
        (r#"{"entities": [], "relations": []} x"#, Err("trailing characters")),
        ("", Err("EOF while parsing a value")),
    ] {
        fs::write(&path, json).unwrap();
        match (Schema::read(&path), expected) {
            (Ok(schema), Ok(names)) => assert_eq!(schema.entities.names(), names),
            (Err(error), Err(message)) => assert!(error.to_string().ends_with(message), "{json}: {error}"),
            (result, _) => panic!("{json}: {result:?}"),
        }
    }
}

#[test]
fn the_usual_names_are_found() {
    let found = folder(&[
        "conll04_train.json",
        "conll04_dev.json",
        "conll04_test.json",
        "conll04_types.json",
        "conll04_train_dev.json",
        "README.txt",
        "LICENSE",
        ".train.json",
        "glove.txt",
    ]);
    fs::create_dir(found.path().join("train")).unwrap();
    fs::create_dir(found.path().join("more_train.json")).unwrap();
    let found = CorpusDir::find(found.path()).unwrap();
    assert_eq!(names(found.train), ["conll04_train.json"]);
    assert_eq!(names(found.dev), ["conll04_dev.json"]);
    assert_eq!(names(found.test), ["conll04_test.json"]);
    assert_eq!(names(found.types), ["conll04_types.json"]);
    assert_eq!(names(found.others), ["conll04_train_dev.json"]);

    let found = folder(&["train.txt", "valid.txt", "TEST.TXT"]);
    let found = CorpusDir::find(found.path()).unwrap();
    assert_eq!(
        (names(found.train), names(found.dev), names(found.test)),
        (vec!["train.txt".into()], vec!["valid.txt".into()], vec!["TEST.TXT".into()])
    );
    assert_eq!((found.types, found.others), (None, vec![]));

    let folds = ["ade_full.json", "ade_split_0_test.json", "ade_split_0_train.json", "ade_split_10_train.json"];
    let found = CorpusDir::find(folder(&folds).path()).unwrap();
    assert_eq!((found.train, found.dev), (None, None));
    assert_eq!(names(found.test), ["ade_split_0_test.json"]);
    assert_eq!(names(found.others), ["ade_full.json", "ade_split_0_train.json", "ade_split_10_train.json"]);

    let found = CorpusDir::find(folder(&["conll-04-train.json", "conll-04-dev.json", "test.jsonl"]).path()).unwrap();
    assert_eq!(names(found.train), ["conll-04-train.json"]);
    assert_eq!((names(found.dev), names(found.test)), (vec!["conll-04-dev.json".into()], vec!["test.jsonl".into()]));
}

#[test]
fn files_without_a_role_are_listed_with_the_reason() {
    let folds = folder(&["fold_1_train.json", "fold_2_train.json", "dev.json", "notes.md", "LICENSE"]);
    let found = CorpusDir::find(folds.path()).unwrap();
    let error = found.training(folds.path()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{}: expected one training file such as train.json, found LICENSE (no extension), dev.json (not for \
             training), fold_1_train.json (one of several numbered files), fold_2_train.json (one of several numbered \
             files), notes.md (expected .json, .jsonl, .txt, .conll or .parquet)",
            folds.path().display()
        )
    );
}

#[test]
fn ambiguous_and_missing_files_are_errors() {
    let two = folder(&["train.json", "train.txt", "dev.json"]);
    let error = CorpusDir::find(two.path()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{}: expected one train file, found train.json, train.txt", two.path().display())
    );
    assert_eq!(error.path(), Some(two.path()));
    let none = folder(&["README.md", "types.json"]);
    let error = CorpusDir::find(none.path()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{}: expected corpus files such as train.json, dev.json and test.json, found README.md (expected .json, \
             .jsonl, .txt, .conll or .parquet)",
            none.path().display()
        )
    );
}
