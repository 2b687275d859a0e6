//! Decisions at a boundary: which relations the threshold admits, and how far each sentence is perturbed.

use burn::tensor::{Device, Tensor};
use burn_ragged::{Layout, Ragged};
use cman_core::{
    perturbation,
    relation::{Ends, ScoredRelation, candidates, decode},
};
use cman_data::Span;

fn spans() -> [Span; 2] {
    [Span { start: 0, end: 2, kind: 0 }, Span { start: 3, end: 4, kind: 1 }]
}

#[test]
fn a_relation_needs_more_than_the_threshold() {
    // Two pairs of entities, (0, 1) and (1, 0), of two types each.
    assert_eq!(candidates(&spans(), 0..2, Ends::Last), [(1, 3), (3, 1)]);
    let probabilities = [0.5, 0.5 + 1e-9, 0.5 - 1e-9, 0.75];
    let found = decode(&spans(), 0..2, Ends::Last, &probabilities, 2, 2, 0.5);
    let relation = |head, tail, kind, probability| ScoredRelation { head, tail, kind, probability };
    assert_eq!(found, [relation(0, 1, 1, 0.5 + 1e-9), relation(1, 0, 1, 0.75)]);
    assert_eq!(decode(&spans(), 0..2, Ends::Last, &[0.0; 4], 2, 2, 0.0), [], "nothing is impossible and admitted");
    assert_eq!(decode(&spans(), 0..2, Ends::Last, &[1.0; 4], 2, 2, 1.0), [], "a threshold of 1 admits nothing");
}

#[test]
fn the_first_span_of_a_pair_is_the_head() {
    let found = decode(&spans(), 0..2, Ends::Last, &[0.9, 0.1], 1, 1, 0.5);
    assert_eq!(found, [ScoredRelation { head: 0, tail: 1, kind: 0, probability: 0.9 }]);
    let found = decode(&spans(), 0..2, Ends::Last, &[0.1, 0.9], 1, 1, 0.5);
    assert_eq!(found, [ScoredRelation { head: 1, tail: 0, kind: 0, probability: 0.9 }]);
}

#[test]
fn of_several_tokens_of_an_entity_the_best_pair_counts_once() {
    // Tokens (0, 3), (1, 3), (3, 0), (3, 1); an output for "none" is not read.
    let probabilities = [0.6, 1.0, 0.8, 1.0, 0.2, 1.0, 0.4, 1.0];
    let found = decode(&spans(), 0..2, Ends::Any, &probabilities, 2, 1, 0.5);
    assert_eq!(found, [ScoredRelation { head: 0, tail: 1, kind: 0, probability: 0.8 }]);
}

#[test]
fn the_perturbation_of_a_sentence_does_not_depend_on_the_others_of_its_batch() {
    let device = Device::default();
    let alone = |gradient: [[f32; 2]; 2]| -> Vec<f64> {
        let gradient = Tensor::<3>::from_floats([gradient], &device);
        perturbation(Ragged::new(gradient, Layout::new(vec![2])), 0, 0.1).into_values().try_into_vec_as().unwrap()
    };
    let (small, large) = ([[3e-3, 0.0], [0.0, 4e-3]], [[-30.0, 40.0], [0.0, 120.0]]);
    let both = Ragged::new(Tensor::<3>::from_floats([small, large], &device), Layout::new(vec![2, 2]));
    let both: Vec<f64> = perturbation(both, 0, 0.1).into_values().try_into_vec_as().unwrap();
    let expected = [alone(small), alone(large)].concat();
    assert!(both.len() == 8 && both.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-6), "{both:?}, {expected:?}");
    // alpha times the root of the width, along the gradient.
    let length = 0.1 * 2f64.sqrt();
    for eta in [&both[..4], &both[4..]] {
        let norm = eta.iter().map(|x| x * x).sum::<f64>().sqrt();
        assert!((norm - length).abs() < 1e-6, "{norm}");
    }
    assert!((both[0] - 0.6 * length).abs() < 1e-6 && (both[3] - 0.8 * length).abs() < 1e-6, "{both:?}");
    assert!(both[4] < 0.0 && both[5] > 0.0 && both[6] == 0.0 && both[7] > 0.0, "{both:?}");
}
