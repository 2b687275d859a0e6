//! The BiLSTM.

use burn::{
    module::Param,
    tensor::{Device, Tensor},
};
use burn_ragged::{BiLstm, bilstm::bilstm_reference};

use super::common::{
    assert_close, devices, devices_and_gpus, difference, gradient, ragged, random, values, with_threads,
};

/// A BiLSTM, its input and the gradient of its output.
struct Case {
    name: String,
    lengths: Vec<usize>,
    x: Tensor<3>,
    lstm: BiLstm,
    dy: Tensor<3>,
}

impl Case {
    fn new(d_input: usize, d_hidden: usize, lengths: &[usize], steps: usize, device: &Device) -> Self {
        let batch = lengths.len();
        let bound = 1.0 / (d_hidden as f64).sqrt();
        let parameter = |x: Tensor<3>| Param::from_tensor(x);
        Self {
            name: format!("{d_input} to {d_hidden}, {batch} sequences"),
            lengths: lengths.to_vec(),
            x: random("x", [batch, steps, d_input], 2.0, device),
            lstm: BiLstm::from_weights(
                parameter(random("w_ih", [2, d_input, 4 * d_hidden], bound, device)),
                parameter(random("w_hh", [2, d_hidden, 4 * d_hidden], 2.0 * bound, device)),
                Param::from_tensor(random("bias", [2, 4 * d_hidden], bound, device)),
            ),
            dy: random("dy", [batch, steps, 2 * d_hidden], 1.0, device),
        }
    }

    fn reference(&self, x: &Tensor<3>) -> Tensor<3> {
        let BiLstm { w_ih, w_hh, bias, .. } = &self.lstm;
        bilstm_reference(ragged(x, &self.lengths), w_ih.val(), w_hh.val(), bias.val()).into_values()
    }

    fn kernel(&self, lstm: &BiLstm, x: &Tensor<3>) -> Tensor<3> {
        lstm.forward(ragged(x, &self.lengths)).into_values()
    }

    /// Output and gradients of x, w_ih, w_hh and bias.
    fn run(&self, is_kernel: bool) -> [Vec<f32>; 5] {
        let x = self.x.clone().require_grad();
        let y = if is_kernel { self.kernel(&self.lstm, &x) } else { self.reference(&x) };
        let gradients = (y.clone() * self.dy.clone()).sum().backward();
        let BiLstm { w_ih, w_hh, bias, .. } = &self.lstm;
        [
            values(&y),
            gradient(&x, &gradients),
            gradient(&w_ih.val(), &gradients),
            gradient(&w_hh.val(), &gradients),
            gradient(&bias.val(), &gradients),
        ]
    }
}

/// Lengths of `n` sequences, at most `steps`.
fn lengths(n: usize, steps: usize) -> Vec<usize> {
    (0..n).map(|i| 1 + (i * 7 + n) % steps).collect()
}

#[test]
fn it_equals_its_definition() {
    for (backend, device) in devices_and_gpus() {
        let device = device.autodiff();
        // A GPU compiles its kernel for each width.
        let widths = if backend.is_cpu() { (1..=70).collect() } else { vec![1, 6, 25, 128, 200, 256] };
        let mut cases: Vec<Case> =
            widths.into_iter().map(|d_hidden| Case::new(1 + d_hidden % 9, d_hidden, &[3, 1, 5], 5, &device)).collect();
        if backend.is_cpu() {
            cases.extend([1, 2, 15, 16, 17, 63, 65, 130].map(|d_input| Case::new(d_input, 7, &[2, 4], 4, &device)));
            cases.extend([1, 2, 5, 6, 7, 13, 24, 25, 60].map(|n| Case::new(5, 16, &lengths(n, 9), 9, &device)));
        }
        cases.push(Case::new(4, 3, &[1], 1, &device));
        cases.push(Case::new(4, 3, &[1; 9], 1, &device));
        cases.push(Case::new(20, 24, &[11; 30], 11, &device));
        cases.push(Case::new(3, 5, &[2, 1], 6, &device));
        cases.push(Case::new(64, 48, &lengths(40, 30), 30, &device));
        for case in cases {
            let names = ["output", "gradient of x", "gradient of w_ih", "gradient of w_hh", "gradient of bias"];
            for ((found, expected), what) in case.run(true).iter().zip(case.run(false)).zip(names) {
                assert_close(&format!("{backend}, {}: {what}", case.name), found, &expected, 1e-5);
            }
        }
    }
}

