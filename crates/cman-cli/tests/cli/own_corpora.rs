//! Corpora as people have them: duplicates, records that are all invalid, other names, other formats, entities alone.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::{SMALL, cman};

/// A sentence with two entities and these relations.
fn sentence(relations: &Value) -> Value {
    let entity = |kind, start, end| json!({"type": kind, "start": start, "end": end});
    json!({"tokens": ["Ann", "left", "Rome"], "relations": relations,
        "entities": [entity("Peop", 0, 1), entity("Loc", 2, 3)]})
}

fn live_in() -> Value {
    json!({"type": "Live_In", "head": 0, "tail": 1})
}

/// A folder with these files.
fn folder(files: &[(&str, String)]) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    let path = folder.path().to_str().unwrap().to_owned();
    (folder, path)
}

/// Trains for an epoch and returns the standard error and output.
fn train(options: &[&str], out: &str) -> (String, String) {
    let run = cman(&[&["train", "--epochs", "1", "--out", out], &SMALL[..], options].concat());
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    (run.stderr, run.stdout)
}

#[test]
fn reasons_are_grouped_even_if_every_record_is_invalid() {
    let bad = |n: usize| json!({"tokens": vec!["a"; n], "entities": [{"type": "X", "start": 0, "end": 0}]});
    let records: Vec<Value> = (1..31).map(bad).collect();
    let (_temp, path) = folder(&[("all.json", json!(records).to_string())]);
    let file = format!("{path}/all.json");
    let first = format!("{file}: record 1, entities[0].end: expected more than 0 (the start), found 0");
    let inspected = cman(&["inspect", &file]);
    assert!(inspected.stdout.contains(&format!("30 invalid records skipped\n  30 records, the first is {first}\n")));
    let (error, hint) = inspected.failure_with_hint();
    assert_eq!(error, format!("{file}: invalid records: 30"));
    assert_eq!(hint.as_deref(), Some("`--all` lists every invalid record"));
    let all = cman(&["inspect", &file, "--all"]).stdout;
    assert_eq!(all.matches("entities[0].end: expected").count(), 30, "{all}");

    let out = format!("{path}/out");
    for args in [
        &["convert", &file, &out, "--to", "spert", "--on-error", "skip"][..],
        &["train", "--train", &file, "--out", &out, "--set", "data.on_error=skip"],
    ] {
        let (error, _) = cman(args).failure_with_hint();
        let reasons = format!("no sentences (30 records read): 30 records, the first is {first}");
        assert!(error.ends_with(&format!("{file}: {reasons}")), "{error}");
    }
}

#[test]
fn duplicates_are_merged_and_said() {
    let twice = json!([sentence(&json!([live_in(), live_in()])), sentence(&json!([live_in()]))]).to_string();
    let (_temp, path) = folder(&[("train.json", twice)]);
    let (notes, _) = train(&["--corpus", &path], &format!("{path}/model"));
    assert!(notes.contains("1 relations listed twice, merged"), "{notes}");
}

#[test]
fn records_that_are_left_out_are_said_in_the_scores() {
    let good = sentence(&json!([live_in()]));
    let bad = json!({"tokens": []});
    let mixed = json!([good, bad]).to_string();
    let (_temp, path) =
        folder(&[("train.json", json!([good]).to_string()), ("dev.json", mixed.clone()), ("test.json", mixed)]);
    let out = format!("{path}/model");
    let (_, printed) = train(&["--corpus", &path, "--set", "data.on_error=skip"], &out);
    assert!(printed.contains("(train); records left out: 1 of dev, 1 of test\n"), "{printed}");
    let scores: Value = serde_json::from_str(&fs::read_to_string(format!("{out}/scores.json")).unwrap()).unwrap();
    assert_eq!(scores["left_out"], json!({"train": 0, "dev": 1, "test": 1}));
    let data = format!("{path}/test.json");
    let evaluated = cman(&["evaluate", "--model", &out, "--data", &data, "--on-error", "skip"]);
    assert!(evaluated.stdout.contains("1 relations; records left out: 1\n"), "{}", evaluated.stdout);
    let (_, hint) = cman(&["evaluate", "--model", &out, "--data", &data]).failure_with_hint();
    assert!(hint.unwrap().ends_with("`--on-error skip` skips them"));
}

#[test]
fn files_are_found_by_many_names_and_the_choice_is_printed() {
    let line = sentence(&json!([live_in()])).to_string();
    let array = json!([sentence(&json!([live_in()]))]).to_string();
    let (_temp, path) = folder(&[
        ("validated Übung-04-train.jsonl", format!("{line}\n\n{line}\n")),
        ("conll-04-dev.json", array.clone()),
        ("notes.md", String::new()),
    ]);
    let (notes, _) = train(&["--corpus", &path], &format!("{path}/model"));
    assert!(notes.contains(&format!("train {path}/validated Übung-04-train.jsonl\n")), "{notes}");
    assert!(notes.contains(&format!("dev   {path}/conll-04-dev.json\ntest  none\n")), "{notes}");
    assert!(notes.contains("not used: notes.md (expected .json, .jsonl, .txt, .conll, .parquet or .tsv)"), "{notes}");

    let (_temp, two) = folder(&[("train.json", array.clone()), ("train_v2.json", array)]);
    let (error, _) = cman(&["train", "--corpus", &two, "--out", &format!("{two}/model")]).failure_with_hint();
    assert_eq!(error, format!("{two}: expected one train file, found train.json, train_v2.json"));
}

#[test]
fn a_type_that_occurs_only_in_dev_has_a_way_out() {
    let mut other = sentence(&json!([live_in()]));
    other["entities"][1]["type"] = json!("Org");
    let train_file = json!([sentence(&json!([live_in()]))]).to_string();
    let (_temp, path) = folder(&[("train.json", train_file), ("dev.json", json!([other]).to_string())]);
    let out = format!("{path}/model");
    let refused = cman(&["train", "--corpus", &path, "--out", &out]).stderr;
    assert!(
        refused.contains("entities[1].type: expected one of the types Peop, Loc, found \"Org\"\n\nhint: "),
        "{refused}"
    );
    assert!(refused.contains("`--types FILE`") && refused.contains("`--train-dev`"), "{refused}");
    train(&["--corpus", &path, "--train-dev"], &out);
    let types = format!("{path}/all.types");
    fs::write(&types, r#"{"entities": ["Peop", "Loc", "Org"], "relations": ["Live_In"]}"#).unwrap();
    train(&["--corpus", &path, "--types", &types, "--force"], &out);
}

#[test]
fn entities_alone_are_trained_evaluated_and_predicted() {
    let columns = "Ann B-Peop\nleft O\nRome S-Loc\n\nBob B-Peop\nRay E-Peop\nran O\n";
    let (_temp, path) = folder(&[("train.conll", columns.into()), ("dev.conll", columns.into())]);
    let (out, dev) = (format!("{path}/model"), format!("{path}/dev.conll"));
    let (_, printed) = train(&["--corpus", &path], &out);
    assert!(printed.contains("dev entities"), "{printed}");
    let scores = cman(&["evaluate", "--model", &out, "--data", &dev]).quiet();
    assert!(scores.contains("2 sentences, 3 entities, 0 relations"), "{scores}");
    let predicted = cman(&["predict", "--model", &out, &dev]).quiet();
    assert_eq!(predicted.lines().count(), 2, "{predicted}");
    assert!(predicted.lines().all(|line| line.ends_with("\"relations\":[]}")), "{predicted}");
}
