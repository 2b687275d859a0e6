//! Where the encoder of a configuration and of a model is found.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::program::{Run, SMALL, command};

/// A folder with an encoder `lab/enc` and a configuration `lab/conf/bert.toml` that names it.
struct Lab(tempfile::TempDir);

impl Lab {
    fn new(path: &str) -> Self {
        let lab = Self(tempfile::tempdir().unwrap());
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../cman-encoder/tests/bert/bert"), &lab.path("lab/enc"));
        fs::create_dir(lab.path("lab/conf")).unwrap();
        fs::create_dir(lab.path("elsewhere")).unwrap();
        let config = format!("[encoder]\nkind = \"bert\"\npath = \"{path}\"\n");
        fs::write(lab.path("lab/conf/bert.toml"), config).unwrap();
        lab
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn cman(&self, folder: &str, args: &[&str]) -> Run {
        command(args).current_dir(self.path(folder)).output().unwrap().into()
    }

    fn train(&self, folder: &str, config: &str, out: &str) -> Run {
        self.cman(
            folder,
            &[&["train", "--sample", "--epochs", "1", "--config", config, "--out", out], &SMALL[..]].concat(),
        )
    }

    fn predict(&self, folder: &str, args: &[&str]) -> Run {
        self.cman(folder, &[&["predict", "/dev/stdin"][..], args].concat())
    }

    /// The encoder's path in the configuration of a model.
    fn saved_path(&self, model: &str) -> String {
        let text = fs::read_to_string(self.path(model).join("config.toml")).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("path = ")).unwrap();
        line.trim_matches('"').to_owned()
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }
}

#[test]
fn a_relative_path_starts_at_its_configuration_and_then_at_the_model() {
    let lab = Lab::new("../enc");
    lab.train("elsewhere", "../lab/conf/bert.toml", "../lab/model").quiet();
    assert_eq!(lab.saved_path("lab/model"), "../enc");
    lab.predict("elsewhere", &["--model", "../lab/model"]).quiet();
    // The whole tree is moved.
    fs::rename(lab.path("lab"), lab.path("moved")).unwrap();
    lab.predict("/", &["--model", lab.path("moved/model").to_str().unwrap()]).quiet();
    // The encoder is moved into the model, under its own name or as `encoder`.
    for name in ["moved/model/enc", "moved/model/encoder"] {
        fs::rename(lab.path("moved/enc"), lab.path(name)).unwrap();
        lab.predict("elsewhere", &["--model", "../moved/model"]).quiet();
        fs::rename(lab.path(name), lab.path("moved/enc")).unwrap();
    }
    // It is moved elsewhere and named.
    fs::rename(lab.path("moved/enc"), lab.path("enc")).unwrap();
    let model = lab.path("moved/model").to_str().unwrap().to_owned();
    let (error, hint) = lab.predict("/", &["--model", &model]).failure_with_hint();
    let tried =
        format!(": ../enc: no such file or folder (looked for {model}/../enc, {model}/encoder, {model}/enc, ../enc)");
    assert!(error.contains("the model needs the encoder ") && error.ends_with(&tried), "{error}");
    assert_eq!(hint, Some("`--encoder DIR` gives the folder of the encoder".into()));
    lab.predict("/", &["--model", &model, "--encoder", lab.path("enc").to_str().unwrap()]).quiet();
}

#[test]
fn an_absolute_path_stays_absolute() {
    let lab = Lab::new("placeholder");
    let absolute = lab.path("lab/enc").to_str().unwrap().to_owned();
    fs::write(lab.path("lab/conf/bert.toml"), format!("[encoder]\nkind = \"bert\"\npath = \"{absolute}\"\n")).unwrap();
    lab.train("lab", "conf/bert.toml", "model").quiet();
    assert_eq!(lab.saved_path("lab/model"), absolute);
}

#[test]
fn every_place_of_a_missing_encoder_is_named() {
    let lab = Lab::new("no such/encoder");
    let (error, _) = lab.train("lab", "conf/bert.toml", "model").failure_with_hint();
    assert_eq!(error, "no such/encoder: no such file or folder (looked for conf/no such/encoder, no such/encoder)");
}

#[test]
fn another_encoder_than_the_models_is_refused() {
    let lab = Lab::new("../enc");
    lab.train("lab", "conf/bert.toml", "model").quiet();
    copy(&lab.path("lab/enc"), &lab.path("lab/other"));
    let config = fs::read_to_string(lab.path("lab/other/config.json")).unwrap();
    fs::write(lab.path("lab/other/config.json"), format!("{config} ")).unwrap();
    let (error, _) = lab.predict("lab", &["--model", "model", "--encoder", "other"]).failure_with_hint();
    assert!(error.starts_with("model/model.json: the model needs the encoder "), "{error}");
    assert!(error.contains(", found 'other'"), "{error}");
    let missing = lab.predict("lab", &["--model", "model", "--encoder", "none"]).failure_with_hint().0;
    assert!(missing.contains("none: no such file or folder"), "{missing}");
}
