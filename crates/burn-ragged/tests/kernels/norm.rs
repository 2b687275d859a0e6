//! Layer normalisation after a residual connection.

use burn::{
    module::Param,
    tensor::{Device, Tensor},
};
use burn_ragged::{LayerNorm, norm::residual_reference};

use super::common::{assert_close, devices, difference, gradient, ragged, random, values, with_threads};

/// The summands, the layer, and the gradient of the output.
struct Case {
    summands: [Tensor<3>; 2],
    layer: LayerNorm,
    dy: Tensor<3>,
}

impl Case {
    fn new(shape: [usize; 3], bound: f64, device: &Device) -> Self {
        let d_model = shape[2];
        let mut layer = LayerNorm::new(d_model, 1e-5, device);
        layer.gamma = Param::from_tensor(random("gamma", [d_model], 2.0, device));
        layer.beta = Param::from_tensor(random("beta", [d_model], 1.0, device));
        let summands = ["x", "y"].map(|site| random(site, shape, bound, device));
        Self { summands, layer, dy: random("dy", shape, 1.0, device) }
    }

    fn loss(&self, is_kernel: bool, [x, y]: [Tensor<3>; 2]) -> Tensor<3> {
        let [batch, steps, _] = x.dims();
        let [x, y] = [x, y].map(|x| ragged(&x, &vec![steps; batch]));
        let output = if is_kernel { self.layer.residual(x, y) } else { residual_reference(&self.layer, x, y) };
        output.into_values() * self.dy.clone()
    }

    /// The output times its gradient, and the gradients of x, y, gamma and beta.
    fn run(&self, is_kernel: bool) -> [Vec<f32>; 5] {
        let [x, y] = self.summands.clone().map(Tensor::require_grad);
        let output = self.loss(is_kernel, [x.clone(), y.clone()]);
        let gradients = output.clone().sum().backward();
        let LayerNorm { gamma, beta, .. } = &self.layer;
        let [gamma, beta] = [gamma, beta].map(|param| gradient(&param.val(), &gradients));
        [values(&output), gradient(&x, &gradients), gradient(&y, &gradients), gamma, beta]
    }
}

#[test]
fn it_equals_its_definition() {
    for (backend, device) in devices() {
        let device = device.autodiff();
        let shapes = [[1, 1, 3], [2, 3, 7], [3, 5, 16], [4, 1, 33], [9, 40, 256]];
        for (shape, bound) in
            shapes.into_iter().map(|shape| (shape, 1.0)).chain([([2, 3, 40], 1e4), ([2, 3, 40], 1e-4)])
        {
            let case = Case::new(shape, bound, &device);
            let names = ["output", "x", "y", "gamma", "beta"];
            for ((found, expected), what) in case.run(true).iter().zip(case.run(false)).zip(names) {
                assert_close(&format!("{backend}, {shape:?} within {bound}: {what}"), found, &expected, 1e-5);
            }
        }
    }
}

#[test]
fn gradients_agree_with_finite_differences() {
    for (backend, device) in devices() {
        let device = device.autodiff();
        let case = Case::new([2, 3, 10], 1.0, &device);
        let found = case.run(true);
        for i in 0..2 {
            let direction = random("direction", [2, 3, 10], 1.0, &device);
            let slope = difference(&case.summands[i], &direction, |summand| {
                let mut summands = case.summands.clone();
                summands[i] = summand;
                values(&case.loss(true, summands)).iter().map(|&x| f64::from(x)).sum()
            });
            let expected: f64 =
                found[1 + i].iter().zip(values(&direction)).map(|(&g, d)| f64::from(g) * f64::from(d)).sum();
            assert!((slope - expected).abs() < 1e-2 * expected.abs().max(0.1), "{backend}: {slope} for {expected}");
        }
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    for (_, device) in devices() {
        let case = Case::new([30, 33, 40], 1.0, &device.autodiff());
        let single = with_threads(1, || case.run(true));
        assert_eq!(with_threads(2, || case.run(true)), single);
        assert_eq!(with_threads(3, || case.run(true)), single);
    }
}
