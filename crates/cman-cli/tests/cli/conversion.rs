//! `inspect`, `convert` and `score`.

use std::fs;

use serde_json::{Value, json};

use crate::program::{SMALL, cman, json as read, sample};

#[test]
fn a_file_survives_a_round_trip() {
    let temp = tempfile::tempdir().unwrap();
    let path = |name: &str| temp.path().join(name).to_str().unwrap().to_owned();
    let (table, back, types) = (path("test.txt"), path("test.json"), sample("types.json"));
    cman(&["convert", &sample("test.json"), &table, "--to", "multihead", "--types", &types]).quiet();
    assert!(fs::read_to_string(&table).unwrap().starts_with("#doc sample-test-001\n0\t"));
    cman(&["convert", &table, &back, "--to", "spert"]).quiet();
    // The entities are now in the order of their tokens, which does not affect the scores.
    let args = ["score", "--gold", &sample("test.json"), "--pred", &back, "--types", &types, "--json", "-"];
    let scores: Value = serde_json::from_str(&cman(&args).quiet()).unwrap();
    assert_eq!(scores["relations"]["strict"]["micro"]["f1"], 1.0);
    assert_eq!(scores["relations"]["strict"]["micro"]["support"], 322);
    let printed = cman(&["convert", &table, "-", "--to", "spert"]).quiet();
    assert_eq!(printed, fs::read_to_string(&back).unwrap());
    assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 2, "the draft is removed");
}

