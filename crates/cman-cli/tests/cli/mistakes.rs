//! Messages for common mistakes.

use std::fs;

#[cfg(feature = "hub")]
use crate::program::{Run, command};
use crate::program::{cman, model, model_copy, sample};

/// A folder, and a path in it that does not exist.
fn missing_path() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none").to_str().unwrap().to_owned();
    (folder, path)
}

#[test]
fn wrong_usage_has_status_2_and_lists_the_choices() {
    let cases: [(&[&str], &str); 9] = [
        (&[], "Usage: cman [OPTIONS] <COMMAND>"),
        (&["fit"], "unrecognized subcommand 'fit'"),
        (&["train", "--out", "x"], "<--corpus <DIR>|--train <FILE>|--sample>"),
        (
            &["train", "--sample", "--dev", "x", "--out", "x"],
            "the argument '--sample' cannot be used with '--dev <FILE>'",
        ),
        (&["train", "--sample"], "--out <DIR>"),
        (&["train", "--sample", "--device", "gpu", "--out", "x"], "[possible values: flex, ndarray, wgpu, vulkan,"),
        (
            &["evaluate", "--model", "x", "--data", "x", "--as", "f1"],
            "[possible values: cman, multihead, spert, sincere]",
        ),
        (&["convert", "a", "b", "--to", "csv"], "[possible values: spert, jsonl, multihead, label-studio,"),
        (&["inspect", "a", "--threads", "0"], "0 is not in 1..=65535"),
    ];
    for (args, expected) in cases {
        let run = cman(args);
        assert_eq!((run.status, run.stdout.as_str()), (Some(2), ""), "{args:?}");
        assert!(run.stderr.contains(expected), "{expected:?} in {}", run.stderr);
    }
}

#[test]
fn every_subcommand_has_help_with_an_example() {
    for command in ["train", "evaluate", "predict", "inspect", "convert", "embed", "score"] {
        let help = cman(&[command, "--help"]).quiet();
        assert!(help.contains(&format!("  cman {command} ")) && help.contains("Example"), "{help}");
    }
    assert!(cman(&["--version"]).quiet().starts_with("cman 0."));
}

#[test]
fn missing_files_are_named() {
    let (folder, none) = missing_path();
    let out = folder.path().join("model").to_str().unwrap().to_owned();
    let (train, test, trained) = (sample("train.json"), sample("test.json"), model().0);
    let cases: [&[&str]; 12] = [
        &["train", "--train", &none, "--out", &out],
        &["train", "--train", &train, "--dev", &none, "--out", &out],
        &["train", "--train", &train, "--types", &none, "--out", &out],
        &["train", "--sample", "--vectors", &none, "--out", &out],
        &["train", "--sample", "--config", &none, "--out", &out],
        &["evaluate", "--model", trained, "--data", &none],
        &["predict", "--model", trained, &none],
        &["inspect", &none],
        &["inspect", &test, "--types", &none],
        &["convert", &none, &out, "--to", "spert"],
        &["score", "--gold", &none, "--pred", &test],
        &["score", "--gold", &test, "--pred", &none],
    ];
    for args in cases {
        let error = cman(args).failure();
        assert_eq!(error, format!("{none}: No such file or directory (os error 2)"), "{args:?}");
    }
    assert!(!fs::exists(&out).unwrap(), "the input is read before the output is created");
}

#[test]
fn unwritable_outputs_are_named() {
    let (folder, none) = missing_path();
    let (test, trained, deep) = (sample("test.json"), model().0, format!("{none}/x"));
    let missing = format!("{deep}: No such file or directory (os error 2)");
    let evaluate = ["evaluate", "--model", trained, "--data", &test];
    assert_eq!(cman(&[&evaluate[..], &["--json", &deep]].concat()).failure(), missing);
    assert_eq!(cman(&[&evaluate[..], &["--predictions", &deep]].concat()).failure(), missing);
    assert_eq!(cman(&["predict", "--model", trained, "--output", &deep]).failure(), missing);
    let error = cman(&["convert", &test, &deep, "--to", "spert"]).failure();
    assert_eq!(error, format!("cannot convert to spert: {missing}"));
    let both = cman(&[&evaluate[..], &["--json", "-", "--predictions", "-"]].concat()).failure();
    assert_eq!(both, "--json -, --predictions -: only one can be written to standard output");

    let name = folder.path().to_str().unwrap();
    fs::write(folder.path().join("diary.txt"), "mine").unwrap();
    for force in [&[][..], &["--force"]] {
        let error = cman(&[&["train", "--sample", "--out", name], force].concat()).failure();
        assert_eq!(error, format!("{name}: neither empty nor a model directory"));
    }
    let file = format!("{name}/diary.txt");
    assert_eq!(
        cman(&["train", "--sample", "--out", &file]).failure(),
        format!("{file}: expected a directory, found a file")
    );
}

