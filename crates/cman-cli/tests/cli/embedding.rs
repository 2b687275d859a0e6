//! `embed`, and other subcommands with an encoder.

use std::{fs, path::Path};

use crate::program::{SMALL, cman, cman_reading, json, sample};

fn encoder(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../cman-encoder/tests").join(name).display().to_string()
}

/// Embeds, trains, evaluates and predicts with the encoder in `folder` and with its precomputed vectors.
fn check_every_subcommand(temp: &Path, folder: &str, kind: &str, shape: &str, described: &str) {
    let path = |name: &str| temp.join(name).display().to_string();
    let mut scores = Vec::new();
    let file = path("features.safetensors");
    let stdout = cman(&["embed", "--encoder", folder, "--corpus", &sample(""), "--out", &file]).quiet();
    assert!(stdout.contains(": 1205 sentences, ") && stdout.contains(&format!(" tokens, {shape}; ")), "{stdout}");
    for (source_kind, source) in [("cache", file.as_str()), (kind, folder)] {
        let out = path(source_kind);
        let [kind_setting, path_setting] = [format!("encoder.kind={source_kind}"), format!("encoder.path={source}")];
        let train =
            ["train", "--sample", "--epochs", "1", "--out", &out, "--set", &kind_setting, "--set", &path_setting];
        let stdout = cman(&[&train[..], &SMALL].concat()).quiet();
        assert!(stdout.contains(&format!("encoder     {folder} ({described}), frozen\n")), "{stdout}");
        let test = sample("test.json");
        let evaluate = ["evaluate", "--model", &out, "--data", &test, "--json", "-"];
        scores.push(cman(&evaluate).quiet());
        let input = "Zoë Day of Rome ran on a day that no corpus holds.";
        let predict = ["predict", "--model", &out];
        scores.push(cman_reading(input.as_bytes(), &predict).quiet());
        assert_eq!(json(Path::new(&out).join("model.json"))["encoder"]["kind"], kind);
    }
    assert_eq!(scores[..2], scores[2..], "precomputed vectors give the same results as the encoder");
}

#[test]
fn every_subcommand_reads_the_encoder_from_the_configuration_or_the_model() {
    let temp = tempfile::tempdir().unwrap();
    let path = |name: &str| temp.path().join(name).display().to_string();
    check_every_subcommand(temp.path(), &encoder("bert/bert"), "bert", "3 layers of 16", "bert, pooled by first");
    let half = path("half.safetensors");
    cman(&["embed", "--encoder", &encoder("bert/bert"), "--corpus", &sample("test.json"), "--out", &half, "--half"])
        .quiet();
    let out = path("half");
    let source = format!("encoder.path={half}");
    let train = ["train", "--sample", "--out", &out, "--set", "encoder.kind=cache", "--set", &source];
    assert!(cman(&train).failure().contains("expected vectors of all 855 sentences, found none for "));
    assert!(fs::metadata(half).unwrap().len() < fs::metadata(path("features.safetensors")).unwrap().len() / 2);
}

#[test]
fn every_subcommand_accepts_elmo() {
    let temp = tempfile::tempdir().unwrap();
    check_every_subcommand(temp.path(), &encoder("elmo"), "elmo", "3 layers of 12", "elmo");
}

