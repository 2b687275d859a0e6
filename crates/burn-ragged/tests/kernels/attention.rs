//! Attention of every head over a ragged batch.

use burn::tensor::{Device, Tensor};
use burn_ragged::{
    DropoutMasks, Key,
    attention::{AttentionInput, attention, attention_reference},
};

use super::common::{assert_close, devices, difference, gradient, ragged, random, values, with_threads};

/// Queries, keys, values and the gradient of the output, which is zero at padding.
struct Case {
    name: String,
    heads: usize,
    /// Of queries and of keys.
    lengths: [Vec<usize>; 2],
    inputs: [Tensor<3>; 3],
    dy: Tensor<3>,
    dropout: Option<DropoutMasks>,
}

impl Case {
    /// As many queries as keys.
    fn new(d_head: usize, heads: usize, lengths: &[usize], steps: usize, bound: f64, device: &Device) -> Self {
        Self::across(d_head, heads, [(lengths, steps); 2], bound, device)
    }

    /// Lengths and places of queries and of keys.
    fn across(d_head: usize, heads: usize, sizes: [(&[usize], usize); 2], bound: f64, device: &Device) -> Self {
        let [(queries, _), (keys, _)] = sizes;
        let [of_queries, of_keys] = sizes.map(|(lengths, steps)| [lengths.len(), steps, heads * d_head]);
        let (lengths, steps) = sizes[0];
        let real = lengths.iter().flat_map(|&n| (0..steps).map(move |t| if t < n { 1.0 } else { 0.0 }));
        let real: Vec<f32> = real.collect();
        let real_queries = Tensor::<1>::from_floats(real.as_slice(), device).reshape([lengths.len(), steps, 1]);
        Self {
            name: format!("{heads} heads of {d_head}, {queries:?} queries, {keys:?} keys, within {bound}"),
            heads,
            lengths: [queries.to_vec(), keys.to_vec()],
            inputs: [("q", of_queries), ("k", of_keys), ("v", of_keys)]
                .map(|(site, shape)| random(site, shape, bound, device)),
            dy: random("dy", of_queries, 1.0, device) * real_queries,
            dropout: None,
        }
    }

    fn with_dropout(self, rate: f64) -> Self {
        let keys = (0..self.lengths[0].len() as u64).map(|i| Key::new(3).with(i)).collect();
        let dropout = DropoutMasks::new(keys, rate);
        Self { name: format!("{}, dropout {rate}", self.name), dropout: Some(dropout), ..self }
    }

    fn loss(&self, is_kernel: bool, inputs: [Tensor<3>; 3]) -> Tensor<3> {
        let [queries, keys] = &self.lengths;
        let [q, k, v] = &inputs;
        let input = AttentionInput { query: ragged(q, queries), key: ragged(k, keys), value: ragged(v, keys) };
        let run = if is_kernel { attention } else { attention_reference };
        run(input, self.heads, self.dropout.as_ref()).into_values() * self.dy.clone()
    }

    /// The output where the gradient is not zero, and the gradients of queries, keys and values.
    fn run(&self, is_kernel: bool) -> [Vec<f32>; 4] {
        let inputs = self.inputs.clone().map(Tensor::require_grad);
        let y = self.loss(is_kernel, inputs.clone());
        let gradients = y.clone().sum().backward();
        let [q, k, v] = inputs.map(|input| gradient(&input, &gradients));
        [values(&y), q, k, v]
    }
}

#[test]
fn it_equals_its_definition() {
    for (backend, device) in devices() {
        let device = device.autodiff();
        let lengths: Vec<usize> = (0..9).map(|i| 1 + i * 7 % 40).collect();
        let mut cases: Vec<Case> =
            (1..=34).map(|d_head| Case::new(d_head, 1 + d_head % 3, &[3, 1, 5], 6, 1.0, &device)).collect();
        cases.extend([1, 15, 16, 17, 31, 33, 64, 65, 130].map(|n| Case::new(4, 2, &[n, 1], n, 1.0, &device)));
        cases.push(Case::new(32, 8, &lengths, 40, 1.0, &device));
        for sizes in [[(&[2, 1, 5][..], 5), (&[17, 40, 3][..], 40)], [(&[40, 33], 41), (&[1, 20], 20)]] {
            cases.push(Case::across(8, 3, sizes, 1.0, &device));
            cases.push(Case::across(5, 2, sizes, 1.0, &device).with_dropout(0.4));
        }
        cases.push(Case::new(8, 2, &[7, 12], 12, 100.0, &device));
        cases.push(Case::new(5, 3, &[7, 33, 1], 33, 1.0, &device).with_dropout(0.4));
        cases.push(Case::new(32, 2, &[130, 64], 130, 1.0, &device).with_dropout(0.1));
        for case in cases {
            for ((found, expected), what) in case.run(true).iter().zip(case.run(false)).zip(["y", "q", "k", "v"]) {
                assert_close(&format!("{backend}, {}: {what}", case.name), found, &expected, 2e-5);
            }
        }
    }
}

#[test]
fn gradients_agree_with_finite_differences() {
    for (backend, device) in devices() {
        let device = device.autodiff();
        let case = || Case::new(5, 2, &[4, 1, 7], 7, 1.0, &device);
        let across = Case::across(5, 2, [(&[2, 1, 3], 3), (&[4, 1, 7], 7)], 1.0, &device);
        for case in [case(), case().with_dropout(0.2), across] {
            agrees(backend.name(), &case, &device);
        }
    }
}

fn agrees(backend: &str, case: &Case, device: &Device) {
    let [_, gradients @ ..] = case.run(true);
    for (i, gradient) in gradients.into_iter().enumerate() {
        let direction = random("direction", case.inputs[i].dims(), 1.0, device);
        let slope = difference(&case.inputs[i], &direction, |input| {
            let mut inputs = case.inputs.clone();
            inputs[i] = input;
            values(&case.loss(true, inputs)).iter().map(|&x| f64::from(x)).sum()
        });
        let expected: f64 = gradient.iter().zip(values(&direction)).map(|(&g, d)| f64::from(g) * f64::from(d)).sum();
        assert!(
            (slope - expected).abs() < 1e-2 * expected.abs().max(0.1),
            "{backend}, input {i}: {slope} for {expected}"
        );
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    for (_, device) in devices() {
        let device = device.autodiff();
        let case = Case::new(32, 8, &[40, 33, 28, 17, 9, 1], 40, 1.0, &device);
        let single = with_threads(1, || case.run(true));
        assert_eq!(with_threads(2, || case.run(true)), single);
        assert_eq!(with_threads(3, || case.run(true)), single);
    }
}

#[test]
fn without_gradients_long_sequences_are_attended_in_blocks() {
    for (backend, device) in devices() {
        let case = || Case::new(4, 2, &[200, 64, 65], 200, 1.0, &device);
        for case in [case(), case().with_dropout(0.3)] {
            let run = |is_kernel| values(&case.loss(is_kernel, case.inputs.clone()));
            assert_close(backend.name(), &run(true), &run(false), 2e-5);
        }
    }
}
