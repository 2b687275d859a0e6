//! The loss over all pairs.

use burn::tensor::{Device, Tensor};
use burn_ragged::{
    Key,
    pairs::{PairProjection, Positive, pair_loss, pair_loss_reference},
};

use super::common::{assert_close, devices, difference, gradient, ragged, random, values, with_threads};

/// A batch of projections. `shared`: all relations have the same.
struct Case {
    head: Tensor<3>,
    tail: Tensor<3>,
    v: Tensor<2>,
    positives: Vec<Positive>,
    lengths: Vec<usize>,
}

impl Case {
    fn new(relations: usize, hidden: usize, lengths: &[usize], shared: bool, device: &Device) -> Self {
        let steps = lengths.iter().max().unwrap() + 1;
        let width = if shared { hidden } else { relations * hidden };
        let batch = lengths.len();
        let mut positives = Vec::new();
        for (sequence, &n) in lengths.iter().enumerate() {
            let below =
                |site: &str, i: usize, n: usize| Key::new(7).at(site).with((sequence + i) as u64).permutation(n)[0];
            positives.extend((0..n).map(|i| Positive {
                sequence,
                head: below("head", i, n),
                tail: below("tail", i, n),
                kind: below("kind", i, relations),
            }));
        }
        positives.push(positives[0]); // one given twice counts once
        Self {
            head: random("head", [batch, steps, width], 2.0, device),
            tail: random("tail", [batch, steps, width], 2.0, device),
            v: random("v", [relations, hidden], 1.0, device),
            positives,
            lengths: lengths.to_vec(),
        }
    }

    fn projection(&self, head: &Tensor<3>, tail: &Tensor<3>, v: &Tensor<2>) -> PairProjection {
        PairProjection::new(ragged(head, &self.lengths), ragged(tail, &self.lengths), v.clone())
    }

    /// The loss with these projections.
    fn loss(&self, head: &Tensor<3>, tail: &Tensor<3>, v: &Tensor<2>) -> f64 {
        pair_loss(&self.projection(head, tail, v), &self.positives).into_scalar::<f64>()
    }

    /// Loss and gradients of head, tail and V; the loss counts three times.
    fn run(&self, loss: fn(&PairProjection, &[Positive]) -> Tensor<1>) -> [Vec<f32>; 4] {
        let [head, tail] = [&self.head, &self.tail].map(|x| x.clone().require_grad());
        let v = self.v.clone().require_grad();
        let loss = loss(&self.projection(&head, &tail, &v), &self.positives);
        let gradients = (loss.clone() * 3.0).backward();
        [values(&loss), gradient(&head, &gradients), gradient(&tail, &gradients), gradient(&v, &gradients)]
    }

    fn check(&self, name: &str) {
        let (found, expected) = (self.run(pair_loss), self.run(pair_loss_reference));
        for (what, (found, expected)) in ["loss", "head", "tail", "V"].iter().zip(found.iter().zip(&expected)) {
            assert_close(&format!("{name}, {what}"), found, expected, 1e-5);
        }
    }
}

#[test]
fn it_equals_its_definition() {
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
            let Case { head, tail, .. } = &mut case;
            // Large values of opposite sign, of which only the sum counts, and values beyond the range of an exponential.
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
            let plain = Case::new(3, 10, &[4, 7], shared, &device);
            let Case { head, tail, v, .. } = &plain;
            let loss = |head: &Tensor<3>, tail: &Tensor<3>, v: &Tensor<2>| 3.0 * plain.loss(head, tail, v);
            let check = |gradient: &[f32], direction: Vec<f32>, found: f64| {
                let expected: f64 = gradient.iter().zip(direction).map(|(g, d)| f64::from(g * d)).sum();
                assert!((found - expected).abs() < 2e-3 * expected.abs().max(1.0), "{backend}: {found}, {expected}");
            };
            let along = random("direction", head.dims(), 1.0, &device);
            check(&d_head, values(&along), difference(head, &along, |head| loss(&head, tail, v)));
            check(&d_tail, values(&along), difference(tail, &along, |tail| loss(head, &tail, v)));
            let along = random("direction", v.dims(), 1.0, &device);
            check(&d_v, values(&along), difference(v, &along, |v| loss(head, tail, &v)));
        }
    }
}

#[test]
fn threads_autodiff_and_padding_change_no_bit() {
    for (_, device) in devices() {
        let case = Case::new(5, 40, &[30, 7, 22, 30, 1], false, &device.clone().autodiff());
        let alone = with_threads(1, || case.run(pair_loss));
        assert_eq!(with_threads(3, || case.run(pair_loss)), alone);
        let plain = Case::new(5, 40, &[30, 7, 22, 30, 1], false, &device);
        let loss =
            |head: &Tensor<3>| values(&pair_loss(&plain.projection(head, &plain.tail, &plain.v), &plain.positives));
        assert_eq!(loss(&plain.head), alone[0]);
        assert_eq!(loss(&plain.head.clone().slice_fill([0..5, 30..31, 0..200], f32::NAN)), alone[0]);
        let width = 5 * 40;
        let is_zero = |x: &[f32]| x.iter().all(|&x| x == 0.0);
        assert!(is_zero(&alone[1][(31 + 7) * width..2 * 31 * width]) && is_zero(&alone[2][30 * width..31 * width]));
    }
}
