//! `view`.

use std::fs;

use crate::program::{cman, sample};

#[test]
fn a_corpus_and_its_errors_are_drawn() {
    let temp = tempfile::tempdir().unwrap();
    let path = |name: &str| temp.path().join(name).to_str().unwrap().to_owned();
    let (gold, table, out) = (sample("test.json"), path("test.txt"), path("view.html"));
    assert_eq!(cman(&["view", &gold, "--out", &out]).quiet(), format!("wrote {out}\n"));
    let html = fs::read_to_string(&out).unwrap();
    assert!(html.contains("<title>test.json</title>") && html.contains("sample-test-001"));
    cman(&["convert", &gold, &table, "--to", "multihead"]).quiet();
    let printed = cman(&["view", &table, "--gold", &gold, "--out", "-"]).quiet();
    assert!(printed.starts_with("<!DOCTYPE html>") && printed.contains(r#""scores":[["Entities""#));
    let lines = cman(&["view", &gold, "--color=never"]).quiet();
    assert!(lines.starts_with("sample-test-001  ") && lines.contains("--> ") && !lines.contains('\u{1b}'));
    assert_eq!(cman(&["view", &gold, "--color"]).quiet(), lines, "the output is no terminal");
    assert!(cman(&["view", &gold, "--color=always"]).quiet().contains('\u{1b}'));
}

#[test]
fn mistakes_are_errors_and_no_file_is_lost() {
    let temp = tempfile::tempdir().unwrap();
    let path = |name: &str| temp.path().join(name).to_str().unwrap().to_owned();
    let (input, out) = (path("p.jsonl"), path("p.html"));
    let entity = |confidence: &str| format!(r#"{{"type":"X","start":0,"end":1,"confidence":{confidence}}}"#);
    let line = |confidence: &str| format!(r#"{{"tokens":["a"],"entities":[{}],"relations":[]}}"#, entity(confidence));
    fs::write(&input, format!("{}\n{}\n", line("0.5"), line("2"))).unwrap();
    let error = cman(&["view", &input, "--out", &out]).failure();
    assert_eq!(error, format!("{input}: line 2, entities[0].confidence: expected a number from 0 to 1, found 2"));
    fs::write(&input, format!("{}\n", line("0.5"))).unwrap();
    let error = cman(&["view", &input, "--gold", &sample("test.json"), "--out", &out]).failure();
    assert!(error.starts_with(&format!("{input}: sentence 1 is not gold sentence `sample-test-001`")), "{error}");
    assert!(!fs::exists(&out).unwrap());
    assert!(cman(&["view", &input, "--out", &input]).failure().ends_with("the output is an input file"));
    assert_eq!(fs::read_to_string(&input).unwrap(), format!("{}\n", line("0.5")));
}
