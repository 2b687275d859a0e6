//! Invalid input of every kind: one line with the file and the location, status 1, no panic.

use std::fs;

use crate::program::{Folder, cman, model, sample};

const DEEP: usize = 1_000_000;
const HUGE: usize = 100 << 20;

impl Folder {
    /// The error of training with these options.
    fn train(&self, options: &[&str]) -> String {
        let out = self.path("model");
        let (error, _) = cman(&[&["train", "--out", &out], options].concat()).failure_with_hint();
        assert!(!fs::exists(&out).unwrap(), "the input is read before the output is created: {options:?}");
        error
    }
}

/// Checks the message after the file name.
#[track_caller]
fn assert_reason(error: &str, file: &str, expected: &str) {
    let reason =
        error.strip_prefix(&format!("{file}: ")).unwrap_or_else(|| panic!("{error:?} does not start with {file}"));
    assert!(reason.starts_with(expected), "{reason:?}, expected {expected:?}");
    assert!(reason.len() < 300, "a line of {} bytes: {}..", reason.len(), &reason[..300]);
}

/// An annotated sentence in SpERT's JSON.
fn spert(entities: &str) -> String {
    format!(r#"[{{"tokens": ["a", "b"], "entities": [{entities}], "relations": []}}]"#)
}

#[test]
fn invalid_corpora() {
    let folder = Folder::new();
    let brackets = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    let corpora: Vec<(&str, Vec<u8>, &str)> = vec![
        ("empty", vec![], "no sentences (0 records read)"),
        ("empty.array", b"[]".into(), "no sentences (0 records read)"),
        ("empty.sentence", br#"[{"tokens": []}]"#.into(), "record 1, tokens: expected at least one token, found none"),
        (
            "end.before.start",
            spert(r#"{"type": "X", "start": 1, "end": 0}"#).into(),
            "record 1, entities[0].end: expected more than 1 (the start), found 0",
        ),
        ("negative", spert(r#"{"type": "X", "start": -1, "end": 1}"#).into(), "record 1, line 1, column"),
        (
            "out.of.range",
            spert(r#"{"type": "X", "start": 0, "end": 99999999999999999999999}"#).into(),
            "record 1, line 1, column",
        ),
        ("infinite", spert(r#"{"type": "X", "start": 0, "end": 1e999}"#).into(), "record 1, line 1, column"),
        (
            "duplicate.key",
            br#"[{"tokens": ["a"], "tokens": ["b"]}]"#.into(),
            "record 1, line 1, column 27: duplicate field `tokens`",
        ),
        (
            "deep",
            format!(r#"[{{"tokens": ["a"], "x": {}}}]"#, brackets(DEEP)).into(),
            "record 1, line 1, column 2: nested deeper",
        ),
        (
            "huge.line",
            format!(r#"[{{"tokens": ["{}"]}}]"#, "a".repeat(HUGE)).into(),
            "record 1, line 1, column 2: longer than the limit of 16777216 bytes",
        ),
        ("null", b"[{\"tokens\": [\"a\0\"]}]".into(), "record 1, line 1, column 16, tokens[0]: control character"),
        ("escaped.null", br#"[{"tokens": ["a\u0000"]}]"#.into(), "record 1, tokens[0]: expected text without null"),
        ("not.utf8", b"[{\"tokens\": [\"\xFF\"]}]".into(), "record 1, line 1, column 15: not UTF-8"),
        (
            "truncated",
            b"[{\"tokens\": [\"a".into(),
            "line 1, column 16: expected the rest of the record, found the end",
        ),
        ("bad.index", b"#doc 1\n7\ta\tO\t['N']\t[7]\n".into(), r#"record 1, line 2, index: expected 0, found "7""#),
        ("no.index", b"#doc 1\nx\ta\tO\t['N']\t[0]\n".into(), r#"record 1, line 2, index: expected 0, found "x""#),
        ("no.rows", b"#doc 1\n#doc 2\n".into(), "record 1, line 1, tokens: expected at least one token, found none"),
        (
            "head.out.of.range",
            b"#doc 1\n0\ta\tB-X\t['R']\t[99999999999999999999]\n".into(),
            "record 1, line 2, heads: expected a list of token indices",
        ),
        (
            "table.null",
            b"#doc 1\n0\t\0\tO\t['N']\t[0]\n".into(),
            "record 1, line 2, tokens[0]: expected text without null",
        ),
        ("table.not.utf8", b"#doc 1\n0\t\xFF\tO\t['N']\t[0]\n".into(), "record 1, line 2, column 3: not UTF-8"),
        (
            "table.huge.line",
            format!("#doc 1\n0\t{}\tO\t['N']\t[0]\n", "a".repeat(HUGE)).into(),
            "record 1, line 2: longer than the limit of 16777216 bytes",
        ),
    ];
    let out = folder.path("out");
    for (name, content, expected) in corpora {
        let file = folder.file(name, content);
        let (error, hint) = cman(&["convert", &file, &out, "--to", "spert"]).failure_with_hint();
        assert_reason(&error, &file, expected);
        let inspect = format!("`cman inspect {file}` lists all invalid sentences; `--on-error skip` skips them");
        assert_eq!(hint, expected.starts_with("record").then_some(inspect), "{name}");
        assert_eq!(folder.train(&["--train", &file]), error, "{name}");
        let inspected = cman(&["inspect", &file]);
        assert_eq!(inspected.status, Some(1), "{name}: {}", inspected.stderr);
        assert!(inspected.stderr.contains(&file) && !inspected.stderr.contains("panicked"), "{}", inspected.stderr);
        fs::remove_file(file).unwrap();
    }
    assert!(!fs::exists(&out).unwrap());

    let path = folder.0.path().to_str().unwrap().to_owned();
    let directory = "expected a corpus file, or a folder of brat or WebAnno, found a folder without .ann files";
    assert_reason(&cman(&["convert", &path, &out, "--to", "spert"]).failure(), &path, directory);
    assert_reason(&folder.train(&["--train", &path]), &path, directory);
    let scored = cman(&["score", "--gold", &path, "--pred", &path]).failure();
    assert_reason(&scored, &path, "expected a file, found a directory");
    let (trained, _) = model();
    assert_reason(&cman(&["evaluate", "--model", trained, "--data", &path]).failure(), &path, directory);
}

#[test]
fn byte_order_marks_and_windows_line_ends_are_read() {
    let folder = Folder::new();
    let json = fs::read_to_string(sample("test.json")).unwrap();
    let (unix, table) = (folder.path("unix.json"), folder.path("unix.txt"));
    cman(&["convert", &sample("test.json"), &unix, "--to", "spert"]).quiet();
    cman(&["convert", &sample("test.json"), &table, "--to", "multihead"]).quiet();
    let table = fs::read_to_string(table).unwrap();
    for (name, text) in [("windows.json", json), ("windows.txt", table)] {
        let file = folder.file(name, format!("\u{FEFF}{}", text.replace('\n', "\r\n")));
        let out = folder.path("rewritten.json");
        cman(&["convert", &file, &out, "--to", "spert"]).quiet();
        let sentences = |path: &str| -> Vec<serde_json::Value> {
            let all: Vec<serde_json::Value> = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
            all.into_iter().map(|mut sentence| sentence["entities"].take()).collect()
        };
        assert_eq!(sentences(&out), sentences(&unix), "{name}");
    }
}

#[test]
fn invalid_types_files() {
    let folder = Folder::new();
    let train = sample("dev.json");
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("empty", vec![], "line 1, column 1: EOF while parsing"),
        ("not.utf8", b"{\"entities\": [\"\xFF\"], \"relations\": []}".into(), "line 1, column"),
        (
            "duplicate.key",
            br#"{"entities": [], "entities": []}"#.into(),
            "line 1, column 27: duplicate field `entities`",
        ),
        ("duplicate.type", br#"{"entities": {"A": 1, "A": 2}, "relations": []}"#.into(), "line 1, column"),
        ("deep", format!("{{\"entities\": {}", "[".repeat(DEEP)).into(), "line 1, column"),
        (
            "deep.value",
            format!("{{\"entities\": {{\"A\": {}", "[".repeat(DEEP)).into(),
            "line 1, column 1000019, entities.A: EOF while parsing a list",
        ),
        ("null", b"\0".into(), "line 1, column 1: expected"),
    ];
    for (name, content, expected) in cases {
        let file = folder.file(name, content);
        assert_reason(&folder.train(&["--train", &train, "--types", &file]), &file, expected);
    }
    let path = folder.0.path().to_str().unwrap().to_owned();
    assert_reason(&folder.train(&["--train", &train, "--types", &path]), &path, "Is a directory");
}

#[test]
fn invalid_vector_files() {
    let folder = Folder::new();
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("empty", vec![], "expected word vectors, found none"),
        ("no.numbers", b"word\n".into(), "line 1: expected a word and its values, found no values"),
        ("too.few", b"a 1 2\nb 1\n".into(), "line 2: expected"),
        ("too.many", b"a 1 2\nb 1 2 3\n".into(), "line 2: expected"),
        ("infinite", b"a 1 2\nb 1 1e999\n".into(), "line 2"),
        ("nan", b"a 1 2\nb 1 nan\n".into(), "line 2"),
        ("null", b"a 1 \0\n".into(), "line 1"),
        ("wrong.count", b"3 2\na 1 2\n".into(), "expected 3 vectors as in the header, found 1"),
        ("huge.header", b"1 99999999999999999\na 1 2\n".into(), "line 2: expected"),
        ("huge.line", format!("a {}", "1 ".repeat(HUGE / 2)).into(), "line 1: longer than the limit of 1048576 bytes"),
        ("damaged.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\0\xff\xff\xff".into(), "corrupt deflate stream"),
    ];
    for (name, content, expected) in cases {
        let file = folder.file(name, content);
        assert_reason(&folder.train(&["--sample", "--vectors", &file]), &file, expected);
    }
    let path = folder.0.path().to_str().unwrap().to_owned();
    assert_reason(&folder.train(&["--sample", "--vectors", &path]), &path, "expected a file, found a directory");
}

#[test]
fn invalid_configurations() {
    let folder = Folder::new();
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("not.utf8", b"seed = \xFF".into(), "stream did not contain valid UTF-8"),
        ("duplicate.key", b"seed = 1\nseed = 2\n".into(), "line 2: duplicate key"),
        ("duplicate.table", b"[train]\n[train]\n".into(), "line 2: duplicate key"),
        ("out.of.range", b"seed = 99999999999999999999\n".into(), "line 1: "),
        ("negative", b"[train]\nepochs = -1\n".into(), "line 2: invalid value: integer `-1`"),
        ("deep", format!("seed = {}", "[".repeat(DEEP)).into(), "line 1: "),
        ("null", b"\0".into(), "line 1: "),
        ("huge.line", format!("seed = {}", "1".repeat(HUGE)).into(), "line 1: "),
        ("unknown", format!("{} = 1", "k".repeat(10_000)).into(), "line 1: unknown field"),
    ];
    for (name, content, expected) in cases {
        let file = folder.file(name, content);
        assert_reason(&folder.train(&["--sample", "--config", &file]), &file, expected);
    }
    let path = folder.0.path().to_str().unwrap().to_owned();
    assert_reason(&folder.train(&["--sample", "--config", &path]), &path, "Is a directory");
    let mark = folder.file("windows.toml", "\u{FEFF}seed = 1\r\n[train]\r\nepochs = 0\r\n");
    let error = folder.train(&["--sample", "--config", &mark]);
    assert_eq!(
        error, "configuration: train.epochs: expected at least 1, found 0",
        "a byte-order mark and CRLF are accepted"
    );
    for setting in ["model.hidden=99999999", "model.word.width=999999999999", "model.layers=4000000000"] {
        let error = folder.train(&["--sample", "--set", setting]);
        assert!(error.starts_with("configuration: model."), "{error}");
    }
}

#[test]
fn invalid_records() {
    let folder = Folder::new();
    let (trained, _) = model();
    let brackets = "[".repeat(DEEP);
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("deep", format!("{{\"id\": {brackets}\n").into(), "record 1, line 1, column 1000007, id: EOF while parsing"),
        (
            "duplicate.key",
            b"{\"text\": \"a\", \"text\": \"b\"}\n".into(),
            "record 1, line 1, column 20: duplicate field",
        ),
        ("null", b"{\"text\": \"\0\"}\n".into(), "record 1, line 1, column 11, text: control character"),
        (
            "huge.line",
            format!("{{\"text\": \"{}\"}}\n", "a".repeat(HUGE)).into(),
            "record 1, line 1, column 1: longer than the limit of",
        ),
        ("not.utf8", b"{\"text\": \"\xFF\"}\n".into(), "record 1, line 1, column 11: not UTF-8"),
    ];
    for (name, content, expected) in cases {
        let file = folder.file(name, content);
        let run = cman(&["predict", "--model", trained, "--format", "jsonl", &file]);
        assert_eq!((run.status, run.stdout.as_str()), (Some(1), ""), "{name}: {}", run.stderr);
        let lines: Vec<&str> = run.stderr.lines().collect();
        assert_reason(lines[0], &file, expected);
        assert_eq!(lines[1..], [format!("error: {file}: 1 invalid record skipped")], "{name}");
    }
    let empty = folder.file("empty", "");
    assert_eq!(cman(&["predict", "--model", trained, &empty]).quiet(), "");
    let path = folder.0.path().to_str().unwrap().to_owned();
    assert_reason(&cman(&["predict", "--model", trained, &path]).failure(), &path, "Is a directory");
}

#[test]
fn invalid_model_directories() {
    let temporary = Folder::new();
    let folder = temporary.0.path().join("model");
    fs::create_dir(&folder).unwrap();
    let name = crate::program::model_copy(&folder);
    let deep = "[".repeat(DEEP);
    let header = |length: u64, header: &str| [&length.to_le_bytes()[..], header.as_bytes()].concat();
    let overlong = header(u64::MAX, "{}");
    let outside = header(64, &format!("{:64}", r#"{"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}"#));
    let wide = |file: &str, from: &str, to: &str| {
        let text = fs::read_to_string(folder.join(file)).unwrap();
        assert!(text.contains(from), "{from:?} in {text}");
        text.replacen(from, to, 1).into_bytes()
    };
    let too_small = "the weights do not fit the configuration: ";
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("model.json", b"\xFF".into(), "expected value"),
        ("model.json", deep.clone().into(), "invalid type"),
        ("model.json", wide("model.json", "\"format\": 1", "\"format\": 1, \"format\": 1"), "duplicate field `format`"),
        ("model.json", wide("model.json", "\"format\": 1", "\"format\": 99999999999"), "invalid value"),
        ("labels.json", deep.clone().into(), "invalid"),
        ("labels.json", b"\0".into(), "expected value"),
        ("vocabularies.json", deep.into(), "line 1, column"),
        ("config.toml", b"\xFF".into(), "stream did not contain valid UTF-8"),
        ("config.toml", wide("config.toml", "hidden = 8", "hidden = 4000"), too_small),
        ("model.safetensors", vec![], "the weights do not fit the configuration: 0 bytes, expected at least"),
        ("model.safetensors", overlong, "SafeTensors error: "),
        ("model.safetensors", outside, "SafeTensors error: "),
    ];
    for (file, mut content, expected) in cases {
        let path = folder.join(file);
        let whole = fs::read(&path).unwrap();
        if file == "model.safetensors" && !content.is_empty() {
            content.resize(whole.len(), 0); // the expected length
        }
        fs::write(&path, content).unwrap();
        let error = cman(&["predict", "--model", &name]).failure();
        // Inconsistent widths are detected when the weights are loaded.
        let reported = if expected == too_small { "model.safetensors" } else { file };
        assert_reason(&error, &format!("{name}/{reported}"), expected);
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        let error = cman(&["predict", "--model", &name]).failure();
        let reason = if file == "model.json" { ": not a model directory" } else { "a directory" };
        assert!(error.starts_with(&name) && error.contains(reason), "{error}");
        fs::remove_dir(&path).unwrap();
        fs::write(&path, whole).unwrap();
    }
}
