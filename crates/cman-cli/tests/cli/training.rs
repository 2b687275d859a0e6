//! `train` and `evaluate`.

use std::{fs, path::Path};

use crate::program::{SMALL, cman, json, model, sample};

#[test]
fn training_tells_its_facts_and_fills_the_directory() {
    let (folder, said) = model();
    for line in [
        "seed 1, 1 epochs, protocol train\n",
        "sentences   325 to train on, 65 to choose the epoch by\n",
        "epoch   1  loss ",
        "kept epoch 1: dev entities",
        "test: 65 sentences, 219 entities, 125 relations; trained on 325 sentences (train)\n",
        "0 of 65 test sentences also occur in the training data: strict F1",
    ] {
        assert!(said.contains(line), "{line:?} in {said}");
    }
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let expected = [
        "config.toml",
        "labels.json",
        "log.csv",
        "log.jsonl",
        "model.json",
        "model.safetensors",
        "scores.json",
        "vocabularies.json",
    ];
    assert_eq!(names, expected);
    assert_eq!(fs::read_to_string(Path::new(folder).join("log.csv")).unwrap().lines().count(), 2);
    let log = json(Path::new(folder).join("log.jsonl"));
    let scores = json(Path::new(folder).join("scores.json"));
    assert_eq!(log["dev"], scores["dev"]);
    assert_eq!((&scores["epoch"], &scores["protocol"]), (&1.into(), &"train".into()));
    for (key, count) in
        [("train_sentences", 325), ("dev_sentences", 65), ("test_sentences", 65), ("leaked_test_sentences", 0)]
    {
        assert_eq!(scores[key], count, "{key}");
    }
    assert_eq!(scores["test"], scores["test_without_leaked"]);
}

#[test]
fn evaluation_gives_what_training_gave() {
    let (folder, said) = model();
    let test = sample("test.json");
    let args = ["evaluate", "--model", folder, "--data", &test];
    let scores: serde_json::Value =
        serde_json::from_str(&cman(&[&args[..], &["--json", "-"]].concat()).quiet()).unwrap();
    assert_eq!(scores, json(Path::new(folder).join("scores.json"))["test"]);
    for task in ["entities", "relations"] {
        for mode in ["strict", "boundaries"] {
            for average in ["micro", "macro"] {
                for key in ["precision", "recall", "f1"] {
                    let path = format!("/{task}/{mode}/{average}/{key}");
                    let value = scores.pointer(&path).unwrap_or_else(|| panic!("{path}")).as_f64().unwrap();
                    assert!((0.0..=1.0).contains(&value), "{path}");
                }
            }
        }
    }
    assert_eq!(scores["entities"]["strict"]["types"]["Peop"]["support"], 63);

    let printed = cman(&args).quiet();
    let table = printed.split_once("\n\n").unwrap().1.trim_end();
    assert!(table.starts_with("entities, strict") && said.contains(table), "{table}\n{said}");
    assert!(printed.contains("test.json: 65 sentences, 219 entities, 125 relations\n"));
}

#[test]
fn gold_labels_and_other_scorers_change_what_they_should() {
    let (folder, _) = model();
    let test = sample("test.json");
    let args = ["evaluate", "--model", folder, "--data", &test, "--json", "-"];
    let scores = |more: &[&str]| -> serde_json::Value {
        serde_json::from_str(&cman(&[&args[..], more].concat()).quiet()).unwrap()
    };
    let plain = scores(&[]);
    assert_eq!(scores(&["--gold-labels"])["entities"], plain["entities"]);
    let multihead = scores(&["--as", "multihead"]);
    assert!(multihead["entities"]["relaxed"]["macro"]["f1"].is_number() && plain["entities"]["relaxed"].is_null());
    assert_eq!(multihead["entities"]["strict"], plain["entities"]["strict"]);
}

#[cfg(feature = "ndarray")]
#[test]
fn another_backend_reads_the_same_model() {
    let (folder, _) = model();
    let test = sample("test.json");
    let scores = |device| -> f64 {
        let run = cman(&["evaluate", "--model", folder, "--data", &test, "--json", "-", "--device", device]);
        let scores: serde_json::Value = serde_json::from_str(&run.quiet()).unwrap();
        scores["entities"]["strict"]["micro"]["f1"].as_f64().unwrap()
    };
    let (flex, ndarray) = (scores("flex"), scores("ndarray"));
    assert!((flex - ndarray).abs() < 0.01, "{flex} {ndarray}");
}

#[test]
fn train_and_dev_together_need_no_dev_scores_and_are_said_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("new/model");
    let (dev, test, types) = (sample("dev.json"), sample("test.json"), sample("types.json"));
    let files = ["train", "--train", &dev, "--dev", &test, "--test", &test, "--types", &types];
    let rest = ["--train-dev", "--epochs", "1", "--seed", "3", "--out", out.to_str().unwrap()];
    let said = cman(&[&files[..], &rest, &SMALL].concat()).quiet();
    assert!(said.contains("seed 3, 1 epochs, protocol train+dev\n"), "{said}");
    assert!(said.contains("sentences   130 to train on, 0 to choose"), "{said}");
    assert!(said.contains("65 of 65 test sentences also occur in the training data"), "{said}");
    let scores = json(out.join("scores.json"));
    assert_eq!((&scores["protocol"], &scores["train_sentences"]), (&"train+dev".into(), &130.into()));
    assert!(scores["dev"].is_null() && scores["dev_sentences"].is_null());
    assert_eq!(scores["leaked_test_sentences"], 65);
    let labels = json(out.join("labels.json"));
    assert_eq!(labels["entities"], serde_json::json!(["Loc", "Org", "Peop", "Other"]), "in the types file's order");
}

#[test]
fn a_folder_is_trained_on_and_its_model_is_not_lost_by_mistake() {
    let folder = tempfile::tempdir().unwrap();
    let (corpus, out) = (folder.path().join("corpus"), folder.path().join("model"));
    fs::create_dir(&corpus).unwrap();
    for name in ["train.json", "types.json"] {
        fs::copy(sample(name.replace("train", "dev").as_str()), corpus.join(name)).unwrap();
    }
    let (corpus, out) = (corpus.to_str().unwrap(), out.to_str().unwrap());
    let args = [&["train", "--corpus", corpus, "--epochs", "1", "--out", out], &SMALL[..]].concat();
    let said = cman(&args).quiet();
    assert!(said.contains("kept epoch 1\n") && !said.contains("test:"), "{said}");
    assert_eq!(cman(&args).failure(), format!("{out}: holds a model already (--force overwrites it)"));
    cman(&[&args[..], &["--force", "--threads", "1"]].concat()).quiet();

    fs::remove_file(Path::new(out).join("model.json")).unwrap();
    cman(&args).quiet(); // what a run that ended early has left
}
