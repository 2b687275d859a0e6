//! Padding, batch size and order of the sentences change no value and no gradient.

mod common;

use std::collections::BTreeMap;

use burn::{
    module::Module,
    tensor::{Device, activation::sigmoid},
};
use burn_ragged::{Mode, pairs::pair_table_reference};
use cman_core::{
    ModelConfig,
    model::{Given, PredictOptions},
    relation::{Ends, ScoredRelation, candidates, decode},
};
use cman_data::{EncodedSentence, Span};
use common::{SIZES, batch, cpu_devices, gradients, is_blind, joint_loss, model, sentences, telling_model, variants};

const LENGTHS: [usize; 6] = [4, 1, 9, 2, 6, 9];

/// Every variant of the model on every CPU backend.
fn cases() -> impl Iterator<Item = (String, ModelConfig, Device)> {
    let on = |device: Device| {
        variants().into_iter().map(move |(name, c)| (format!("{name} on {device:?}"), c, device.clone()))
    };
    cpu_devices().into_iter().flat_map(on)
}

/// The joint loss and all gradients of a batch.
fn value_and_gradients(
    config: &ModelConfig,
    data: &[&EncodedSentence],
    device: &Device,
) -> (f64, BTreeMap<String, Vec<f64>>) {
    let device = &device.clone().autodiff();
    let model = model(config, device);
    let (batch, gold) = batch(data, config, device);
    let loss = joint_loss(&model, &batch, &gold);
    let gradients = gradients(&model, &loss).into_iter();
    let present = gradients.map(|(name, g)| (name.clone(), g.unwrap_or_else(|| panic!("no gradient of {name}"))));
    (loss.into_scalar(), present.collect())
}

fn assert_close(name: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{name}");
    let largest = expected.iter().fold(1e-6f64, |m, x| m.max(x.abs()));
    for (a, b) in found.iter().zip(expected) {
        assert!((a - b).abs() <= 1e-5 * largest, "{name}: {a} for {b} (largest {largest})");
    }
}

#[test]
fn a_batch_equals_its_sentences_alone_and_in_another_order() {
    for (name, config, device) in cases() {
        let data = sentences(&LENGTHS, 3);
        let all: Vec<&EncodedSentence> = data.iter().collect();
        let (loss, together) = value_and_gradients(&config, &all, &device);
        let (mut sum, mut singly): (f64, BTreeMap<String, Vec<f64>>) = (0.0, BTreeMap::new());
        for sentence in &all {
            let (loss, gradients) = value_and_gradients(&config, &[sentence], &device);
            sum += loss;
            for (name, gradient) in gradients {
                match singly.get_mut(&name) {
                    Some(total) => total.iter_mut().zip(gradient).for_each(|(a, b)| *a += b),
                    None => _ = singly.insert(name, gradient),
                }
            }
        }
        let shuffled: Vec<&EncodedSentence> = [3, 0, 5, 2, 1, 4].into_iter().map(|i| &data[i]).collect();
        let (loss_shuffled, shuffled) = value_and_gradients(&config, &shuffled, &device);
        assert_close(&format!("{name}: loss one by one"), &[sum], &[loss]);
        assert_close(&format!("{name}: loss shuffled"), &[loss_shuffled], &[loss]);
        for (parameter, gradient) in &together {
            assert!(gradient.iter().all(|x| x.is_finite()), "{name}: gradient of {parameter}");
            if is_blind(parameter) {
                assert!(gradient.iter().all(|x| x.abs() < 1e-5), "{name}: gradient of {parameter}");
                continue;
            }
            assert_close(&format!("{name}: {parameter} one by one"), &singly[parameter], gradient);
            assert_close(&format!("{name}: {parameter} shuffled"), &shuffled[parameter], gradient);
        }
    }
}

#[test]
fn every_parameter_gets_a_gradient() {
    for (name, config, device) in cases() {
        let data = sentences(&LENGTHS, 4);
        let (_, gradients) = value_and_gradients(&config, &data.iter().collect::<Vec<_>>(), &device);
        assert!(gradients.len() > 15, "{name} has only {} parameters", gradients.len());
        for (parameter, gradient) in gradients {
            let found = gradient.iter().any(|&x| x.abs() > 1e-9);
            assert!(found || is_blind(&parameter), "{name}: the gradient of {parameter} is zero everywhere");
        }
    }
}

/// A threshold at which every pair of entities is a relation.
fn options(ends: Ends) -> PredictOptions {
    PredictOptions { ends, threshold: 1e-9, entity_threshold: 0.0, relations: true, n_best: 0 }
}