#[test]
fn its_gradient_agrees_with_finite_differences() {
    for (backend, device) in devices_and_gpus() {
        let case = Case::new(6, 10, &lengths(7, 6), 6, &device.clone().autodiff());
        let [_, dx, dw_ih, dw_hh, dbias] = case.run(true);
        let BiLstm { w_ih, w_hh, bias, .. } = &case.lstm;
        let plain = |lstm: BiLstm, x: Tensor<3>| {
            let y: Vec<f64> = case.kernel(&lstm, &x).try_into_vec_as().unwrap();
            y.iter().zip(values(&case.dy)).map(|(y, dy)| y * f64::from(dy)).sum::<f64>()
        };
        let inner = |x: &Param<Tensor<3>>| Param::from_tensor(x.val().inner());
        let lstm = || BiLstm::from_weights(inner(w_ih), inner(w_hh), Param::from_tensor(bias.val().inner()));
        let check = |what: &str, gradient: &[f32], direction: Vec<f32>, found: f64| {
            let expected: f64 = gradient.iter().zip(direction).map(|(g, d)| f64::from(g * d)).sum();
            assert!(
                (found - expected).abs() < 2e-3 * expected.abs().max(0.1),
                "{backend}, {what}: {found}, {expected}"
            );
        };
        let direction = |x: &Tensor<3>| random("direction", x.dims(), 1.0, &device);
        let x = case.x.clone().inner();
        let along = direction(&x);
        check("x", &dx, values(&along), difference(&x, &along, |x| plain(lstm(), x)));
        let along = direction(&w_ih.val());
        let changed = |change: &dyn Fn(&mut BiLstm)| {
            let mut lstm = lstm();
            change(&mut lstm);
            plain(lstm, x.clone())
        };
        let loss = |w: Tensor<3>| changed(&|lstm| lstm.w_ih = Param::from_tensor(w.clone()));
        check("w_ih", &dw_ih, values(&along), difference(&w_ih.val().inner(), &along, loss));
        let along = direction(&w_hh.val());
        let loss = |w: Tensor<3>| changed(&|lstm| lstm.w_hh = Param::from_tensor(w.clone()));
        check("w_hh", &dw_hh, values(&along), difference(&w_hh.val().inner(), &along, loss));
        let along = random("direction", bias.val().dims(), 1.0, &device);
        let loss = |b: Tensor<2>| changed(&|lstm| lstm.bias = Param::from_tensor(b.clone()));
        check("bias", &dbias, values(&along), difference(&bias.val().inner(), &along, loss));
    }
}

#[test]
fn threads_change_no_bit() {
    for (_, device) in devices() {
        let case = Case::new(70, 40, &lengths(80, 12), 12, &device.autodiff());
        let alone = with_threads(1, || case.run(true));
        for n in [2, 5] {
            assert_eq!(with_threads(n, || case.run(true)), alone, "{n} threads");
        }
        assert_eq!(case.run(true), alone, "outside of a pool");
    }
}

#[test]
fn padding_and_what_needs_no_gradient_change_nothing() {
    for (_, device) in devices_and_gpus() {
        let case = Case::new(9, 12, &[4, 2, 5, 1], 7, &device.clone().autodiff());
        let [y, dx, dw_ih, ..] = case.run(true);
        let plain = Case::new(9, 12, &[4, 2, 5, 1], 7, &device);
        assert_eq!(values(&plain.kernel(&plain.lstm, &plain.x)), y, "without autodiff");
        let constant = case.kernel(&case.lstm, &case.x);
        let gradients = (constant * case.dy.clone()).sum().backward();
        assert_eq!(gradient(&case.lstm.w_ih.val(), &gradients), dw_ih, "with a constant input");

        let is_padding: Vec<bool> =
            case.lengths.iter().flat_map(|&n| (0..7).flat_map(move |t| (0..9).map(move |_| t >= n))).collect();
        let nan: Vec<f32> =
            values(&case.x).iter().zip(&is_padding).map(|(&x, &p)| if p { f32::NAN } else { x }).collect();
        let x = Tensor::<1>::from_floats(&nan[..], &device).reshape(case.x.dims());
        assert_eq!(values(&plain.kernel(&plain.lstm, &x)), y, "with other padding");
        assert!(dx.iter().zip(&is_padding).all(|(&dx, &padding)| !padding || dx == 0.0));
        let zero =
            y.chunks(24).zip(is_padding.chunks(9)).all(|(y, padding)| !padding[0] || y.iter().all(|&y| y == 0.0));
        assert!(zero, "zero at padding");
    }
}

#[test]
fn nan_is_not_lost() {
    for (_, device) in devices_and_gpus() {
        let case = Case::new(9, 12, &[4, 2], 4, &device);
        let x = case.x.clone().slice_fill([0..1, 3..4, 0..1], f32::NAN);
        let y = values(&case.kernel(&case.lstm, &x));
        assert!(y[3 * 24..4 * 24].iter().all(|y| y.is_nan()) && y[4 * 24..].iter().all(|y| !y.is_nan()));
    }
}
