//! `package`, `card` and `calibrate`.

use std::fs;

use serde_json::Value;

use crate::program::{cman, cman_reading, model, sample};

#[test]
fn a_package_is_a_model_in_one_file() {
    let (folder, _) = model();
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("news.cman").to_str().unwrap().to_owned();
    let test = sample("test.json");
    let args = ["package", folder, &file, "--half", "--data", &test, "--licence", "CC0-1.0", "--name", "news"];
    let run = cman(&args);
    assert_eq!(run.status, Some(0), "{}", run.stderr);
    assert!(run.stderr.contains("test.json: F1 in single precision "), "{}", run.stderr);
    assert!(run.stdout.starts_with("model       news\nlicence     CC0-1.0\n"), "{}", run.stdout);
    assert_eq!(cman(&["card", &file]).quiet(), run.stdout);
    let card: Value = serde_json::from_str(&cman(&["card", &file, "--json"]).quiet()).unwrap();
    assert_eq!((&card["precision"], &card["measured"][0]["sentences"]), (&"half".into(), &175.into()));

    let found = cman_reading(b"Ann lives in Rome.", &["predict", "--model", &file]).quiet();
    assert!(found.contains("\"tokens\":[\"Ann\",\"lives\""), "{found}");
    cman(&["evaluate", "--model", &file, "--data", &test]).quiet();
    let (error, hint) = cman(&args).failure_with_hint();
    assert_eq!((error, hint), (format!("{file}: exists"), Some("`--force` replaces the file".into())));
    assert_eq!(
        cman(&["calibrate", "--model", &file, "--data", &test, "--save"]).failure(),
        format!("{file}: a package cannot be changed: calibrate its model directory")
    );
    fs::write(&file, "no package").unwrap();
    let expected = format!("{file}: expected a model directory or a package of `cman package`");
    assert_eq!(cman(&["card", &file]).failure(), expected);
    assert_eq!(cman(&["predict", "--model", &file]).failure(), expected);
}

#[test]
fn calibration_lowers_the_error_on_its_data_and_is_saved() {
    let (folder, _) = model();
    let temp = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(folder).unwrap().flatten().filter(|entry| entry.path().is_file()) {
        fs::copy(entry.path(), temp.path().join(entry.file_name())).unwrap();
    }
    let copy = temp.path().to_str().unwrap();
    let (dev, test) = (sample("dev.json"), sample("test.json"));
    let args = ["calibrate", "--model", copy, "--data", &dev, "--test", &test];
    let json: Value = serde_json::from_str(&cman(&[&args[..], &["--json", "-"]].concat()).quiet()).unwrap();
    let temperature = json["temperatures"]["entities"].as_f64().unwrap();
    assert!(temperature > 0.0 && temperature != 1.0);
    assert_eq!(json["test"]["sentences"], 175);
    assert!(!temp.path().join("calibration.json").exists());
    let table = cman(&[&args[..], &["--save"]].concat()).quiet();
    assert!(table.contains("expected calibration error") && table.contains("(saved with the model)"), "{table}");
    assert!(temp.path().join("calibration.json").exists());
    let predict = |folder: &str| cman(&["predict", "--model", folder, &test]).quiet();
    assert_ne!(predict(copy), predict(folder), "confidences change");
    cman(&["calibrate", "--model", copy, "--data", &dev]).quiet();
}
