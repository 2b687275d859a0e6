//! `cman split`.

use std::{collections::HashSet, fs, path::Path};

use crate::program::{SMALL, cman, json, sample};

/// The tokens of every sentence of a file.
fn sentences(path: impl AsRef<Path>) -> Vec<String> {
    json(path).as_array().unwrap().iter().map(|sentence| sentence["tokens"].to_string()).collect()
}

#[test]
fn a_corpus_is_divided_and_trained_on() {
    let temp = tempfile::tempdir().unwrap();
    let out = temp.path().join("corpus").to_str().unwrap().to_owned();
    let split = ["split", &sample("train.json"), "--out", &out, "--parts", "60/20/20"];
    let table = cman(&split).quiet();
    let first = table.lines().next().unwrap().split_whitespace().collect::<Vec<_>>();
    assert_eq!(first, ["train", "dev", "test"]);
    let all = sentences(sample("train.json"));
    let parts = ["train", "dev", "test"].map(|part| sentences(format!("{out}/{part}.json")));
    let counts = parts.each_ref().map(Vec::len);
    assert_eq!(counts.iter().sum::<usize>(), all.len());
    assert!(table.contains(&format!("{:>6}  {:>6}  {:>6}", counts[0], counts[1], counts[2])), "{table}");
    for (count, share) in counts.iter().zip([0.6, 0.2, 0.2]) {
        assert!((*count as f64 / all.len() as f64 - share).abs() < 0.05, "{counts:?}");
    }
    let sets = parts.each_ref().map(|part| part.iter().collect::<HashSet<_>>());
    assert!(sets[0].is_disjoint(&sets[1]) && sets[0].is_disjoint(&sets[2]) && sets[1].is_disjoint(&sets[2]));

    let (error, hint) = cman(&split).failure_with_hint();
    assert!(error.ends_with("dev.json: exists already"), "{error}");
    assert_eq!(hint, Some("`--force` replaces the earlier split".into()));
    let before = fs::read(format!("{out}/train.json")).unwrap();
    cman(&[&split[..], &["--force"]].concat()).quiet();
    assert_eq!(before, fs::read(format!("{out}/train.json")).unwrap());
    cman(&[&split[..], &["--force", "--seed", "2"]].concat()).quiet();
    assert_ne!(before, fs::read(format!("{out}/train.json")).unwrap());

    cman(&[&split[..4], &["--parts", "60/0/40", "--force"]].concat()).quiet();
    assert!(!Path::new(&out).join("dev.json").exists(), "a part of the earlier split");
    cman(&[&split[..], &["--force"]].concat()).quiet();

    let inside = format!("{out}/train.json");
    let error = cman(&["split", &inside, "--out", &out, "--force"]).failure();
    assert_eq!(error, format!("{inside}: an input file in the folder to write"));

    let model = temp.path().join("model").to_str().unwrap().to_owned();
    let run = cman(&[&["train", "--corpus", &out, "--epochs", "1", "--out", &model], &SMALL[..]].concat());
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    assert_eq!(run.stderr.lines().count(), 4, "each file is used: {}", run.stderr);
}

#[test]
fn each_sentence_is_tested_in_one_fold() {
    let temp = tempfile::tempdir().unwrap();
    let out = temp.path().to_str().unwrap();
    cman(&["split", &sample("dev.json"), &sample("test.json"), "--out", out, "--folds", "3"]).quiet();
    let mut all = [sentences(sample("dev.json")), sentences(sample("test.json"))].concat();
    let mut tested = Vec::new();
    for fold in 0..3 {
        let [train, test] = ["train", "test"].map(|part| sentences(format!("{out}/fold_{fold}_{part}.json")));
        assert_eq!(train.len() + test.len(), all.len());
        let train: HashSet<_> = train.iter().collect();
        assert!(test.iter().all(|sentence| !train.contains(sentence)));
        tested.extend(test);
    }
    all.sort();
    tested.sort();
    assert_eq!(tested, all);
}

#[test]
fn documents_stay_together() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("corpus.jsonl").to_str().unwrap().to_owned();
    let line = |document: usize, i: usize| {
        format!(
            r#"{{"tokens": ["w{document}", "n{i}"], "entities": [{{"type": "A", "start": 0, "end": 1}}], "relations": [], "orig_id": "d{document}-{i}"}}"#
        )
    };
    let lines: Vec<String> = (0..6).flat_map(|document| (0..4).map(move |i| line(document, i))).collect();
    fs::write(&file, lines.join("\n")).unwrap();
    let out = temp.path().join("parts").to_str().unwrap().to_owned();
    cman(&["split", &file, "--out", &out, "--parts", "50/0/50", "--documents", "-"]).quiet();
    assert!(!Path::new(&out).join("dev.json").exists());
    let documents = |part: &str| -> HashSet<String> {
        sentences(format!("{out}/{part}.json")).iter().map(|tokens| tokens[2..4].to_owned()).collect()
    };
    let (train, test) = (documents("train"), documents("test"));
    assert_eq!((train.len(), test.len()), (3, 3));
    assert!(train.is_disjoint(&test));

    let (error, hint) = cman(&["split", &file, "--out", &out, "--folds", "7", "--documents", "-"]).failure_with_hint();
    assert_eq!(error, "6 groups of sentences do not fill every part");
    assert_eq!(hint, Some("fewer parts, or without `--documents`".into()));
}

#[test]
fn documents_of_an_annotation_tool_stay_together() {
    let temp = tempfile::tempdir().unwrap();
    let path = |name: &str| temp.path().join(name).to_str().unwrap().to_owned();
    let (file, out) = (path("a.jsonl"), path("parts"));
    let text =
        |i: usize| if i.is_multiple_of(2) { format!("Ann {i} ran. Bob {i} left.") } else { format!("Zoe {i} ran.") };
    let line =
        |i: usize| format!("{{\"id\": \"report-{i}\", \"text\": \"{}\", \"label\": [[0, 3, \"P\"]]}}\n", text(i));
    fs::write(&file, (0..6).map(line).collect::<String>()).unwrap();
    let split = ["split", &file, "--out", &out, "--parts", "50/0/50", "--force", "--documents"];
    let run = cman(&[&split[..], &["-"]].concat());
    assert_eq!(run.status, Some(0), "documents of one sentence have a number too: {}", run.stderr);
    let run = cman(&[&split[..], &["#"]].concat());
    assert!(
        run.stderr.contains("no id has \"#\" of `--documents`: each sentence is a document of its own\n"),
        "{}",
        run.stderr
    );
}
