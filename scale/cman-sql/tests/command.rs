//! The command `cman-sql`: files in, tables and files out, errors with hints.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

const ROWS: &str = "{\"id\": 1, \"text\": \"Maria Keller lives in Oslo.\", \"tokens\": [\"It\", \"rained\", \".\"]}\n\
    {\"id\": 2, \"text\": null, \"tokens\": null}\n\
    {\"id\": 3, \"text\": \"\", \"tokens\": [\"Peter\", \"Lang\", \"left\", \"Vienna\", \".\"]}\n";

fn run(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cman-sql"));
    command.current_dir(folder).env_remove("CMAN_MODEL").env_remove("CMAN_SCHEDULER").env_remove("RUST_LOG");
    command.args(["--threads", "2"]).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The standard output of a run that succeeds.
fn success(folder: &Path, args: &[&str]) -> String {
    let output = run(folder, args);
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// The standard error of a run that fails.
fn failure(folder: &Path, args: &[&str]) -> String {
    let output = run(folder, args);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    text(&output.stderr)
}

#[test]
fn every_format_is_read_and_written() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("docs.jsonl"), ROWS).unwrap();
    fs::create_dir(folder.join("many")).unwrap();
    success(folder, &["SELECT id, text FROM 'docs.jsonl'", "--output", "many/docs.parquet"]);
    fs::write(folder.join("many").join("_state.json"), "{}").unwrap();
    fs::write(folder.join("docs.csv"), "id,text\n1,Maria Keller lives in Oslo.\n2,\n3,\"\"\n").unwrap();
    let sql = |table: &str| {
        format!(
            "SELECT id, entity['type'] AS type, entity['text'] AS text FROM \
             (SELECT id, unnest(cman_extract(text)['entities']) AS entity FROM '{table}') ORDER BY text"
        )
    };
    let expected = success(folder, &[&sql("docs.jsonl")]);
    assert!(expected.contains("| 1  | Peop | Maria Keller |"), "{expected}");
    for table in ["./docs.jsonl", "docs.json*", "many", "many/", "many/*.parquet", "docs.csv"] {
        assert_eq!(success(folder, &[&sql(table)]), expected, "{table}");
    }
    success(folder, &["SELECT id, cman_extract(tokens) AS found FROM 'docs.jsonl' ORDER BY id", "-o", "found.jsonl"]);
    let lines = fs::read_to_string(folder.join("found.jsonl")).unwrap();
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!((lines.len(), lines[1]), (3, r#"{"id":2}"#));
    assert!(lines[2].contains(r#""text":"Peter Lang""#), "{lines:#?}");
}

#[test]
fn a_result_may_be_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("docs.jsonl"), ROWS).unwrap();
    let args = ["SELECT id, cman_extract(text) AS found FROM 'docs.jsonl'", "--output", "out", "--rows-per-file", "2"];
    success(folder, &args);
    let mut names: Vec<_> = fs::read_dir(folder.join("out")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["part-00000.parquet", "part-00001.parquet"]);
    let count = success(folder, &["SELECT count(*) AS n, count(found) AS found FROM 'out'"]);
    assert!(count.contains("| 3 | 2     |"), "{count}");
    let error = failure(folder, &args);
    assert!(error.contains("out: the folder is not empty") && error.contains("\nhint: "), "{error}");
}

#[test]
fn statements_come_before_the_query() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("docs.jsonl"), ROWS).unwrap();
    let view = "CREATE VIEW found AS SELECT id, cman_extract(text) AS found FROM 'docs.jsonl'";
    let table = success(folder.path(), &[view, "SELECT id FROM found WHERE found IS NULL"]);
    assert!(table.contains("| 2  |") && !table.contains("| 1  |"), "{table}");
    let output = run(folder.path(), &["SELECT id FROM 'docs.jsonl'", "--rows", "2"]);
    assert!(text(&output.stderr).contains("first 2 rows"), "{}", text(&output.stderr));
}

#[test]
fn errors_have_hints() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("docs.jsonl"), ROWS).unwrap();
    fs::write(folder.join("docs.txt"), ROWS).unwrap();
    for (sql, message, hint) in [
        ("SELECT * FROM docs", "table 'datafusion.public.docs' not found", "single quotes"),
        ("SELECT * FROM 'doc.jsonl'", "'doc.jsonl': no such file", "must match"),
        ("SELECT * FROM 'nothing/*.parquet'", "'nothing/*.parquet': no such file", "must match"),
        ("SELECT * FROM 'docs.txt'", "ends with none of .parquet", ""),
        ("SELECT * FROM 'ftp://host/docs.parquet'", "no object store for ftp://", "--features gs,az"),
        ("SELECT cman_extract(text, 'no/model') FROM 'docs.jsonl'", "model 'no/model'", "on each executor"),
        ("SELEC 1", "SELEC", ""),
    ] {
        let error = failure(folder, &[sql]);
        assert!(error.starts_with("error: ") && error.contains(message), "{sql}: {error}");
        assert_eq!(error.contains("\nhint: "), !hint.is_empty(), "{sql}: {error}");
        assert!(error.contains(hint), "{sql}: {error}");
    }
    let error = failure(folder, &["SELECT 1", "--output", "a.txt"]);
    assert!(error.contains("a.txt: the name must end with"), "{error}");
    let error = failure(folder, &["--scheduler", "df://127.0.0.1:9", "--retries", "0", "SELECT * FROM 'docs.jsonl'"]);
    assert!(error.contains("\nhint: is a scheduler running there?"), "{error}");
}

#[test]
fn the_environment_names_the_model() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("demo.cman"), cman_demo::PACKAGE).unwrap();
    let sql = "SELECT cman_extract('Maria Keller left Oslo.')['entities'][1]['text'] AS first";
    let with = |model: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cman-sql"));
        command.current_dir(folder).env("CMAN_MODEL", model).arg(sql).output().unwrap()
    };
    assert!(text(&with("demo.cman").stdout).contains("Maria Keller"));
    let error = text(&with("other.cman").stderr);
    assert!(error.contains("other.cman"), "{error}");
}