#[test]
fn predictions_do_not_depend_on_the_batch() {
    let (mut n_cases, mut n_telling) = (0, 0);
    for (name, config, device) in cases() {
        let model = telling_model(&config, &device);
        let data = sentences(&LENGTHS, 5);
        let options = options(Ends::Last);
        let predict =
            |data: &[&EncodedSentence]| model.predict(&batch(data, &config, &device).0, Given::Nothing, options);
        let together = predict(&data.iter().collect::<Vec<_>>());
        n_cases += 1;
        n_telling += usize::from(together.iter().any(|p| !p.relations.is_empty()));
        for (sentence, expected) in data.iter().zip(&together) {
            let alone = &predict(&[sentence])[0];
            assert_eq!(alone.tags, expected.tags, "{name}");
            assert_eq!(alone.relations.len(), expected.relations.len(), "{name}");
            assert_eq!(alone.entities.len(), expected.entities.len(), "{name}");
            for (a, b) in alone.relations.iter().zip(&expected.relations) {
                assert_eq!((a.head, a.tail, a.kind), (b.head, b.tail, b.kind), "{name}");
                assert!((a.probability - b.probability).abs() < 1e-5, "{name}");
            }
            for (a, b) in alone.entities.iter().zip(&expected.entities) {
                assert!(a.span == b.span && (a.probability - b.probability).abs() < 1e-5, "{name}");
            }
        }
    }
    assert!(2 * n_telling > n_cases, "only {n_telling} of {n_cases} models predict any relation");
}

#[test]
fn relations_equal_those_of_the_full_table() {
    let (mut n_without, mut n_found) = (0, 0);
    for (name, config, device) in cases() {
        let model = telling_model(&config, &device);
        let data = sentences(&LENGTHS, 5);
        let (batch, gold) = batch(&data.iter().collect::<Vec<_>>(), &config, &device);
        let x = model.encode(model.embed(&batch), Mode::Evaluate);
        for (ends, labels) in [(Ends::Last, None), (Ends::Any, None), (Ends::Last, Some(gold.tags()))] {
            let given = labels.map_or(Given::Nothing, Given::Tags);
            let predictions = model.predict(&batch, given, options(ends));
            let viterbi: Vec<Vec<u32>> = predictions.iter().map(|p| p.tags.clone()).collect();
            let x = model.interact(x.clone(), labels.unwrap_or(&viterbi), Mode::Evaluate);
            let table = pair_table_reference(&model.relation.as_ref().unwrap().project(x));
            let [_, steps, _, n_outputs] = table.dims();
            let table: Vec<f64> = sigmoid(table).try_into_vec_as().unwrap();
            for (s, prediction) in predictions.iter().enumerate() {
                let spans: Vec<Span> = prediction.entities.iter().map(|entity| entity.span.clone()).collect();
                let rows = candidates(&spans, 0..spans.len(), ends).into_iter();
                let rows = rows.flat_map(|(i, j)| &table[((s * steps + i) * steps + j) * n_outputs..][..n_outputs]);
                let rows: Vec<f64> = rows.copied().collect();
                let expected = decode(&spans, 0..spans.len(), ends, &rows, n_outputs, SIZES.relations, 1e-9);
                assert_eq!(prediction.relations.len(), expected.len(), "{name}");
                for (found, expected) in prediction.relations.iter().zip(&expected) {
                    let places = |r: &ScoredRelation| (r.head, r.tail, r.kind);
                    assert_eq!(places(found), places(expected), "{name}");
                    assert!((found.probability - expected.probability).abs() < 1e-5, "{name}");
                }
                n_without += usize::from(expected.is_empty());
                n_found += expected.len();
            }
        }
    }
    assert!(n_without > 0 && n_found > 100, "{n_found} relations, {n_without} sentences without any");
}

#[test]
fn scores_of_pairs_equal_those_of_the_full_table() {
    for (name, config, device) in cases() {
        let model = model(&config, &device);
        let data = sentences(&LENGTHS, 6);
        let (batch, gold) = batch(&data.iter().collect::<Vec<_>>(), &config, &device);
        let x = model.encode(model.embed(&batch), Mode::Evaluate);
        let projection = model.relation.as_ref().unwrap().project(model.interact(x, gold.tags(), Mode::Evaluate));
        let table = pair_table_reference(&projection);
        let [_, steps, _, n_outputs] = table.dims();
        let table: Vec<f64> = table.try_into_vec_as().unwrap();
        let pairs: Vec<(usize, usize, usize)> =
            LENGTHS.iter().enumerate().flat_map(|(s, &n)| (0..n * n).map(move |p| (s, p / n, p % n))).collect();
        let scores: Vec<f64> = projection.scores(&pairs).try_into_vec_as().unwrap();
        assert_eq!(scores.len(), pairs.len() * n_outputs, "{name}");
        for (&(s, i, j), row) in pairs.iter().zip(scores.chunks(n_outputs)) {
            let expected = &table[((s * steps + i) * steps + j) * n_outputs..][..n_outputs];
            assert_close(&format!("{name}: pair {s} {i} {j}"), row, expected);
        }
    }
}

#[test]
fn the_lower_bound_of_the_number_of_weights_holds() {
    for (name, mut config, device) in cases() {
        for factor in [1, 4] {
            config.hidden *= factor;
            config.relation.hidden *= factor;
            let found = model(&config, &device).num_params() as f64;
            let least = config.least_parameters(SIZES);
            assert!(least <= found && found < 1.5 * least, "{name}: {found} weights, at least {least} expected");
        }
    }
}