#[test]
fn an_experiment_accepts_elmo() {
    let temp = tempfile::tempdir().unwrap();
    let path = |name: &str| temp.path().join(name).display().to_string();
    let (folder, file, out) = (sample(""), path("elmo.toml"), path("out"));
    let text = format!(
        r#"
        name = "elmo"
        title = "ELMo"
        set = ["model.hidden=8", "model.character.width=8", "model.relation.hidden=8", "train.epochs=1"]
        seeds = [1]
        protocols = ["train+dev"]
        baseline = "without"
        corpora = [{{ name = "sample", folder = '{folder}' }}]
        [[systems]]
        name = "with"
        set = ["encoder.kind=elmo", "encoder.path=elmo"]
        [[systems]]
        name = "without"
        "#
    );
    fs::write(&file, text).unwrap();
    // The data folder contains the encoder.
    let data = encoder("");
    cman(&["experiment", &file, "--out", &out, "--data", &data]).quiet();
    let results = json(Path::new(&out).join("results.json"));
    let parameters = |run: usize| results["runs"][run].pointer("/outcome/parameters").unwrap().as_u64().unwrap();
    assert!(parameters(0) > parameters(1), "{results:#}");
    let files = results.to_string();
    assert!(files.contains(r#""part":"encoder","path":"elmo""#), "{files}");
}

#[test]
fn elmo_errors_are_one_line() {
    let temp = tempfile::tempdir().unwrap();
    let path = |name: &str| temp.path().join(name).display().to_string();
    let copy = |folder: &str| {
        fs::create_dir(path(folder)).unwrap();
        for file in ["options.json", "weights.hdf5"] {
            fs::copy(Path::new(&encoder("elmo")).join(file), Path::new(&path(folder)).join(file)).unwrap();
        }
        path(folder)
    };
    let (corpus, out) = (sample("test.json"), path("out"));
    let embed = |folder: &str, more: &[&str]| {
        let args = ["embed", "--encoder", folder, "--corpus", &corpus, "--out", &out];
        let failure = cman(&[&args[..], more].concat()).failure();
        assert!(!fs::exists(&out).unwrap(), "nothing is written");
        failure
    };
    let train = |folder: &str, more: &[&str]| {
        let source = format!("encoder.path={folder}");
        let args = ["train", "--sample", "--out", &out, "--set", "encoder.kind=elmo", "--set", &source];
        let failure = cman(&[&args[..], more].concat()).failure();
        assert!(!fs::exists(&out).unwrap(), "nothing is written");
        failure
    };
    // A folder without an encoder.
    let neither = embed(&sample(""), &[]);
    assert!(neither.starts_with(&format!("{}: expected the files of one encoder: config.json, ", sample(""))));
    assert!(neither.contains(" for an ELMo, found ") && neither.contains("dev.json, "), "{neither}");
    // What an ELMo does not do.
    let pooling = "configuration: encoder.pooling: expected first, the default (ELMo reads whole words), found mean";
    assert_eq!(embed(&encoder("elmo"), &["--pooling", "mean"]), pooling);
    assert_eq!(train(&encoder("elmo"), &["--set", "encoder.pooling=mean"]), pooling);
    let tuned = train(&encoder("elmo"), &["--set", "encoder.fine_tune=true"]);
    assert!(tuned.starts_with("configuration: encoder.fine_tune: expected false (only an encoder of kind bert"));
    // Truncated weights, and options that do not match the weights.
    let cut = copy("cut");
    let weights = fs::read(format!("{cut}/weights.hdf5")).unwrap();
    fs::write(format!("{cut}/weights.hdf5"), &weights[..weights.len() / 2]).unwrap();
    assert!(train(&cut, &[]).starts_with(&format!("{cut}/weights.hdf5: not a readable HDF5 file: ")));
    assert_eq!(train(&cut, &[]), embed(&cut, &[]));
    let other = copy("other");
    let options = fs::read_to_string(format!("{other}/options.json")).unwrap();
    fs::write(format!("{other}/options.json"), options.replace("\"n_layers\": 2", "\"n_layers\": 3")).unwrap();
    let expected = format!("{other}/options.json: 'lstm.n_layers': expected 2 as in {other}/weights.hdf5, found 3");
    assert_eq!([train(&other, &[]), embed(&other, &[])], [expected.clone(), expected]);
    // An encoder that differs from the one of the model.
    let own = copy("own");
    let source = format!("encoder.path={own}");
    let args = ["train", "--sample", "--epochs", "1", "--out", &out, "--set", "encoder.kind=elmo", "--set", &source];
    cman(&[&args[..], &SMALL].concat()).quiet();
    fs::write(format!("{own}/options.json"), options.replace("0.6", "0.5")).unwrap();
    let (refused, hint) = cman_reading(b"Ada left.", &["predict", "--model", &out]).failure_with_hint();
    assert_eq!(hint.as_deref(), Some("`--encoder DIR` gives the folder of the encoder"));
    let needs = format!("{out}/model.json: the model needs the encoder '{own}' (elmo, hash ");
    assert!(refused.starts_with(&needs) && refused.contains(&format!("), found '{own}' (elmo, hash ")), "{refused}");
    let evaluated = cman(&["evaluate", "--model", &out, "--data", &corpus]).failure_with_hint();
    assert_eq!(evaluated, (refused, hint));
}

#[test]
fn a_missing_encoder_is_named() {
    let temp = tempfile::tempdir().unwrap();
    let path = |name: &str| temp.path().join(name).display().to_string();
    let (none, out) = (path("none"), path("out"));
    let failure = cman(&["embed", "--encoder", &none, "--corpus", &sample("test.json"), "--out", &out]).failure();
    assert_eq!(failure, format!("{none}: No such file or directory (os error 2)"));
    let source = format!("encoder.path={none}");
    let train = ["train", "--sample", "--out", &out, "--set", "encoder.kind=bert", "--set", &source];
    assert_eq!(cman(&train).failure(), format!("{none}: no such file or folder"));
    assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 0, "nothing is written");
}