#[test]
fn invalid_settings_are_named() {
    let (folder, none) = missing_path();
    let config = folder.path().join("c.toml").to_str().unwrap().to_owned();
    fs::write(&config, "[train]\nepoch = 3\n").unwrap();
    let cases: [(&[&str], &str); 8] = [
        (&["--set", "train.epoch=3"], "--set train.epoch=3: unknown field `epoch`, expected one of `epochs`, "),
        (&["--set", "epochs"], "--set epochs: expected key=value, found no '='"),
        (&["--set", "trains.epochs=3"], "--set trains.epochs=3: there is no group of settings 'trains'"),
        (&["--set", "model.heads=3"], "configuration: model.heads: expected a divisor of 2 hidden = 256, found 3"),
        (&["--epochs", "0"], "configuration: train.epochs: expected at least 1, found 0"),
        (&["--seed", "18446744073709551615"], "configuration: seed: expected at most 2^63 - 1, found 184467"),
        (&["--config", &config], &format!("{config}: line 2: unknown field `epoch`, expected one of `epochs`, ")),
        (&["--train-dev"], "--train-dev: no dev data"),
    ];
    let train = sample("dev.json");
    for (args, expected) in cases {
        let error = cman(&[&["train", "--train", &train, "--out", &none], args].concat()).failure();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[cfg(not(feature = "metal"))]
#[test]
fn a_device_that_is_not_compiled_in_has_a_hint() {
    let (_folder, none) = missing_path();
    let expected = "`cargo install --path crates/cman-cli --features metal` builds it in";
    let (error, hint) = cman(&["train", "--sample", "--device", "metal", "--out", &none]).failure_with_hint();
    assert_eq!(hint.as_deref(), Some(expected));
    assert!(
        error.starts_with("device 'metal' is not compiled in: build with `--features metal`; here are "),
        "{error}"
    );
    let (error, hint) = cman(&["predict", "--model", model().0, "--device", "metal"]).failure_with_hint();
    assert_eq!(hint.as_deref(), Some(expected));
    assert!(error.starts_with("device 'metal' is not compiled in"), "{error}");
}

#[test]
fn damaged_model_directories_are_distinguished() {
    let (folder, none) = missing_path();
    let name = folder.path().to_str().unwrap();
    let load = |model: &str| cman(&["predict", "--model", model]).failure();
    assert_eq!(load(&none), format!("{none}: no such model directory or package"));
    assert_eq!(load(name), format!("{name}: not a model directory (it has no model.json)"));
    model_copy(folder.path());
    assert_eq!(cman(&["predict", "--model", name]).quiet(), "");

    for (file, expected) in [
        ("config.toml", "line "),
        ("labels.json", "EOF while parsing"),
        ("vocabularies.json", "line 1, column 100: EOF while parsing"),
        ("model.safetensors", "the weights do not fit the configuration: 100 bytes, expected at least "),
        ("model.json", "EOF while parsing"),
    ] {
        let path = folder.path().join(file);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..100]).unwrap();
        let error = load(name);
        assert!(error.starts_with(&format!("{name}/{file}: {expected}")), "{error}");
        fs::remove_file(&path).unwrap();
        let gone = match file {
            "model.json" => format!("{name}: not a model directory (it has no model.json)"),
            _ => format!("{name}/{file}: No such file or directory (os error 2)"),
        };
        assert_eq!(load(name), gone);
        fs::write(&path, whole).unwrap();
    }

    let edit = |file: &str, from: &str, to: &str| {
        let path = folder.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from:?} in {text}");
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
        let error = load(name);
        fs::write(&path, text).unwrap();
        error
    };
    let error = edit("config.toml", "hidden = 8", "hidden = 16");
    assert!(
        error.starts_with(&format!("{name}/model.safetensors: the weights do not fit the configuration")),
        "{error}"
    );
    let error = edit("model.json", "\"format\": 1", "\"format\": 9");
    assert_eq!(error, format!("{name}/model.json: format 9, this library reads format 1"));
    let error = edit("labels.json", "\"Loc\",", "");
    assert_eq!(error, format!("{name}/labels.json: 3 entity types, expected 4 as in model.json"));
}

#[test]
fn unknown_types_are_named_with_their_location() {
    let (folder, none) = missing_path();
    let path = folder.path().join("places.json");
    fs::write(&path, fs::read_to_string(sample("test.json")).unwrap().replacen("\"Loc\"", "\"Place\"", 1)).unwrap();
    let (path, types) = (path.to_str().unwrap(), sample("types.json"));
    let wrong = format!("{path}: record 1, entities[1].type: expected one of the types Loc, Org, Peop, Other, found");
    let expected = format!("{wrong} \"Place\"");
    let evaluated = cman(&["evaluate", "--model", model().0, "--data", path]).failure_with_hint();
    let trained = "a model is scored on the types that it was trained with";
    assert_eq!(evaluated, (expected.clone(), Some(trained.into())));
    let hint = format!("{types} lists the allowed types");
    let convert = cman(&["convert", path, &none, "--to", "spert", "--types", &types]).failure_with_hint();
    assert_eq!(convert, (expected.clone(), Some(hint.clone())));
    let train = sample("train.json");
    let args = ["train", "--train", &train, "--test", path, "--types", &types, "--out", &none];
    assert_eq!(cman(&args).failure_with_hint(), (expected, Some(hint)));
    let args = ["train", "--train", &train, "--test", path, "--out", &none];
    let (_, hint) = cman(&args).failure_with_hint();
    assert!(hint.unwrap().starts_with("`--types FILE` lists the types, by default those of the training data"));
}

