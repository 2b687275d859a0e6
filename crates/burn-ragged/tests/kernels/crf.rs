//! The CRF's loss.

use burn::tensor::{Device, Tensor};
use burn_ragged::{
    Layout,
    crf::{Potentials, gold_score, log_partition, negative_log_likelihood},
};

use super::common::{assert_close, devices, devices_and_gpus, difference, gradient, random, values, with_threads};

fn potentials(n_tags: usize, batch: usize, steps: usize, device: &Device) -> Potentials {
    Potentials::new(
        random("first", [batch, n_tags], 2.0, device),
        random("pair", [batch, steps, n_tags, n_tags], 2.0, device),
        random("end", [n_tags], 2.0, device),
        Layout::with_steps((0..batch).map(|b| length(b, steps)).collect(), steps),
    )
}

fn length(b: usize, steps: usize) -> usize {
    1 + (b * 5 + steps - 1) % steps
}

fn tags(n_tags: usize, batch: usize, steps: usize) -> Vec<Vec<u32>> {
    let tags = |b: usize| (0..length(b, steps)).map(|t| ((b + t * t) % n_tags) as u32).collect();
    (0..batch).map(tags).collect()
}

fn reference(potentials: &Potentials, tags: &[Vec<u32>]) -> Tensor<1> {
    (log_partition(potentials) - gold_score(potentials, tags)).sum()
}

/// The same sequences with other potentials.
fn with(potentials: &Potentials, first: Tensor<2>, pair: Tensor<4>, end: Tensor<1>) -> Potentials {
    Potentials::new(first, pair, end, potentials.layout().clone())
}

fn parts(potentials: &Potentials) -> (Tensor<2>, Tensor<4>, Tensor<1>) {
    (potentials.first().clone(), potentials.pair().clone(), potentials.end().clone())
}

/// Loss and gradients of first, pair and end; the loss counts three times.
fn run(potentials: &Potentials, loss: impl Fn(&Potentials) -> Tensor<1>) -> [Vec<f32>; 4] {
    let (first, pair, end) = parts(potentials);
    let (first, pair, end) = (first.require_grad(), pair.require_grad(), end.require_grad());
    let loss = loss(&with(potentials, first.clone(), pair.clone(), end.clone()));
    let gradients = (loss.clone() * 3.0).backward();
    [values(&loss), gradient(&first, &gradients), gradient(&pair, &gradients), gradient(&end, &gradients)]
}

#[test]
fn it_equals_its_definition() {
    for (backend, device) in devices_and_gpus() {
        let device = device.autodiff();
        for (n_tags, batch, steps) in [(1, 2, 3), (2, 1, 1), (3, 5, 6), (9, 16, 30), (17, 3, 8), (40, 2, 5)] {
            let (potentials, tags) = (potentials(n_tags, batch, steps, &device), tags(n_tags, batch, steps));
            let expected = run(&potentials, |p| reference(p, &tags));
            let found = run(&potentials, |p| negative_log_likelihood(p, &tags));
            for (what, (found, expected)) in found.iter().zip(&expected).enumerate() {
                assert_close(&format!("{backend}, {n_tags} tags, {what}"), found, expected, 1e-5);
            }
        }
    }
}

#[test]
fn its_gradient_agrees_with_finite_differences() {
    for (backend, device) in devices_and_gpus() {
        let tags = tags(4, 3, 5);
        let tracked = potentials(4, 3, 5, &device.clone().autodiff());
        let [_, _, d_pair, d_end] = run(&tracked, |p| negative_log_likelihood(p, &tags));
        let plain = potentials(4, 3, 5, &device);
        let (first, pair, end) = parts(&plain);
        let loss = |first: &Tensor<2>, pair: &Tensor<4>, end: &Tensor<1>| {
            let potentials = with(&plain, first.clone(), pair.clone(), end.clone());
            negative_log_likelihood(&potentials, &tags).into_scalar::<f64>()
        };
        let along = random("direction", pair.dims(), 1.0, &device);
        let found = 3.0 * difference(&pair, &along, |pair| loss(&first, &pair, &end));
        let expected: f64 = d_pair.iter().zip(values(&along)).map(|(g, d)| f64::from(g * d)).sum();
        assert!((found - expected).abs() < 2e-3 * expected.abs(), "{backend}: {found}, {expected}");
        let along = random("direction", end.dims(), 1.0, &device);
        let found = 3.0 * difference(&end, &along, |end| loss(&first, &pair, &end));
        let expected: f64 = d_end.iter().zip(values(&along)).map(|(g, d)| f64::from(g * d)).sum();
        assert!((found - expected).abs() < 2e-3 * expected.abs(), "{backend}: {found}, {expected}");
    }
}

#[test]
fn threads_change_no_bit() {
    for (_, device) in devices() {
        let (potentials, tags) = (potentials(30, 20, 20, &device.autodiff()), tags(30, 20, 20));
        let alone = with_threads(1, || run(&potentials, |p| negative_log_likelihood(p, &tags)));
        let found = with_threads(3, || run(&potentials, |p| negative_log_likelihood(p, &tags)));
        assert_eq!(found, alone);
    }
}

#[test]
fn expanded_potentials_are_read_in_their_order() {
    for (_, device) in devices_and_gpus() {
        let (n_tags, batch, steps) = (3, 4, 5);
        let tags = tags(n_tags, batch, steps);
        let potentials = potentials(n_tags, batch, steps, &device);
        let (first, _, end) = parts(&potentials);
        let transitions: Tensor<2> = random("transitions", [n_tags, n_tags], 1.0, &device);
        let pair = transitions.transpose().unsqueeze::<4>().expand([batch, steps, n_tags, n_tags]);
        let potentials = with(&potentials, first, pair, end);
        let found = values(&negative_log_likelihood(&potentials, &tags));
        assert_close("expanded", &found, &values(&reference(&potentials, &tags)), 1e-5);
    }
}
