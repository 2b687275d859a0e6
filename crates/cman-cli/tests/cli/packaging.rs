//! `package`, `card` and `calibrate`.

use std::fs;

use serde_json::Value;

use crate::program::{cman, cman_reading, demo, model, model_copy, sample};

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
    let temp = tempfile::tempdir().unwrap();
    let copy = &model_copy(temp.path());
    let (dev, test) = (sample("dev.json"), sample("test.json"));
    let args = ["calibrate", "--model", &demo(), "--data", &dev, "--test", &test, "--json", "-"];
    let json: Value = serde_json::from_str(&cman(&args).quiet()).unwrap();
    for task in ["entities", "relations"] {
        assert!(json["temperatures"][task].as_f64().unwrap() > 1.0, "the demo model is overconfident");
        let error = |when: &str| json["data"][task][when]["calibration_error"].as_f64().unwrap();
        assert!(error("after") < error("before"), "{task}");
    }
    assert_eq!(json["test"]["sentences"], 175);

    let args = ["calibrate", "--model", copy, "--data", &dev];
    let table = cman(&args).quiet();
    assert!(table.contains("expected calibration error") && table.contains("(not saved: "), "{table}");
    assert!(!temp.path().join("calibration.json").exists());
    assert!(cman(&[&args[..], &["--save"]].concat()).quiet().contains("(saved with the model)"));
    assert!(temp.path().join("calibration.json").exists());
    cman(&args).quiet();
}