#[test]
fn annotation_is_converted_and_losses_are_listed() {
    let temp = tempfile::tempdir().unwrap();
    let input = temp.path().join("export.jsonl");
    fs::write(&input, r#"{"text": "Ann left Rome.", "label": [[0, 2, "P"], [9, 13, "L"]]}"#).unwrap();
    let input = input.to_str().unwrap();
    let run = cman(&["convert", input, "-", "--to", "gliner"]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    assert!(run.stdout.contains(r#""ner":[[0,0,"P"],[2,2,"L"]]"#), "{}", run.stdout);
    let widened = format!(
        "1 entities that cut a token, widened to whole tokens; the first: {input}: record 1, line 1: label[0] \"An\", \
         widened to \"Ann\"\n"
    );
    assert!(run.stderr.contains(&widened), "{}", run.stderr);
    let refused = cman(&["convert", input, "-", "--to", "gliner", "--cut-tokens", "refuse"]).failure_with_hint();
    assert!(refused.0.ends_with("expected an entity of whole tokens, such as \"Ann\", found \"An\""), "{}", refused.0);
    assert_eq!(refused.1.as_deref(), Some("`--on-error skip` skips invalid records"));
}

#[test]
fn an_inexpressible_sentence_is_an_error_and_no_file_is_written() {
    let temp = tempfile::tempdir().unwrap();
    let (input, output) = (temp.path().join("a.json"), temp.path().join("a.txt"));
    let record = json!([{"tokens": ["a", "b"], "relations": [],
        "entities": [{"type": "X", "start": 0, "end": 2}, {"type": "X", "start": 1, "end": 2}]}]);
    fs::write(&input, record.to_string()).unwrap();
    let (input, output) = (input.to_str().unwrap(), output.to_str().unwrap());
    let run = cman(&["convert", input, output, "--to", "multihead"]);
    assert_eq!(run.status, Some(1));
    let error = format!(
        "error: cannot convert to multihead: {input}: record 1, entities[1]: the multihead format cannot express an \
         entity that shares a token with entities[0]"
    );
    assert_eq!(run.stderr.lines().last(), Some(error.as_str()));
    assert!(run.stderr.contains("1 sentences with overlapping entities\n"), "{}", run.stderr);
    assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 1);
}

#[test]
fn invalid_records_are_errors_or_skipped_and_counted() {
    let temp = tempfile::tempdir().unwrap();
    let path = |name: &str| temp.path().join(name).to_str().unwrap().to_owned();
    let (input, output, model) = (path("train.json"), path("out.json"), path("model"));
    let record = |start, end| {
        let entity = |kind, start, end| json!({"type": kind, "start": start, "end": end});
        let relation = json!({"type": "R", "head": 0, "tail": 1});
        json!({"tokens": ["a", "b"], "entities": [entity("X", 0, 1), entity("X", start, end)], "relations": [relation]})
    };
    fs::write(&input, json!([record(1, 2), record(1, 1), record(1, 2), record(1, 9)]).to_string()).unwrap();
    let (convert, train) =
        (["convert", &input, &output, "--to", "spert"], ["train", "--train", &input, "--out", &model]);
    for (args, skip) in [(&convert[..], "--on-error skip"), (&train[..], "--set data.on_error=skip")] {
        let (error, hint) = cman(args).failure_with_hint();
        assert!(error.contains("record 2, entities[1].end"), "{error}");
        let expected = format!("`cman inspect {input}` lists all invalid sentences; `{skip}` skips them");
        assert_eq!(hint, Some(expected));
    }

    let check = |stderr: &str| {
        let listed = stderr.contains("2 invalid records skipped")
            && stderr.contains("record 2, entities[1].end")
            && stderr.contains("record 4, entities[1].end");
        assert!(listed, "{stderr}");
    };
    let run = cman(&[&convert[..], &["--on-error", "skip"]].concat());
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    check(&run.stderr);
    let kept: Value = serde_json::from_str(&fs::read_to_string(&output).unwrap()).unwrap();
    assert_eq!(kept.as_array().unwrap().len(), 2);
    let run = cman(&[&train[..], &SMALL, &["--set", "data.on_error=skip", "--epochs", "1"]].concat());
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    check(&run.stderr);
}

#[test]
fn inspect_counts_a_file_or_a_folder() {
    let printed = cman(&["inspect", &sample("test.json")]).quiet();
    assert!(printed.contains("test.json (spert)\nsentences                              175\n"), "{printed}");
    let all: Value = serde_json::from_str(&cman(&["inspect", &sample(""), "--json"]).quiet()).unwrap();
    let sentences: Vec<_> = all.as_array().unwrap().iter().map(|file| &file["statistics"]["sentences"]).collect();
    assert_eq!(sentences, [855, 175, 175]);
    let test = &all[2];
    assert!(test["path"].as_str().unwrap().ends_with("test.json"));
    assert_eq!((&test["format"], &test["report"]["records"]), (&"spert".into(), &175.into()));
    let types: Vec<_> = test["statistics"]["entity_types"].as_array().unwrap().iter().map(|t| &t["name"]).collect();
    assert_eq!(types.len(), 4);
}

#[test]
fn inspect_continues_after_invalid_records_and_files() {
    let temp = tempfile::tempdir().unwrap();
    let name = temp.path().to_str().unwrap();
    let sentence = |end: usize| {
        json!({"tokens": ["a", "b"], "relations": [],
            "entities": [{"type": "X", "start": 0, "end": end}, {"type": "Y", "start": 1, "end": 2}]})
    };
    fs::write(temp.path().join("train.json"), json!([sentence(1), sentence(3), sentence(2)]).to_string()).unwrap();
    fs::write(temp.path().join("dev.json"), "nothing").unwrap();
    let run = cman(&["inspect", name]);
    assert_eq!(run.status, Some(1));
    assert!(run.stdout.contains("2 sentences from 3 records\n1 invalid records skipped\n"), "{}", run.stdout);
    assert!(run.stdout.contains("record 2, entities[0].end: expected at most 2"), "{}", run.stdout);
    let errors: Vec<&str> = run.stderr.lines().collect();
    assert!(
        errors[0].starts_with(&format!("error: {name}/dev.json: line 1, column 1: expected a corpus")),
        "{errors:?}"
    );
    assert_eq!(errors[1..], [format!("error: {name}: invalid files: 1, invalid records in other files: 1")]);
    let run = cman(&["inspect", &format!("{name}/train.json"), "--overlap", "drop", "--json"]);
    let all: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((&all[0]["report"]["dropped_overlapping"], &all[0]["statistics"]["sentences"]), (&1.into(), &1.into()));
}

#[test]
fn two_systems_are_compared() {
    let temp = tempfile::tempdir().unwrap();
    let test = sample("test.json");
    let mut worse: Vec<Value> = serde_json::from_value(read(&test)).unwrap();
    for sentence in &mut worse[..80] {
        sentence["relations"] = json!([]);
    }
    let (path, out) = (temp.path().join("worse.json"), temp.path().join("scores.json"));
    fs::write(&path, Value::from(worse).to_string()).unwrap();
    let (path, out) = (path.to_str().unwrap(), out.to_str().unwrap());
    let printed = cman(&["score", "--gold", &test, "--pred", path, "--against", &test, "--json", out]).quiet();
    assert!(printed.contains("micro F1, 95% intervals from 10000 resamples of 175 sentences"), "{printed}");
    let scores = read(out);
    let f1 = |scores: &Value| scores["relations"]["strict"]["micro"]["f1"].as_f64().unwrap();
    assert!(f1(&scores) < 0.8 && f1(&scores["against"]) == 1.0);
    let strict = &scores["comparison"]["relations"]["strict"];
    assert_eq!((strict["a"]["estimate"].as_f64(), strict["b"]["estimate"].as_f64()), (Some(f1(&scores)), Some(1.0)));
    assert!(strict["difference"]["low"].as_f64().unwrap() > 0.0);
    assert_eq!(scores["entities"]["strict"]["micro"]["f1"], 1.0);
}
