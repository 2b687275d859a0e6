//! `predict --to`: tasks of annotation tools, and the way back.

use std::fs;

use serde_json::{Value, json};

use crate::program::{cman, cman_reading, demo, json as read, model};

/// Documents of several sentences in several scripts, one without an id, one of tokens.
fn documents() -> String {
    let texts = [
        json!({"id": "d 1", "text": " Ann Lee of Rome 😀 ran.  She met Bob\tin Oslo.\r\nNo."}),
        json!({"text": "Zoë Day of e\u{301}vora left 東京."}),
        json!({"id": 7, "tokens": ["Paul", "of", "Lima"]}),
    ];
    texts.map(|text| text.to_string() + "\n").concat()
}

/// The tokens, entities and relations of every sentence that `predict` finds.
fn predicted(folder: &str) -> Vec<Value> {
    let lines = cman_reading(documents().as_bytes(), &["predict", "--model", folder]).quiet();
    let record = |line: &str| {
        let mut value: Value = serde_json::from_str(line).unwrap();
        for key in ["entities", "relations"] {
            for item in value[key].as_array_mut().unwrap() {
                item.as_object_mut()
                    .unwrap()
                    .retain(|key, _| ["type", "start", "end", "head", "tail"].contains(&key.as_str()));
            }
        }
        json!([value["tokens"], value["entities"], value["relations"]])
    };
    lines.lines().map(record).collect()
}

fn sentences(path: &str) -> Vec<Value> {
    let sentences = read(path);
    let record = |value: &Value| json!([value["tokens"], value["entities"], value["relations"]]);
    sentences.as_array().unwrap().iter().map(record).collect()
}

#[test]
fn predictions_survive_the_way_to_a_tool_and_back() {
    let folder = &demo();
    let temp = tempfile::tempdir().unwrap();
    let path = |name: &str| temp.path().join(name).to_str().unwrap().to_owned();
    let expected = predicted(folder);
    let entities: usize = expected.iter().map(|sentence| sentence[1].as_array().unwrap().len()).sum();
    assert!(expected.len() == 5 && entities > 0, "{expected:?}");
    for format in ["label-studio", "doccano", "prodigy", "dygie", "gliner", "unified-ade"] {
        let (tasks, back) = (path(&format!("{format}.json")), path("back.json"));
        let args = ["predict", "--model", folder, "--to", format, "--output", &tasks];
        let run = cman_reading(documents().as_bytes(), &args);
        assert_eq!(run.status, Some(0), "{}", run.stderr);
        let run = cman(&["convert", &tasks, &back, "--from", format, "--to", "spert", "--predictions"]);
        assert_eq!(run.status, Some(0), "{}", run.stderr);
        assert_eq!(sentences(&back), expected, "{format}: {}", fs::read_to_string(&tasks).unwrap());
    }
    assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 7, "no draft is left");

    let brat = path("brat");
    let run = cman_reading(documents().as_bytes(), &["predict", "--model", folder, "--to", "brat", "--output", &brat]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    assert!(fs::read_to_string(format!("{brat}/annotation.conf")).unwrap().contains("Live_In\tArg1:<ENTITY>"));
    let back = path("back.json");
    assert_eq!(cman(&["convert", &brat, &back, "--to", "spert"]).status, Some(0));
    // Names of files decide the order.
    let mut sorted = expected.clone();
    sorted.rotate_left(3);
    assert_eq!(sentences(&back), sorted);
    let bio = cman_reading(documents().as_bytes(), &["predict", "--model", folder, "--to", "bio"]).stdout;
    assert_eq!(bio.matches("\n\n").count(), 5, "{bio}");
}

#[test]
fn label_studio_gets_predictions_that_are_not_taken_for_annotation() {
    let folder = &demo();
    let temp = tempfile::tempdir().unwrap();
    let path = |name: &str| temp.path().join(name).to_str().unwrap().to_owned();
    let tasks = path("tasks.json");
    let args = ["predict", "--model", folder, "--to", "label-studio", "--output", &tasks];
    assert_eq!(cman_reading(documents().as_bytes(), &args).status, Some(0));
    let written = read(&tasks);
    assert_eq!(written.as_array().unwrap().len(), 3, "a document is a task");
    let prediction = &written[0]["predictions"][0];
    assert_eq!(prediction["model_version"], "demo.cman");
    assert_eq!(
        (&written[0]["data"]["id"], &written[1]["data"]["id"], &written[2]["data"]["id"]),
        (&json!("d 1"), &json!(2), &json!(7))
    );
    assert!(written[0].get("annotations").is_none());
    for result in prediction["result"].as_array().unwrap() {
        assert!((0.0..=1.0).contains(&result["score"].as_f64().unwrap()), "{result}");
        if result["type"] == "labels" {
            let chars: Vec<char> = written[0]["data"]["text"].as_str().unwrap().chars().collect();
            let [start, end] = ["start", "end"].map(|key| result["value"][key].as_u64().unwrap() as usize);
            assert_eq!(result["value"]["text"], chars[start..end].iter().collect::<String>());
        }
    }
    let run = cman(&["convert", &tasks, "-", "--to", "spert"]);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    assert!(
        run.stderr
            .contains("3 documents with predictions but no annotation, read without the predictions; the first: "),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("(`cman convert --predictions` reads them)\n") && !run.stdout.contains("\"type\""),
        "{}",
        run.stderr
    );
}

#[test]
fn skipped_sentences_stay_in_the_text_of_their_task() {
    let (folder, _) = model();
    let input = json!({"text": "Ann ran. One two three four five six. Bob left."}).to_string();
    let input = format!("{input}\n{}\n{{\"text\": \" \"}}\n", json!({"tokens": vec!["a"; 9]}));
    let run = cman_reading(
        input.as_bytes(),
        &["predict", "--model", folder, "--max-tokens", "5", "--long-sentences", "refuse", "--to", "prodigy"],
    );
    assert_eq!((run.status, run.stdout.lines().count()), (Some(1), 1), "{}", run.stderr);
    let task: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((task["text"].as_str().unwrap().len(), task["tokens"].as_array().unwrap().len()), (47, 6));
    assert!(task.get("answer").is_none());
}

#[test]
fn mistakes_are_errors() {
    let (folder, _) = model();
    let (error, hint) = cman(&["predict", "--model", folder, "--to", "brat"]).failure_with_hint();
    assert_eq!(error, "brat is a folder, which cannot be written to standard output");
    assert_eq!(hint.as_deref(), Some("`--output DIR` names the folder"));
    let temp = tempfile::tempdir().unwrap();
    fs::write(temp.path().join("a.txt"), "Ann ran.").unwrap();
    let (dir, input) = (temp.path().to_str().unwrap(), temp.path().join("a.txt"));
    let input = input.to_str().unwrap();
    let error = cman(&["predict", "--model", folder, input, "--to", "brat", "--output", dir]).failure();
    assert_eq!(error, format!("{dir}: expected an empty folder, found a folder with files"));
    let error = cman(&["predict", "--model", folder, input, "--to", "doccano", "--output", input]).failure();
    assert_eq!(error, format!("{input}: the output is an input file"));
    assert_eq!(fs::read_to_string(input).unwrap(), "Ann ran.");
    assert_eq!(cman(&["predict", "--model", folder, "--to", "webanno"]).status, Some(2));
}
