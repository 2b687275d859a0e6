//! The content of scores.json in the model directory.

use cman_train::{Protocol, RunData, Tested};
use serde_json::{Map, Value, json};

/// The scores of a run, with the keys that `cman train` writes.
pub(super) fn summary(tested: &Tested, data: &RunData, protocol: Protocol) -> Value {
    let test = tested.test.as_ref();
    let all = [
        ("epoch", json!(tested.trained.epoch)),
        ("protocol", json!(protocol)),
        ("train_sentences", json!(data.train.len())),
        ("dev_sentences", json!((!data.dev.is_empty()).then_some(data.dev.len()))),
        ("test_sentences", json!(test.map(|_| data.test.len()))),
        ("left_out", json!((!data.left_out.is_none()).then_some(data.left_out))),
        ("leaked_test_sentences", json!(test.map(|test| test.leakage.leaked.len()))),
        ("dev", json!(tested.trained.dev)),
        ("test", json!(test.map(|test| &test.all.scores))),
        ("test_without_leaked", json!(test.map(|test| &test.leakage.new))),
    ];
    let known = all.into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(known.map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>())
}
