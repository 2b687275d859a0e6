//! Parquet files: there and back, and those of other writers.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use cman_data::{
    AnnotationOptions, Corpus, CorpusDir, Entity, Input, InputOptions, ReaderBuilder, Relation, Sentence, file, sample,
    write_parquet,
};
use proptest::prelude::*;

/// A file of tests/parquet, which `make.py` there has written.
fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parquet").join(name)
}

fn read(path: impl AsRef<Path>) -> Result<Vec<Sentence>, String> {
    let read = Corpus::read_any(path, &ReaderBuilder::new(), &AnnotationOptions::default());
    read.map(|(corpus, _)| corpus.sentences).map_err(|error| error.to_string())
}

fn written(sentences: &[Sentence]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    write_parquet(sentences, fs::File::create(&path).unwrap()).unwrap();
    (folder, path)
}

#[test]
fn a_corpus_comes_back_as_it_was() {
    let corpus = sample::corpus().unwrap();
    let all = [Some(corpus.train), corpus.dev, corpus.test];
    let sentences: Vec<Sentence> = all.into_iter().flatten().flat_map(|corpus| corpus.sentences).collect();
    assert!(sentences.len() > 1024, "several row groups of encoding");
    let (_folder, path) = written(&sentences);
    assert_eq!(read(&path), Ok(sentences.clone()));
    let reader = ReaderBuilder::new().from_path(&path).unwrap();
    assert_eq!(reader.collect::<Result<Vec<_>, _>>().unwrap(), sentences);
}

#[test]
fn ids_stay_numbers_if_all_are() {
    let numbered: Vec<Sentence> = (0..3).map(|i| Sentence::from_tokens(i * 5, ["a"])).collect();
    let (_folder, path) = written(&numbered);
    assert_eq!(read(path), Ok(numbered.clone()));
    let named: Vec<Sentence> = [Sentence::from_tokens("x", ["a"])].into_iter().chain(numbered).collect();
    let (_folder, path) = written(&named);
    let ids: Vec<String> = read(path).unwrap().iter().map(|sentence| sentence.id.to_string()).collect();
    assert_eq!(ids, ["x", "0", "5", "10"]);
}

#[test]
fn real_corpora_come_back() {
    let Some(shared) = env::var_os("CMAN_SHARED") else { return };
    for file in ["conll04/spert/conll04_train.json", "conll04/multihead/test.txt", "ade/ade_full.json"] {
        let sentences = read(Path::new(&shared).join("data").join(file)).unwrap();
        let (_folder, path) = written(&sentences);
        assert!(read(path).unwrap() == sentences, "{file}");
    }
}

/// What the fixtures contain.
fn expected() -> Vec<Sentence> {
    let mut first = Sentence::from_tokens(7, ["Zoë", "left", "東京", "."]);
    first.entities = vec![Entity::new("Peop", 0..1), Entity::new("Loc", 2..3)];
    first.relations = vec![Relation::new("Live_In", 0, 1)];
    vec![first, Sentence::from_tokens(8, ["No", "."])]
}

#[test]
fn files_of_pyarrow_and_datasets_are_read() {
    for name in ["lists.parquet", "lists_of_columns.parquet", "class_labels.parquet", "gzip_row_groups.parquet"] {
        assert_eq!(read(fixture(name)), Ok(expected()), "{name}");
    }
    let folder = CorpusDir::find(fixture("folder")).unwrap();
    assert_eq!(read(folder.train.unwrap()), Ok(expected()));
    assert_eq!(read(folder.dev.unwrap()), Ok(expected()));
}

#[test]
fn texts_and_tokens_are_input_of_prediction() {
    let input = |name| {
        let reader = std::io::BufReader::new(file::open(&fixture(name)).unwrap());
        let mut input = Input::open(reader, name, &InputOptions::default()).unwrap();
        let record = input.next().unwrap().unwrap().unwrap();
        (record.id.unwrap().get().to_owned(), record.sentences.len())
    };
    assert_eq!(input("texts.parquet"), ("\"a\"".into(), 2));
    assert_eq!(input("lists.parquet"), ("7".into(), 1));
}

#[test]
fn what_cannot_be_read_is_said_with_its_record() {
    let message = |name| read(fixture(name)).unwrap_err().replace(&*fixture(name).to_string_lossy(), name);
    assert_eq!(
        message("numbers.parquet"),
        "numbers.parquet: record 1, line 1, column 40, entities[0].type: expected a string, found integer `0`"
    );
    let wrong = message("wrong_label.parquet");
    assert_eq!(
        wrong,
        "wrong_label.parquet: record 1, entities[0].type: expected the number of one of 2 labels, found 5"
    );
    assert!(message("null_tokens.parquet").contains("record 2"), "{}", message("null_tokens.parquet"));
    let bytes = fs::read(fixture("lists.parquet")).unwrap();
    let error = ReaderBuilder::new().from_reader(&bytes[..], "standard input").err().unwrap().to_string();
    assert!(error.ends_with("found a Parquet file"), "{error}");
}

#[test]
fn damaged_files_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let whole = fs::read(fixture("lists.parquet")).unwrap();
    let path = folder.path().join("a.parquet");
    for length in 4..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let error = read(&path).unwrap_err();
        assert!(
            error.contains("a.parquet: expected a Parquet file, found ") && !error.contains('\n'),
            "{length}: {error}"
        );
    }
}

proptest! {
    #[test]
    fn other_bytes_are_read_or_an_error(at in 4..4000_usize, byte: u8) {
        let mut bytes = fs::read(fixture("lists.parquet")).unwrap();
        let at = 4 + at % (bytes.len() - 4);
        bytes[at] = byte;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.parquet");
        fs::write(&path, bytes).unwrap();
        if let Err(error) = read(&path) {
            prop_assert!(error.contains("a.parquet") && !error.contains('\n'), "{error}");
        }
    }
}
