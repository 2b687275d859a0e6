//! The relation loss over all pairs.

use burn::tensor::{Device, Tensor};
use cman_core::{
    random::Key,
    relation::{Positive, Projection, pair_loss, pair_loss_composed},
};

use super::common::{assert_close, devices, difference, gradient, numbers, random, with_threads};

/// A batch of projections; `shared`: all relations have the same.
struct Case {
    projection: Projection,
    positives: Vec<Positive>,
    lengths: Vec<usize>,
}

impl Case {
    fn new(relations: usize, hidden: usize, lengths: &[usize], shared: bool, device: &Device) -> Self {
        let steps = lengths.iter().max().unwrap() + 1;
        let width = if shared { hidden } else { relations * hidden };
        let batch = lengths.len();
        let mut positives = Vec::new();
        for (sentence, &n) in lengths.iter().enumerate() {
            let below =
                |site: &str, i: usize, n: usize| Key::new(7).at(site).with((sentence + i) as u64).permutation(n)[0];
            positives.extend((0..n).map(|i| Positive {
                sentence,
                head: below("head", i, n),
                tail: below("tail", i, n),
                kind: below("kind", i, relations),
            }));
        }
        positives.push(positives[0]); // one given twice counts once
        Self {
            projection: Projection {
                head: random("head", [batch, steps, width], 2.0, device),
                tail: random("tail", [batch, steps, width], 2.0, device),
                v: random("v", [relations, hidden], 1.0, device),
            },
            positives,
            lengths: lengths.to_vec(),
        }
    }

    /// Loss and gradients of head, tail and V; the loss counts three times.
    fn run(&self, loss: fn(&Projection, &[Positive], &[usize]) -> Tensor<1>) -> [Vec<f32>; 4] {
        let Projection { head, tail, v } = self.projection.clone();
        let projection = Projection { head: head.require_grad(), tail: tail.require_grad(), v: v.require_grad() };
        let loss = loss(&projection, &self.positives, &self.lengths);
        let gradients = (loss.clone() * 3.0).backward();
        let Projection { head, tail, v } = projection;
        [numbers(&loss), gradient(&head, &gradients), gradient(&tail, &gradients), gradient(&v, &gradients)]
    }

    fn check(&self, name: &str) {
        let (found, expected) = (self.run(pair_loss), self.run(pair_loss_composed));
        for (what, (found, expected)) in ["loss", "head", "tail", "V"].iter().zip(found.iter().zip(&expected)) {
            assert_close(&format!("{name}, {what}"), found, expected, 1e-5);
        }
    }
}

#[test]
fn it_equals_its_composed_twin() {
    for (backend, device) in devices() {
        let device = device.autodiff();
        for shared in [false, true] {
            for hidden in (1..40).chain([48, 70, 128]) {
                Case::new(3, hidden, &[3, 1, 5], shared, &device).check(&format!("{backend}, {hidden} wide"));
            }
            for n in [1, 2, 15, 16, 17, 31, 33, 50] {
                Case::new(4, 20, &[n, 3], shared, &device).check(&format!("{backend}, {n} tokens"));
            }
            for relations in [1, 2, 7] {
                let name = format!("{backend}, {relations} relations");
                Case::new(relations, 16, &[4, 6, 6], shared, &device).check(&name);
            }
        }
    }
}

#[test]
fn extreme_projections_keep_their_differences() {
    for (backend, device) in devices() {
        for shared in [false, true] {
            let mut case = Case::new(2, 18, &[20, 9], shared, &device.clone().autodiff());
            let Projection { head, tail, .. } = &mut case.projection;
            // Large numbers of opposite sign, of which only the sum counts, and numbers beyond any exponential.
            for (token, size) in [(2, 30.0), (3, 19.0), (4, 9.9), (5, 500.0)] {
                let at = |x: &Tensor<3>| [0..2, token..token + 1, 0..x.dims()[2]];
                let (u, w) = (head.clone().slice(at(head)), tail.clone().slice(at(tail)));
                *head = head.clone().slice_assign(at(head), u + size);
                *tail = tail.clone().slice_assign(at(tail), w - size);
            }
            case.check(backend.name());
        }
    }
}

#[test]
fn its_gradient_agrees_with_finite_differences() {
    for (backend, device) in devices() {
        for shared in [false, true] {
            let [_, d_head, d_tail, d_v] = Case::new(3, 10, &[4, 7], shared, &device.clone().autodiff()).run(pair_loss);
            let Case { projection: plain, positives, lengths } = Case::new(3, 10, &[4, 7], shared, &device);
            let loss = |projection| 3.0 * pair_loss(&projection, &positives, &lengths).into_scalar::<f64>();
            let check = |gradient: &[f32], direction: Vec<f32>, found: f64| {
                let expected: f64 = gradient.iter().zip(direction).map(|(g, d)| f64::from(g * d)).sum();
                assert!((found - expected).abs() < 2e-3 * expected.abs().max(1.0), "{backend}: {found}, {expected}");
            };
            let along = random("direction", plain.head.dims(), 1.0, &device);
            let of_head = |head| loss(Projection { head, ..plain.clone() });
            check(&d_head, numbers(&along), difference(&plain.head, &along, of_head));
            let of_tail = |tail| loss(Projection { tail, ..plain.clone() });
            check(&d_tail, numbers(&along), difference(&plain.tail, &along, of_tail));
            let along = random("direction", plain.v.dims(), 1.0, &device);
            check(&d_v, numbers(&along), difference(&plain.v, &along, |v| loss(Projection { v, ..plain.clone() })));
        }
    }
}

#[test]
fn threads_autodiff_and_padding_change_no_bit() {
    for (_, device) in devices() {
        let case = Case::new(5, 40, &[30, 7, 22, 30, 1], false, &device.clone().autodiff());
        let alone = with_threads(1, || case.run(pair_loss));
        assert_eq!(with_threads(3, || case.run(pair_loss)), alone);
        let Case { mut projection, positives, lengths } = Case::new(5, 40, &[30, 7, 22, 30, 1], false, &device);
        assert_eq!(numbers(&pair_loss(&projection, &positives, &lengths)), alone[0]);
        projection.head = projection.head.slice_fill([0..5, 30..31, 0..200], f32::NAN);
        assert_eq!(numbers(&pair_loss(&projection, &positives, &lengths)), alone[0]);
        let width = 5 * 40;
        let is_zero = |x: &[f32]| x.iter().all(|&x| x == 0.0);
        assert!(is_zero(&alone[1][(31 + 7) * width..2 * 31 * width]) && is_zero(&alone[2][30 * width..31 * width]));
    }
}
