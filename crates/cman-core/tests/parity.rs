//! Every backend of the build computes the same: scores of tags and relations, tags, losses, all gradients.
//!
//! GPU backends are built with `--features wgpu` (or `vulkan`, `metal`, `cuda`); where the machine has no adapter, the
//! tests say so and compare the others. `--nocapture` shows the differences.

mod common;

use std::collections::BTreeMap;

use burn::tensor::Device;
use burn_ragged::{DeviceKind, Key, Mode, Shard};
use cman_core::{
    ModelConfig, TokenBatch,
    model::{Given, PredictOptions, Prediction},
};
use cman_data::EncodedSentence;
use common::{batch, devices, gradients, is_blind, model, sentences, telling_model, variants};

const LENGTHS: [usize; 5] = [4, 1, 7, 2, 5];
/// Relative to the largest value of the compared tensor.
const TOLERANCE: f64 = 1e-4;

/// Every variant, and the first one as it is trained, with dropout.
fn cases() -> Vec<(&'static str, ModelConfig, Mode)> {
    let mut cases: Vec<_> = variants().into_iter().map(|(name, config)| (name, config, Mode::Evaluate)).collect();
    let mut training = cases[0].1.clone();
    training.dropout.input = 0.2;
    training.dropout.label = 0.2;
    training.dropout.sequence = 0.1;
    cases.push(("cman with dropout", training, Mode::Train(Key::new(3), Shard::WHOLE)));
    cases
}

/// All results of a forward and backward pass, by name, without padding.
fn numbers(config: &ModelConfig, mode: Mode, data: &[&EncodedSentence], device: &Device) -> BTreeMap<String, Vec<f64>> {
    let device = &device.clone().autodiff();
    let model = model(config, device);
    let (batch, gold) = batch(data, config, device);
    let x = model.encode(model.embed(&batch), mode);
    let potentials = model.crf.potentials(x.clone());
    let mut found = BTreeMap::new();
    found.insert("first".to_owned(), potentials.first().clone().try_into_vec_as().unwrap());
    found.insert("emissions".to_owned(), of_tokens(&potentials.pair().clone().try_into_vec_as().unwrap(), &batch));
    found.insert("end".to_owned(), potentials.end().clone().try_into_vec_as().unwrap());
    let projection = model.relation.as_ref().unwrap().project(model.interact(x, gold.tags(), mode));
    let pairs: Vec<(usize, usize, usize)> =
        LENGTHS.iter().enumerate().flat_map(|(s, &n)| (0..n * n).map(move |p| (s, p / n, p % n))).collect();
    found.insert("relation scores".to_owned(), projection.scores(&pairs).try_into_vec_as().unwrap());
    let losses = model.losses(model.embed(&batch), &gold, gold.tags(), mode);
    found.insert("loss of the tags".to_owned(), losses.ner.clone().try_into_vec_as().unwrap());
    found.insert("loss of the relations".to_owned(), losses.re.clone().try_into_vec_as().unwrap());
    for (name, gradient) in gradients(&model, &losses.joint()) {
        found.insert(format!("gradient of {name}"), gradient.unwrap_or_else(|| panic!("no gradient of {name}")));
    }
    // Scores of forbidden tags would be the largest values and hide every difference.
    found.values_mut().flatten().filter(|x| **x < -1e20).for_each(|x| *x = 0.0);
    found
}

/// The rows of the real tokens in `[batch, steps, ..]`.
fn of_tokens(all: &[f64], batch: &TokenBatch) -> Vec<f64> {
    let row = all.len() / (LENGTHS.len() * batch.layout().steps());
    let sentence = |(s, n): (usize, &usize)| all[s * batch.layout().steps() * row..][..n * row].to_vec();
    LENGTHS.iter().enumerate().flat_map(sentence).collect()
}

/// The largest difference, relative to the largest value.
fn difference(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    assert!(found.iter().all(|x| x.is_finite()), "{found:?}");
    let largest = expected.iter().fold(1e-6f64, |m, x| m.max(x.abs()));
    found.iter().zip(expected).fold(0.0f64, |m, (a, b)| m.max((a - b).abs())) / largest
}

/// Says that nothing is compared in a build with one backend.
fn say_if_alone(devices: &[(DeviceKind, Device)]) {
    if let [(backend, _)] = devices {
        println!("skipped: there is no other backend to compare {backend} with");
    }
}

#[test]
fn scores_losses_and_gradients_are_the_same_on_every_backend() {
    let devices = devices();
    say_if_alone(&devices);
    let data = sentences(&LENGTHS, 8);
    let data: Vec<&EncodedSentence> = data.iter().collect();
    for (case, config, mode) in cases() {
        let expected = numbers(&config, mode, &data, &devices[0].1);
        assert!(expected.len() > 20, "{case}: only {} things to compare", expected.len());
        for (backend, device) in &devices[1..] {
            let found = numbers(&config, mode, &data, device);
            assert!(found.keys().eq(expected.keys()), "{case} on {backend}");
            let mut worst = (0.0, "");
            for (name, expected) in &expected {
                if is_blind(name) {
                    assert!(found[name].iter().all(|x| x.abs() < 1e-5), "{case} on {backend}: {name}");
                    continue;
                }
                let difference = difference(&found[name], expected);
                assert!(difference <= TOLERANCE, "{case} on {backend}: {name} differs by {difference:e}");
                if difference >= worst.0 {
                    worst = (difference, name);
                }
            }
            println!("{case}: {backend} differs from {} by {:.1e} at most ({})", devices[0].0, worst.0, worst.1);
        }
    }
}

#[test]
fn tags_and_relations_are_the_same_on_every_backend() {
    let devices = devices();
    say_if_alone(&devices);
    let data = sentences(&LENGTHS, 5);
    let data: Vec<&EncodedSentence> = data.iter().collect();
    let predict = |config: &ModelConfig, device: &Device| -> Vec<Prediction> {
        let options = PredictOptions { threshold: 1e-9, ..PredictOptions::from(&config.relation) };
        telling_model(config, device).predict(&batch(&data, config, device).0, Given::Nothing, options)
    };
    for (case, config) in variants() {
        let expected = predict(&config, &devices[0].1);
        for (backend, device) in &devices[1..] {
            let found = predict(&config, device);
            assert_eq!(found.len(), expected.len(), "{case} on {backend}");
            for (found, expected) in found.iter().zip(&expected) {
                assert_eq!(found.tags, expected.tags, "{case} on {backend}");
                let of = |p: &Prediction| p.relations.iter().map(|r| (r.head, r.tail, r.kind)).collect::<Vec<_>>();
                assert_eq!(of(found), of(expected), "{case} on {backend}");
                let probabilities = |p: &Prediction| -> Vec<f64> {
                    let entities = p.entities.iter().map(|entity| entity.probability);
                    entities.chain(p.relations.iter().map(|relation| relation.probability)).collect()
                };
                let difference = difference(&probabilities(found), &probabilities(expected));
                assert!(difference <= TOLERANCE, "{case} on {backend}: probabilities differ by {difference:e}");
            }
        }
    }
}