#[test]
fn missing_and_empty_corpus_folders_have_a_hint() {
    let (folder, none) = missing_path();
    let out = format!("{none}-too/model");
    let expected = Some(
        "corpus files are .json, .jsonl, .txt, .conll or .parquet files with `train`, `dev`, `val` or `test` in their names, such \
         as conll04_train.json; `--train FILE` names a file",
    );
    let (error, hint) = cman(&["train", "--corpus", &none, "--out", &out]).failure_with_hint();
    assert_eq!((error, hint.as_deref()), (format!("{none}: No such file or directory (os error 2)"), expected));
    let empty = folder.path().to_str().unwrap();
    for args in [&["train", "--corpus", empty, "--out", &out][..], &["inspect", empty]] {
        let (error, hint) = cman(args).failure_with_hint();
        assert!(error.starts_with(&format!("{empty}: expected corpus files such as train.json")), "{error}");
        assert_eq!(hint.as_deref(), expected);
    }
    assert_eq!(fs::read_dir(empty).unwrap().count(), 0, "no folder is made");
}

#[test]
fn training_data_without_types_has_a_hint() {
    let (folder, none) = missing_path();
    let path = folder.path().join("plain.json");
    fs::write(&path, r#"[{"tokens": ["a"], "entities": [], "relations": []}]"#).unwrap();
    let (error, hint) = cman(&["train", "--train", path.to_str().unwrap(), "--out", &none]).failure_with_hint();
    assert!(error.starts_with("training data: no "), "{error}");
    assert_eq!(hint.as_deref(), Some("`--types FILE` lists the types; by default they are those of the training data"));
}

#[test]
fn an_unknown_device_has_a_hint() {
    let run = cman(&["train", "--sample", "--device", "gpu", "--out", "x"]);
    assert_eq!((run.status, run.stdout.as_str()), (Some(2), ""));
    let (usage, hint) = run.stderr.split_once("\n\nhint: ").expect("a hint after a blank line");
    assert!(usage.contains("invalid value 'gpu' for '--device <NAME>'"), "{usage}");
    assert!(hint.starts_with("this build has ") && hint.ends_with("need a build with `--features NAME`\n"), "{hint}");
    let other = cman(&["convert", "a", "b", "--to", "csv"]);
    assert!(!other.stderr.contains("hint: "), "{}", other.stderr);
}

#[cfg(feature = "hub")]
#[test]
fn an_encoder_that_is_not_in_the_cache_has_a_hint() {
    let (folder, none) = missing_path();
    let settings = ["--set", "encoder.kind=bert", "--set", "encoder.path=org/no-such-encoder"];
    let mut train = command(&[&["train", "--sample", "--out", &none], &settings[..]].concat());
    train.env("HF_ENDPOINT", "http://127.0.0.1:9").env("HF_HOME", folder.path());
    let (error, hint) = Run::from(train.output().unwrap()).failure_with_hint();
    assert!(error.starts_with("org/no-such-encoder: ") && error.contains("not in the cache"), "{error}");
    assert_eq!(hint.as_deref(), Some("give the folder of the encoder, or set `HF_HOME` to a cache that contains it"));
}

#[test]
fn predictions_for_other_sentences_are_errors() {
    let (test, dev, types) = (sample("test.json"), sample("dev.json"), sample("types.json"));
    let score = |predictions: &str| cman(&["score", "--gold", &test, "--pred", predictions]).failure();
    let expected = "sentence 1 is not gold sentence `sample-test-001`: expected the word \"Gordon\", found \"Albert\"";
    assert_eq!(score(&dev), format!("{dev}: {expected}"));
    assert!(
        score(&types).starts_with(&format!("{types}: invalid type: an object, expected an array")),
        "{}",
        score(&types)
    );

    let (folder, _) = missing_path();
    let path = folder.path().join("few.json").to_str().unwrap().to_owned();
    fs::write(&path, "[]").unwrap();
    assert_eq!(score(&path), format!("{path}: 175 gold sentences, but 0 predicted sentences"));
    let run = cman(&["score", "--gold", &test, "--pred", &test, "--against", &test, "--as", "spert"]);
    assert_eq!(run.status, Some(2));
}
