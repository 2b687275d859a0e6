//! Reading a corrupt model directory or configuration gives a value or an error, never a panic.
//!
//! `PROPTEST_CASES` is the number of cases per test.

mod common;

use std::{fs, sync::LazyLock};

use burn::tensor::Device;
use cman_model::{Config, Model};
use cman_train::{Learner, TrainingData};
use common::{config, schema, sentences};
use proptest::prelude::*;

const FILES: [&str; 5] = ["model.json", "config.toml", "labels.json", "vocabularies.json", "model.safetensors"];

/// The files of a valid model.
static VALID: LazyLock<[Vec<u8>; 5]> = LazyLock::new(|| {
    let (schema, sentences) = (schema(), sentences());
    let data = TrainingData { schema: &schema, train: &sentences, dev: &[] };
    let learner = Learner::new(config(&["train.epochs=1", "model.hidden=4"]), data, None, &Device::flex()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    learner.run(&mut ()).unwrap().model.save(folder.path(), &()).unwrap();
    FILES.map(|name| fs::read(folder.path().join(name)).unwrap())
});

/// A corruption of a file.
#[derive(Clone, Debug)]
enum Corruption {
    /// Changes bytes.
    Change(Vec<(prop::sample::Index, u8)>),
    /// Truncates the file and appends bytes.
    Cut(prop::sample::Index, Vec<u8>),
    /// Replaces a number of the text.
    Number(prop::sample::Index, String),
}

fn corruption() -> impl Strategy<Value = Corruption> {
    let byte = prop_oneof![any::<u8>(), prop::sample::select(b"0123456789-.eE\"\\[]{}:,= \n\0".to_vec())];
    let number = prop::sample::select(vec![
        "0",
        "1",
        "2",
        "3",
        "-1",
        "64",
        "65",
        "4096",
        "16384",
        "65536",
        "4294967296",
        "18446744073709551615",
        "1e999",
        "0.5",
        "nan",
        "[]",
        "\"\"",
        "null",
    ]);
    prop_oneof![
        prop::collection::vec((any::<prop::sample::Index>(), byte), 1..6).prop_map(Corruption::Change),
        (any::<prop::sample::Index>(), prop::collection::vec(any::<u8>(), 0..20))
            .prop_map(|(at, tail)| Corruption::Cut(at, tail)),
        (any::<prop::sample::Index>(), number).prop_map(|(at, number)| Corruption::Number(at, number.into())),
    ]
}

fn corrupt(valid: &[u8], corruption: &Corruption) -> Vec<u8> {
    match corruption {
        Corruption::Change(changes) => {
            let mut bytes = valid.to_vec();
            changes.iter().for_each(|(at, byte)| bytes[at.index(valid.len())] = *byte);
            bytes
        }
        Corruption::Cut(at, tail) => [&valid[..at.index(valid.len())], tail].concat(),
        Corruption::Number(at, number) => {
            // In the file of weights, the header is text.
            let text = valid.len().min(4096);
            let starts: Vec<usize> = (1..text)
                .filter(|&i| valid[i].is_ascii_digit() && !valid[i - 1].is_ascii_alphanumeric() && valid[i - 1] != b'.')
                .collect();
            if starts.is_empty() {
                return number.clone().into(); // the types contain no number
            }
            let start = starts[at.index(starts.len())];
            let length = valid[start..].iter().take_while(|b| b.is_ascii_digit() || **b == b'.').count();
            [&valid[..start], number.as_bytes(), &valid[start + length..]].concat()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(
        std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(400)
    ) })]

    #[test]
    fn a_corrupt_model_directory_is_read_or_refused(which in 0..FILES.len(), how in corruption()) {
        let folder = tempfile::tempdir().unwrap();
        for (i, (name, valid)) in FILES.iter().zip(&*VALID).enumerate() {
            let content = if i == which { corrupt(valid, &how) } else { valid.clone() };
            fs::write(folder.path().join(name), content).unwrap();
        }
        match Model::load(folder.path(), &Device::flex()) {
            Ok(model) => prop_assert_eq!(model.predict(&sentences(), 4).unwrap().len(), sentences().len()),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }

    #[test]
    fn a_corrupt_configuration_is_read_or_refused(how in corruption()) {
        let text = Config::default().to_toml();
        let Ok(text) = String::from_utf8(corrupt(text.as_bytes(), &how)) else { return Ok(()) };
        let read = Config::from_toml(&text, "c.toml").and_then(|config| config.check().map(|_| config));
        if let Ok(config) = read {
            prop_assert_eq!(Config::from_toml(&config.to_toml(), "again").unwrap(), config);
        }
    }
}
