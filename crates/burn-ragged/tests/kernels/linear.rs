//! The linear layer.

use burn::{
    module::Param,
    tensor::{Device, Tensor},
};
use burn_ragged::{Linear, linear::linear_reference};

use super::common::{assert_close, devices, difference, gradient, ragged, random, values, with_threads};

/// A layer, its input and the gradient of its output, which is zero at padding.
struct Case {
    name: String,
    lengths: Vec<usize>,
    x: Tensor<3>,
    layer: Linear,
    dy: Tensor<3>,
}

impl Case {
    fn new(d_input: usize, d_output: usize, has_bias: bool, lengths: &[usize], device: &Device) -> Self {
        let (batch, steps) = (lengths.len(), lengths.iter().max().unwrap() + 2);
        let is_real = |&n: &usize| (0..steps).map(move |t| f32::from(u8::from(t < n)));
        let real: Vec<f32> = lengths.iter().flat_map(is_real).collect();
        let real = Tensor::<1>::from_floats(real.as_slice(), device).reshape([batch, steps, 1]);
        let bound = 1.0 / (d_input as f64).sqrt();
        let bias = has_bias.then(|| Param::from_tensor(random("bias", [d_output], 1.0, device)));
        Self {
            name: format!("{d_input} to {d_output}, bias {has_bias}, {batch} sequences"),
            lengths: lengths.to_vec(),
            x: random("x", [batch, steps, d_input], 2.0, device),
            layer: Linear::from_weights(Param::from_tensor(random("weight", [d_input, d_output], bound, device)), bias),
            dy: random("dy", [batch, steps, d_output], 1.0, device) * real,
        }
    }

    fn loss(&self, is_kernel: bool, x: Tensor<3>) -> Tensor<3> {
        let Linear { weight, bias, .. } = &self.layer;
        let x = ragged(&x, &self.lengths);
        let y = if is_kernel {
            self.layer.forward(x)
        } else {
            linear_reference(x, weight.val(), bias.as_ref().map(Param::val))
        };
        y.into_values() * self.dy.clone()
    }

    /// The output where its gradient is not zero, and the gradients of x, weight and bias.
    fn run(&self, is_kernel: bool) -> Vec<Vec<f32>> {
        let x = self.x.clone().require_grad();
        let y = self.loss(is_kernel, x.clone());
        let gradients = y.clone().sum().backward();
        let Linear { weight, bias, .. } = &self.layer;
        let mut found = vec![values(&y), gradient(&x, &gradients), gradient(&weight.val(), &gradients)];
        found.extend(bias.as_ref().map(|bias| gradient(&bias.val(), &gradients)));
        found
    }
}

#[test]
fn it_equals_its_definition() {
    let lengths: Vec<usize> = (0..20).map(|i| 1 + i * 7 % 40).collect();
    for (backend, device) in devices() {
        let device = device.autodiff();
        let widths = [(1, 1), (5, 9), (16, 64), (97, 17), (130, 40)];
        let cases = widths.into_iter().enumerate().flat_map(|(i, (d_input, d_output))| {
            [&[1][..], &[3, 1, 5], &lengths].map(|lengths| Case::new(d_input, d_output, i % 2 == 0, lengths, &device))
        });
        for case in cases.chain([Case::new(256, 640, true, &lengths, &device)]) {
            let (found, expected) = (case.run(true), case.run(false));
            for ((found, expected), what) in found.iter().zip(&expected).zip(["y", "x", "weight", "bias"]) {
                assert_close(&format!("{backend}, {}: {what}", case.name), found, expected, 1e-5);
            }
        }
    }
}

#[test]
fn gradients_agree_with_finite_differences() {
    for (backend, device) in devices() {
        let device = device.autodiff();
        let case = Case::new(7, 5, true, &[4, 1, 6], &device);
        let found = case.run(true);
        let direction = random("direction", case.x.dims(), 1.0, &device);
        let slope =
            difference(&case.x, &direction, |x| values(&case.loss(true, x)).iter().map(|&x| f64::from(x)).sum());
        let expected: f64 = found[1].iter().zip(values(&direction)).map(|(&g, d)| f64::from(g) * f64::from(d)).sum();
        assert!((slope - expected).abs() < 1e-3 * expected.abs().max(0.1), "{backend}: {slope} for {expected}");
    }
}

#[test]
fn padding_reaches_nothing() {
    for (backend, device) in devices() {
        let device = device.autodiff();
        let mut case = Case::new(9, 7, true, &[4, 1, 6], &device);
        let clean = case.run(true);
        let padding = case.dy.clone().equal_elem(0.0).any_dim(2).expand(case.x.dims());
        case.x = case.x.mask_fill(padding, f32::NAN);
        let found = case.run(true);
        for (found, expected) in found.iter().zip(&clean) {
            assert_close(backend.name(), found, expected, 0.0);
        }
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    for (_, device) in devices() {
        let case = Case::new(256, 256, true, &[40, 33, 28, 17, 9, 1, 30, 30], &device.autodiff());
        let single = with_threads(1, || case.run(true));
        assert_eq!(with_threads(2, || case.run(true)), single);
        assert_eq!(with_threads(3, || case.run(true)), single);
    }
}
