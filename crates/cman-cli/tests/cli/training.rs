//! `train` and `evaluate`.

use std::{fs, path::Path};

use crate::program::{SMALL, cman, cman_reading, json, model, sample};

#[test]
fn training_prints_its_facts_and_writes_the_directory() {
    let (folder, stdout) = model();
    for line in [
        "seed 1, 1 epochs, protocol train\n",
        "sentences   855 training, 175 dev\n",
        "tokenizer   conll04 (99.8 % of the tokens of the training data)\n",
        "epoch   1  loss ",
        "kept epoch 1: dev entities",
        "test: 175 sentences, 559 entities, 322 relations; trained on 855 sentences (train)\n",
        "0 of 175 test sentences also occur in the training data: strict F1",
    ] {
        assert!(stdout.contains(line), "{line:?} in {stdout}");
    }
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let expected = [
        "config.toml",
        "identity.json",
        "labels.json",
        "log.csv",
        "log.jsonl",
        "model.json",
        "model.safetensors",
        "scores.json",
        "signatures.json",
        "vocabularies.json",
    ];
    assert_eq!(names, expected);
    assert_eq!(fs::read_to_string(Path::new(folder).join("log.csv")).unwrap().lines().count(), 2);
    let log = json(Path::new(folder).join("log.jsonl"));
    let scores = json(Path::new(folder).join("scores.json"));
    assert_eq!(log["dev"], scores["dev"]);
    assert_eq!((&scores["epoch"], &scores["protocol"]), (&1.into(), &"train".into()));
    for (key, count) in
        [("train_sentences", 855), ("dev_sentences", 175), ("test_sentences", 175), ("leaked_test_sentences", 0)]
    {
        assert_eq!(scores[key], count, "{key}");
    }
    assert_eq!(scores["test"], scores["test_without_leaked"]);
}

#[test]
fn evaluation_reproduces_the_scores_of_training() {
    let (folder, stdout) = model();
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
    assert_eq!(scores["entities"]["strict"]["types"]["Peop"]["support"], 196);

    let printed = cman(&args).quiet();
    let table = printed.split_once("\n\n").unwrap().1.trim_end();
    assert!(table.starts_with("entities, strict") && stdout.contains(table), "{table}\n{stdout}");
    assert!(printed.contains("test.json: 175 sentences, 559 entities, 322 relations\n"));
}

#[test]
fn gold_labels_and_other_scorers_change_only_their_scores() {
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
fn another_backend_loads_the_same_model() {
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
fn training_on_train_and_dev_has_no_dev_scores_and_is_labelled() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("new/model");
    let (dev, test, types) = (sample("dev.json"), sample("test.json"), sample("types.json"));
    let files = ["train", "--train", &dev, "--dev", &test, "--test", &test, "--types", &types];
    let rest = ["--train-dev", "--epochs", "1", "--seed", "3", "--out", out.to_str().unwrap()];
    let stdout = cman(&[&files[..], &rest, &SMALL].concat()).quiet();
    assert!(stdout.contains("seed 3, 1 epochs, protocol train+dev\n"), "{stdout}");
    assert!(stdout.contains("sentences   350 training, 0 dev\n"), "{stdout}");
    assert!(stdout.contains("175 of 175 test sentences also occur in the training data"), "{stdout}");
    let scores = json(out.join("scores.json"));
    assert_eq!((&scores["protocol"], &scores["train_sentences"]), (&"train+dev".into(), &350.into()));
    assert!(scores["dev"].is_null() && scores["dev_sentences"].is_null());
    assert_eq!(scores["leaked_test_sentences"], 175);
    let labels = json(out.join("labels.json"));
    assert_eq!(labels["entities"], serde_json::json!(["Loc", "Org", "Peop", "Other"]), "in the types file's order");
}

#[test]
fn raw_text_is_cut_as_the_training_data() {
    let folder = tempfile::tempdir().unwrap();
    let [train, by_character, by_word] =
        ["train.json", "characters", "words"].map(|name| folder.path().join(name).to_str().unwrap().to_owned());
    let tokens: Vec<String> = "王芳在青山银行工作。".chars().map(String::from).collect();
    let entities = serde_json::json!([{"type": "人物", "start": 0, "end": 2}, {"type": "机构", "start": 3, "end": 7}]);
    let relations = serde_json::json!([{"type": "任职", "head": 0, "tail": 1}]);
    let sentence = serde_json::json!({"tokens": tokens, "entities": entities, "relations": relations});
    fs::write(&train, serde_json::json!([sentence]).to_string()).unwrap();
    let train = |out: &str, more: &[&str]| {
        cman(&[&["train", "--train", &train, "--epochs", "1", "--out", out], &SMALL[..], more].concat())
    };
    let predict =
        |model: &str| cman_reading("李雷住在海城。她走了！\n王芳在海城。\n".as_bytes(), &["predict", "--model", model]);

    let stdout = train(&by_character, &[]).quiet();
    assert!(stdout.contains("tokenizer   characters (100.0 % of the tokens of the training data)\n"), "{stdout}");
    let config = fs::read_to_string(Path::new(&by_character).join("config.toml")).unwrap();
    assert!(config.contains("tokenizer = \"characters\"\n"), "{config}");
    let tokens: Vec<String> = predict(&by_character)
        .quiet()
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["tokens"].to_string())
        .collect();
    let expected = ["李雷住在海城。", "她走了！", "王芳在海城。"];
    let expected = expected.map(|text| serde_json::json!(text.chars().collect::<Vec<_>>()).to_string());
    assert_eq!(tokens, expected);

    let run = train(&by_word, &["--set", "data.tokenizer=conll04"]);
    let warning = "warning: the tokenizer conll04 (10.0 % of the tokens of the training data): the model will cut raw ";
    assert!(run.status == Some(0) && run.stderr.starts_with(warning) && run.stderr.lines().count() == 1);
    let run = predict(&by_word);
    assert_eq!((run.status, run.stdout.lines().count(), run.stderr.lines().count()), (Some(0), 3, 1), "{}", run.stderr);
    let warning = "warning: standard input: line 1: a text without spaces between words, but the tokenizer of the model, \
                   conll04, cuts words at spaces; ";
    assert!(run.stderr.starts_with(warning), "{}", run.stderr);
}

#[test]
fn a_corpus_folder_is_read_and_a_model_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let (corpus, out) = (folder.path().join("corpus"), folder.path().join("model"));
    fs::create_dir(&corpus).unwrap();
    for name in ["train.json", "types.json"] {
        fs::copy(sample(name.replace("train", "dev").as_str()), corpus.join(name)).unwrap();
    }
    let (corpus, out) = (corpus.to_str().unwrap(), out.to_str().unwrap());
    let args = [&["train", "--corpus", corpus, "--epochs", "1", "--out", out], &SMALL[..]].concat();
    let run = cman(&args);
    let files = format!("train {corpus}/train.json\ndev   none\ntest  none\ntypes {corpus}/types.json\n");
    assert_eq!((run.status, run.stderr), (Some(0), files));
    assert!(run.stdout.contains("kept epoch 1\n") && !run.stdout.contains("test:"), "{}", run.stdout);
    let expected = (format!("{out}: already contains a model"), Some("`--force` overwrites it".to_owned()));
    assert_eq!(cman(&args).failure_with_hint(), expected);
    assert_eq!(cman(&[&args[..], &["--force", "--threads", "1"]].concat()).status, Some(0));

    fs::remove_file(Path::new(out).join("model.json")).unwrap();
    assert_eq!(cman(&args).status, Some(0)); // the directory of a run that ended early
}
