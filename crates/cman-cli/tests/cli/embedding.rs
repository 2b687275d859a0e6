//! `embed`, and the other subcommands with an encoder.

use std::{fs, path::Path};

use crate::program::{SMALL, cman, cman_reading, json, sample};

fn encoder() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../cman-core/tests/bert/bert").display().to_string()
}

#[test]
fn every_subcommand_takes_an_encoder_from_the_configuration_or_the_model() {
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name).display().to_string();
    let mut scores = Vec::new();
    let file = path("features.safetensors");
    let said = cman(&["embed", "--encoder", &encoder(), "--corpus", &sample(""), "--out", &file]).quiet();
    assert!(said.contains(": 455 sentences, ") && said.contains(" tokens, 3 layers of 16; encoded in "), "{said}");
    for (kind, source) in [("cache", &file), ("bert", &encoder())] {
        let out = path(kind);
        let [kind, source] = [format!("encoder.kind={kind}"), format!("encoder.path={source}")];
        let train = ["train", "--sample", "--epochs", "1", "--out", &out, "--set", &kind, "--set", &source];
        let said = cman(&[&train[..], &SMALL].concat()).quiet();
        assert!(said.contains("encoder     ") && said.contains(" (bert, pooled by first), frozen\n"), "{said}");
        let test = sample("test.json");
        let evaluate = ["evaluate", "--model", &out, "--data", &test, "--json", "-"];
        scores.push(cman(&evaluate).quiet());
        let input = "Zoë Day of Rome ran on a day that no corpus holds.";
        let predict = ["predict", "--model", &out];
        scores.push(cman_reading(input.as_bytes(), &predict).quiet());
        assert_eq!(json(Path::new(&out).join("model.json"))["encoder"]["kind"], "bert");
    }
    assert_eq!(scores[..2], scores[2..], "precomputed vectors give what the encoder gives");
    let half = path("half.safetensors");
    cman(&["embed", "--encoder", &encoder(), "--corpus", &sample("test.json"), "--out", &half, "--half"]).quiet();
    let out = path("half");
    let source = format!("encoder.path={half}");
    let train = ["train", "--sample", "--out", &out, "--set", "encoder.kind=cache", "--set", &source];
    assert!(cman(&train).failure().contains("expected vectors of all 325 sentences, found none for "));
    assert!(fs::metadata(half).unwrap().len() < fs::metadata(file).unwrap().len() / 2);
}

#[test]
fn an_encoder_that_is_not_there_is_named() {
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name).display().to_string();
    let (none, out) = (path("none"), path("out"));
    let failure = cman(&["embed", "--encoder", &none, "--corpus", &sample("test.json"), "--out", &out]).failure();
    assert_eq!(failure, format!("{none}/config.json: No such file or directory (os error 2)"));
    let source = format!("encoder.path={none}");
    let train = ["train", "--sample", "--out", &out, "--set", "encoder.kind=bert", "--set", &source];
    assert_eq!(cman(&train).failure(), format!("{none}/config.json: No such file or directory (os error 2)"));
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0, "nothing is written");
}
