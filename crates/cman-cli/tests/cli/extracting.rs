//! `cman extract`: the rows of every kind of file, parts, interruptions, and what cannot be read.

use std::{
    fs::{self, File},
    io::{Read, Write},
    path::Path,
    thread,
    time::Duration,
};

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde_json::{Value, json};

use crate::program::{Folder, cman, cman_reading, command, demo, sample};

const TEXT: &str = "Ada Lovelace lived in London. Zoë 😀 works for Brno Steel in Brno.\n\nIt rained.\n";

impl Folder {
    fn lines(&self, name: &str) -> Vec<Value> {
        let text = fs::read_to_string(self.path(name)).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The content of all parts, by name.
    fn parts(&self, name: &str) -> Vec<(String, Vec<u8>)> {
        let entries = fs::read_dir(self.path(name)).unwrap().map(|entry| entry.unwrap().path());
        let content = |path: &Path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(path).unwrap());
        let mut parts: Vec<_> = entries.map(|path| content(&path)).collect();
        parts.retain(|(name, _)| name.starts_with("part-"));
        parts.sort();
        parts
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Records of one sentence each, of varied length.
fn records(count: usize) -> String {
    let filler = ["with her mother", "for many years", "after the war", "and in Vienna"];
    let record = |i: usize| {
        let text = format!("Ada Lovelace{i} lived in London {}.", filler[..i % 5].join(" "));
        json!({"id": i, "text": text}).to_string() + "\n"
    };
    (0..count).map(record).collect()
}

#[test]
fn files_of_every_kind_become_rows_with_offsets_in_the_whole_text() {
    let folder = Folder::new();
    folder.file("in/a.txt", TEXT);
    folder.file("in/b/c.jsonl.gz", gzip(b"{\"id\": \"x\", \"text\": \"Ivar Lund left Oslo.\"}\n"));
    folder.file("in/b/d.json", r#"[{"tokens": ["Ada", "Lovelace", "lived", "in", "London", "."], "orig_id": 7}]"#);
    folder.file("in/.hidden.txt", "Not read.");
    folder.file("in/e.pdf", "Not read either.");
    let args = ["extract", &folder.path("in"), "--model", &demo(), "--output", &folder.path("out"), "--with-text"];
    let run = cman(&args);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    assert!(run.stderr.starts_with("4 records, 5 sentences, "), "{}", run.stderr);
    let rows = folder.lines("out/part-00000.jsonl");
    let place = |row: &Value| {
        let file = row["file"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        (file, row["line"].clone(), row["id"].clone())
    };
    let expected = [
        ("a.txt", json!(1), Value::Null),
        ("a.txt", json!(3), Value::Null),
        ("c.jsonl.gz", json!(1), json!("x")),
        ("d.json", json!(1), json!(7)),
    ];
    assert_eq!(rows.iter().map(place).collect::<Vec<_>>(), expected.map(|(file, line, id)| (file.into(), line, id)));
    let text: Vec<char> = rows[0]["text"].as_str().unwrap().chars().collect();
    let entities = rows[0]["entities"].as_array().unwrap();
    assert!(entities.iter().any(|entity| entity["sentence"] == 1), "{entities:?}");
    for entity in entities {
        let at = |end: &str| usize::try_from(entity["chars"][end].as_u64().unwrap()).unwrap();
        assert_eq!(text[at("start")..at("end")].iter().collect::<String>(), entity["text"].as_str().unwrap());
    }
    assert_eq!(rows[3]["text"], "Ada Lovelace lived in London .");
}

#[test]
fn what_is_found_is_what_predict_finds() {
    let folder = Folder::new();
    let input = folder.file("a.jsonl", records(60));
    cman(&["extract", &input, "--model", &demo(), "--output", &folder.path("out")]);
    let predicted = cman(&["predict", &input, "--model", &demo()]).quiet();
    let rows = folder.lines("out/part-00000.jsonl");
    assert_eq!(rows.len(), 60);
    for (row, line) in rows.iter().zip(predicted.lines()) {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!((&row["id"], &row["relations"]), (&line["id"], &line["relations"]));
        let facts = |entity: &Value| (entity["type"].clone(), entity["text"].clone(), entity["confidence"].clone());
        let facts = |of: &Value| of["entities"].as_array().unwrap().iter().map(facts).collect::<Vec<_>>();
        assert_eq!(facts(row), facts(&line));
    }
}

#[test]
fn a_killed_extraction_continues_and_writes_the_same_bytes() {
    let folder = Folder::new();
    // Parts end within files, and a file within a part.
    let inputs = [folder.file("a.jsonl", records(700)), folder.file("b.jsonl.gz", gzip(records(500).as_bytes()))];
    let args = |out: &str, more: &[&str]| -> Vec<String> {
        let fixed = ["extract", &inputs[0], &inputs[1], "--model", &demo(), "--part-records", "130", "--output"];
        [&fixed[..], &[&folder.path(out)], more].concat().iter().map(|&word| word.to_owned()).collect()
    };
    let run = |args: Vec<String>| cman(&args.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(run(args("whole", &[])).status, Some(0));
    let whole = folder.parts("whole");
    assert_eq!(whole.len(), 10);

    let mut kills = 0;
    let mut resume: &[&str] = &[];
    while kills < 3 {
        let words = args("killed", resume);
        let mut child = command(&words.iter().map(String::as_str).collect::<Vec<_>>()).spawn().unwrap();
        let parts = || if Path::new(&folder.path("killed")).exists() { folder.parts("killed").len() } else { 0 };
        let before = parts();
        while child.try_wait().unwrap().is_none() && parts() == before {
            thread::sleep(Duration::from_millis(2));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        (kills, resume) = (kills + 1, &["--resume"]);
    }
    assert!(folder.parts("killed").len() < whole.len(), "it was killed before its end");
    let end = run(args("killed", &["--resume", "--threads", "1"]));
    assert_eq!(end.status, Some(0), "{}", end.stderr);
    assert!(end.stderr.starts_with("1,200 records, "), "{}", end.stderr);
    let killed = folder.parts("killed");
    assert!(killed == whole, "the same names and bytes");
    let again = run(args("killed", &["--resume"]));
    assert_eq!(again.status, Some(0));
    assert!(again.stderr.contains("complete; 1,200 records"), "{}", again.stderr);
}

#[test]
fn what_cannot_be_read_is_written_with_its_reason() {
    let folder = Folder::new();
    let long = "w".repeat(300);
    let lines = format!("{{\"id\": 1, \"text\": \"Ada left.\"}}\n{{\"id\": 2}}\n{{\"id\": 3, \"text\": \"{long}\"}}\n");
    let inputs = [
        folder.file("a.jsonl", lines),
        folder.file("b.gz", &gzip(TEXT.as_bytes())[..20]),
        folder.file("c.zip", b"PK\x03\x04rest"),
        folder.file("d.txt", "It rained.\n"),
    ];
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    let (model, out) = (demo(), folder.path("out"));
    let args = [&["extract", "--model", &model, "--output", &out], &inputs[..]].concat();
    let run = cman(&args);
    assert_eq!(run.status, Some(1));
    let (said, hint) = run.stderr.split_once("\n\nhint: ").unwrap();
    assert!(said.ends_with("error: 4 records or files rejected"), "{said}");
    assert!(hint.ends_with("out/_rejected-*.jsonl has the reasons\n"), "{hint}");
    let rejected = folder.lines("out/_rejected-00000.jsonl");
    let reasons: Vec<String> = rejected.iter().map(|line| line["reason"].as_str().unwrap().to_owned()).collect();
    assert_eq!((&rejected[0]["line"], &rejected[1]["id"], &rejected[1]["line"]), (&json!(2), &json!(3), &json!(3)));
    assert!(reasons[0].ends_with("line 2: expected `text` or `tokens`, found neither"), "{reasons:?}");
    assert!(reasons[1].contains("300 characters"), "{reasons:?}");
    assert!(reasons[2].contains("b.gz: "), "{reasons:?}");
    assert!(reasons[3].contains("a binary file (application/zip)"), "{reasons:?}");
    assert_eq!(folder.lines("out/part-00000.jsonl").len(), 2, "the others are read");
    let again = cman(&[&args[..], &["--resume"]].concat());
    assert_eq!(again.status, Some(1), "a complete extraction says again what it lacks: {}", again.stderr);
}

#[test]
fn parts_can_be_compressed() {
    let folder = Folder::new();
    let input = folder.file("a.jsonl", records(30));
    let out = |name: &str, more: &[&str]| {
        let run = cman(&[&["extract", &input, "--model", &demo(), "--output", &folder.path(name)][..], more].concat());
        assert_eq!(run.status, Some(0), "{}", run.stderr);
    };
    out("plain", &[]);
    out("gzip", &["--compress", "gzip"]);
    let mut text = Vec::new();
    let file = File::open(folder.path("gzip/part-00000.jsonl.gz")).unwrap();
    GzDecoder::new(file).read_to_end(&mut text).unwrap();
    assert_eq!(text, fs::read(folder.path("plain/part-00000.jsonl")).unwrap());
}

#[cfg(feature = "zstd")]
#[test]
fn zstd_is_written_and_read() {
    let folder = Folder::new();
    let input = folder.file("a.jsonl", records(30));
    let extract = |input: &str, out: &str, more: &[&str]| {
        let (model, out) = (demo(), folder.path(out));
        let args = [&["extract", input, "--model", &model, "--output", &out][..], more].concat();
        assert_eq!(cman(&args).status, Some(0));
    };
    extract(&input, "found", &["--compress", "zstd", "--with-text"]);
    let part = folder.path("found/part-00000.jsonl.zst");
    assert!(fs::metadata(&part).unwrap().len() < 8000);
    extract(&part, "again", &["--with-text"]);
    extract(&input, "plain", &["--with-text"]);
    let facts = |name: &str| {
        let rows = folder.lines(name).into_iter();
        rows.map(|row| (row["id"].clone(), row["text"].clone(), row["entities"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(facts("again/part-00000.jsonl"), facts("plain/part-00000.jsonl"));
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_has_the_rows_of_json_lines() {
    let folder = Folder::new();
    let input = folder.file("a.jsonl", records(600));
    for to in ["jsonl", "parquet"] {
        let args = ["extract", &input, "--model", &demo(), "--output", &folder.path(to), "--to", to, "--with-text"];
        assert_eq!(cman(&args).status, Some(0));
    }
    let mut text = String::new();
    let part = folder.path("parquet/part-00000.parquet");
    cman_data::file::open(part.as_ref()).unwrap().read_to_string(&mut text).unwrap();
    let table: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut rows = folder.lines("jsonl/part-00000.jsonl");
    // A column has one type: ids are strings.
    rows.iter_mut().for_each(|row| row["id"] = row["id"].to_string().into());
    assert_eq!(table, rows);

    let args =
        ["extract", &input, "--model", &demo(), "--output", &folder.path("x"), "--to", "parquet", "--n-best", "2"];
    assert!(cman(&args).failure().starts_with("the best tag sequences have no column in Parquet"));

    // Parquet is read as it is written.
    let args = ["extract", &folder.path("parquet"), "--model", &demo(), "--output", &folder.path("again")];
    assert_eq!(cman(&args).status, Some(0));
    assert_eq!(folder.lines("again/part-00000.jsonl").len(), 600);
}

#[cfg(not(feature = "parquet"))]
#[test]
fn what_the_program_was_built_without_is_named() {
    let folder = Folder::new();
    let input = folder.file("a.txt", TEXT);
    let args = ["extract", &input, "--model", &demo(), "--output", &folder.path("out"), "--to", "parquet"];
    let (error, hint) = cman(&args).failure_with_hint();
    assert_eq!(error, "this program was built without the feature `parquet`");
    assert!(hint.unwrap().contains("--features parquet"));
    assert!(!Path::new(&folder.path("out/_manifest.json")).exists(), "the folder is still new");
}

#[test]
fn a_folder_has_one_extraction() {
    let folder = Folder::new();
    let input = folder.file("a.txt", TEXT);
    let out = folder.path("out");
    let base = ["extract", &input, "--model", &demo(), "--output", &out];
    assert_eq!(cman(&base).status, Some(0));
    let message = |more: &[&str]| cman(&[&base[..], more].concat()).failure_with_hint();
    let (error, hint) = message(&[]);
    assert_eq!(error, format!("{out}: already has an extraction"));
    assert!(hint.unwrap().contains("`--resume` continues"));
    let (error, hint) = message(&["--resume", "--max-tokens", "100", "--compress", "gzip"]);
    assert!(error.contains("compress: \"none\", now \"gzip\"; options.max_tokens: 512, now 100"), "{error}");
    assert!(hint.unwrap().contains("`--output`"));
    fs::write(&input, "Another text.").unwrap();
    let (error, _) = message(&["--resume"]);
    assert!(error.contains(&format!("files[0].bytes: {}, now 13", TEXT.len())), "{error}");
}

#[test]
fn inputs_that_do_not_exist_or_have_nothing_are_errors() {
    let folder = Folder::new();
    let message = |input: &str| {
        cman(&["extract", input, "--model", &demo(), "--output", &folder.path("out")]).failure_with_hint()
    };
    let missing = folder.path("*.txt");
    let (error, hint) = message(&missing);
    assert_eq!(error, format!("{missing}: no such file or folder"));
    assert!(hint.unwrap().contains("not in quotes"));
    fs::create_dir(folder.path("empty")).unwrap();
    assert!(message(&folder.path("empty")).0.contains("expected files with the extensions txt, "));
    assert!(!Path::new(&folder.path("out")).exists(), "nothing was written");
    let run = cman_reading(b"text", &["extract", "/dev/stdin", "--model", &demo(), "--output", &folder.path("out")]);
    let (error, hint) = run.failure_with_hint();
    assert!(error.ends_with("expected a file, found a pipe or device"), "{error}");
    assert!(hint.unwrap().contains("`cman predict`"));
    let blank = folder.file("blank.txt", "\n\n");
    let run = cman(&["extract", &blank, "--model", &demo(), "--output", &folder.path("out")]);
    assert!(run.stderr.ends_with(&format!("error: no records in {blank}\n")), "{}", run.stderr);
    let sample = cman(&["extract", &sample("dev.json"), "--model", &demo(), "--output", &folder.path("sample")]);
    assert_eq!(sample.status, Some(0), "a corpus is read by its tokens: {}", sample.stderr);
}
