//! Training, evaluation and the other commands on the files of annotation tools.

use std::fs;

use serde_json::Value;

use crate::program::{SMALL, cman, cman_reading, json, sample};

/// Trains for an epoch and returns the standard error.
#[track_caller]
fn train(options: &[&str], out: &str) -> String {
    let run = cman(&[&["train", "--epochs", "1", "--out", out], &SMALL[..], options].concat());
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    run.stderr
}

fn identity(model: &str) -> Value {
    json(format!("{model}/identity.json"))
}

#[test]
fn every_format_trains_and_is_part_of_the_identity() {
    let temp = tempfile::tempdir().unwrap();
    let path = |name: &str| temp.path().join(name).to_str().unwrap().to_owned();
    let spert = path("small.json");
    let records = json(sample("dev.json"));
    fs::write(&spert, serde_json::to_string(&records.as_array().unwrap()[..12]).unwrap()).unwrap();
    train(&["--train", &spert], &path("spert"));
    let expected = identity(&path("spert"));
    for format in ["label-studio", "doccano", "brat", "prodigy", "dygie", "gliner", "unified-ade", "bioes"] {
        let (file, model) = (path(&format!("{format}.corpus")), path(&format!("{format}-model")));
        assert_eq!(cman(&["convert", &spert, &file, "--to", format]).status, Some(0));
        let notes = train(&["--train", &file, "--whole-documents"], &model);
        assert!(!notes.contains("divided"), "{format}: {notes}");
        let found = identity(&model);
        match format {
            "prodigy" | "dygie" | "gliner" | "unified-ade" => assert_eq!(found, expected, "{format}"),
            _ => assert!(found["training data"].as_str().unwrap().starts_with("12 sentences ("), "{found}"),
        }
        if format == "gliner" {
            let evaluated = cman(&["evaluate", "--model", &model, "--data", &file]);
            assert!(
                evaluated.stdout.contains("gliner.corpus: 12 sentences"),
                "{}{}",
                evaluated.stdout,
                evaluated.stderr
            );
        }
    }

    // Other annotation is another run.
    let file = path("gliner.corpus");
    let changed = fs::read_to_string(&file).unwrap().replacen("\"Loc\"", "\"Org\"", 1);
    fs::write(&file, changed).unwrap();
    let model = path("gliner-model");
    let resume = [&["train", "--epochs", "1", "--train", &file, "--out", &model, "--resume"], &SMALL[..]].concat();
    let (error, _) = cman(&resume).failure_with_hint();
    assert!(error.contains("training data: 12 sentences ("), "{error}");
}

#[test]
fn a_corpus_folder_may_have_folders_of_brat() {
    let temp = tempfile::tempdir().unwrap();
    let path = |name: &str| temp.path().join(name).to_str().unwrap().to_owned();
    let corpus = path("corpus");
    fs::create_dir(&corpus).unwrap();
    for (part, name) in [("train", "train"), ("dev", "dev.jsonl"), ("test", "test.json")] {
        let format =
            ["brat", "doccano", "label-studio"][["train", "dev", "test"].iter().position(|p| *p == part).unwrap()];
        let file = format!("{corpus}/{name}");
        assert_eq!(cman(&["convert", &sample("dev.json"), &file, "--to", format]).status, Some(0));
    }
    let notes = train(&["--corpus", &corpus], &path("model"));
    assert!(notes.contains(&format!("train {corpus}/train\ndev   {corpus}/dev.jsonl\n")), "{notes}");
    let inspected = cman(&["inspect", &corpus]);
    let heads: Vec<&str> = inspected.stdout.lines().filter(|line| line.starts_with(&corpus)).collect();
    assert_eq!(
        heads,
        [
            format!("{corpus}/train (brat)"),
            format!("{corpus}/dev.jsonl (doccano)"),
            format!("{corpus}/test.json (label-studio)")
        ],
        "{}",
        inspected.stderr
    );

    // A folder of brat that is not divided.
    let brat = format!("{corpus}/train");
    let (error, hint) = cman(&["train", "--corpus", &brat, "--out", &path("x")]).failure_with_hint();
    assert_eq!(error, format!("{brat}: expected the parts of a corpus, found one folder of brat"));
    let expected = format!("`--train {brat}` trains on all of it; `cman split {brat} --out corpus` divides it");
    assert_eq!(hint, Some(expected));
    let inspected = cman(&["inspect", &brat]).stdout;
    assert!(inspected.starts_with(&format!("{brat} (brat)\nsentences  ")), "{inspected}");
    let out = path("divided");
    assert_eq!(cman(&["split", &brat, "--out", &out]).status, Some(0));
    let shown = cman(&["view", &brat, "--color=never"]).stdout;
    assert!(shown.starts_with("sample-dev-001  "), "{shown}");
    let page = path("view.html");
    let run = cman(&["view", &brat, "--gold", &format!("{corpus}/dev.jsonl"), "--out", &page]);
    assert_eq!(run.status, Some(0), "the order of a folder is that of its names: {}", run.stderr);
}

#[test]
fn standard_input_is_read() {
    let temp = tempfile::tempdir().unwrap();
    let path = |name: &str| temp.path().join(name).to_str().unwrap().to_owned();
    let export = br#"[{"data": {"text": "Ann left Rome."}, "annotations": [{"result": [{"id": "a", "type": "labels",
        "value": {"start": 0, "end": 3, "text": "Ann", "labels": ["P"]}}]}]}]"#;
    let converted = cman_reading(export, &["convert", "-", "-", "--to", "jsonl"]).quiet();
    assert!(converted.starts_with(r#"{"tokens":["Ann","left","Rome","."],"entities":[{"type":"P""#), "{converted}");
    let shown = cman_reading(export, &["view", "-", "--color=never"]).quiet();
    assert_eq!(shown, "1  [Ann]P left Rome .\n");
    let predictions = cman_reading(converted.as_bytes(), &["view", "-", "--out", "-"]).quiet();
    assert!(predictions.contains("<title>standard input</title>"));
    let out = path("parts");
    let lines = converted.repeat(2) + &converted.replace("Ann", "Bob");
    let run = cman_reading(lines.as_bytes(), &["split", "-", "--out", &out, "--parts", "50/0/50"]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let error = cman_reading(b"[{\"data\": {}}]", &["convert", "-", "x", "--to", "jsonl", "--from", "label-studio"]);
    let error = error.failure_with_hint();
    assert_eq!(
        error.0,
        "standard input: record 1, line 1, data: expected one text that fits the annotation, found no text"
    );
    let (error, hint) = cman(&["convert", temp.path().to_str().unwrap(), "x", "--to", "jsonl"]).failure_with_hint();
    assert!(
        error.contains("expected a corpus file, or a folder of brat or WebAnno, found a folder without .ann"),
        "{error}"
    );
    let sample_folder = sample("");
    assert!(hint.is_none());
    for command in [&["view"][..], &["split", "--out", &out]] {
        let (error, hint) = cman(&[command, &[&sample_folder]].concat()).failure_with_hint();
        assert!(error.contains("expected a corpus file, or a folder of brat or WebAnno"), "{error}");
        assert!(hint.unwrap().ends_with("test.json"));
    }
    let damaged = cman_reading(
        b"[{\"data\": {\"text\": \"a\"}",
        &["convert", "-", "x", "--to", "jsonl", "--from", "label-studio"],
    );
    assert!(damaged.failure_with_hint().1.is_none(), "a damaged file cannot be skipped");
}
