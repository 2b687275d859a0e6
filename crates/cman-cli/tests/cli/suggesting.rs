//! `cman suggest`: which sentences are picked, and how they are written.

use std::fs;

use serde_json::{Value, json};

use crate::program::{cman, cman_reading, demo, json as read, sample};

/// Sentences of news, a near-duplicate of the first, one without names, and a text of two sentences.
const POOL: &str = "\
Ada Lovelace lived in London with her mother for many years.
The weather was fine .
Ada Lovelace lived in London with her mother for very many years.
Ivar Lund of the Nordsee Institute, Oslo, shot Pavel Horak, who ran Brno Steel in Brno, in Geneva. It rained.
";

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn total(line: &Value) -> f64 {
    line["uncertainty"]["tags"].as_f64().unwrap() + line["uncertainty"]["relations"].as_f64().unwrap()
}

#[test]
fn the_least_certain_sentences_come_first_with_their_predictions() {
    let args = ["suggest", "--model", &demo(), "--n", "10"];
    let run = cman_reading(POOL.as_bytes(), &args);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    assert_eq!(run.stderr, "4 of 5 sentences picked, 1 near-duplicates left out\n");
    let mut picked = lines(&run.stdout);
    assert!(picked.windows(2).all(|pair| total(&pair[0]) >= total(&pair[1])), "{picked:?}");
    assert!(picked.iter().all(|line| total(line) >= 0.0));
    assert!(picked[0]["text"].as_str().unwrap().starts_with("Ivar Lund"), "{picked:?}");

    let mut predicted = lines(&cman_reading(POOL.as_bytes(), &["predict", "--model", &demo()]).quiet());
    let text = |line: &Value| line["text"].as_str().unwrap().to_owned();
    predicted.retain(|line| picked.iter().any(|picked| text(picked) == text(line)));
    predicted.sort_by_key(text);
    picked.sort_by_key(text);
    picked.iter_mut().for_each(|line| drop(line.as_object_mut().unwrap().remove("uncertainty")));
    assert_eq!(picked, predicted, "the predictions are those of `predict`");
}

#[test]
fn the_cost_of_annotation_is_counted_by_sentence_or_by_token() {
    let by = |unit| {
        let picked =
            lines(&cman(&["suggest", &sample("dev.json"), "--model", &demo(), "--n", "20", "--by", unit]).stdout);
        let values: Vec<f64> = picked
            .iter()
            .map(|line| {
                if unit == "token" {
                    total(line) / line["tokens"].as_array().unwrap().len() as f64
                } else {
                    total(line)
                }
            })
            .collect();
        assert!(values.len() == 20 && values.is_sorted_by(|a, b| a >= b), "{values:?}");
        picked.iter().map(|line| line["id"].clone()).collect::<Vec<_>>()
    };
    assert_ne!(by("answer"), by("token"));
}

#[test]
fn annotated_sentences_are_not_picked_again() {
    let temp = tempfile::tempdir().unwrap();
    let path = |name: &str| temp.path().join(name).to_str().unwrap().to_owned();
    let corpus = read(sample("dev.json"));
    let (annotated, rest) = corpus.as_array().unwrap().split_at(170);
    fs::write(path("annotated.json"), json!(annotated).to_string()).unwrap();
    let args = ["suggest", &sample("dev.json"), "--model", &demo(), "--annotated", &path("annotated.json")];
    let run = cman(&[&args[..], &["--near-duplicate", "1"]].concat());
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let mut ids: Vec<Value> = lines(&run.stdout).iter().map(|line| line["id"].clone()).collect();
    let mut expected: Vec<Value> = rest.iter().map(|sentence| sentence["orig_id"].clone()).collect();
    ids.sort_by_key(Value::to_string);
    expected.sort_by_key(Value::to_string);
    assert_eq!(ids, expected);
}

#[test]
fn tasks_of_a_tool_have_the_predictions_and_one_id_a_sentence() {
    let temp = tempfile::tempdir().unwrap();
    let path = |name: &str| temp.path().join(name).to_str().unwrap().to_owned();
    let args = ["suggest", "--model", &demo(), "--to", "label-studio", "--output", &path("tasks.json")];
    let run = cman_reading(POOL.as_bytes(), &args);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    let tasks = read(path("tasks.json"));
    let mut ids: Vec<String> = tasks.as_array().unwrap().iter().map(|task| task["data"]["id"].to_string()).collect();
    ids.sort();
    assert_eq!(ids, ["\"4-1\"", "\"4-2\"", "2", "3"].map(String::from), "{tasks}");
    assert!(tasks[0]["predictions"][0]["result"].as_array().unwrap().len() > 4, "{tasks}");
}

#[test]
fn what_cannot_be_picked_is_said() {
    let run = cman_reading(b"", &["suggest", "--model", &demo()]);
    assert_eq!(run.failure(), "-: no sentence to pick from");
    let long = format!("{}\nIt rained.\n", "word ".repeat(600));
    let run = cman_reading(long.as_bytes(), &["suggest", "--model", &demo()]);
    assert_eq!((run.status, lines(&run.stdout).len()), (Some(1), 1));
    assert!(
        run.stderr.contains("line 1: sentence of 600 tokens exceeds the maximum of 512 (--max-tokens)"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.ends_with("error: standard input: 1 invalid record skipped\n"), "{}", run.stderr);
    for share in ["0", "1.5", "x"] {
        let run = cman(&["suggest", "--model", &demo(), "--near-duplicate", share]);
        assert!(run.status == Some(2) && run.stderr.contains("above 0 and at most 1"), "{}", run.stderr);
    }
}
