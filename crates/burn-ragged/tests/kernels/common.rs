//! Helpers of all kernel tests.

use burn::tensor::{Device, Gradients, Tensor, TensorData};
use burn_ragged::{DeviceKind, Key, Layout, Ragged};

/// The devices of this build. Prints those that the machine does not have.
pub fn devices_and_gpus() -> Vec<(DeviceKind, Device)> {
    let open = |kind: DeviceKind| match kind.device() {
        Ok(device) => Some((kind, device)),
        Err(error) => {
            println!("skipped: {error}");
            None
        }
    };
    DeviceKind::compiled().into_iter().filter_map(open).collect()
}

/// A batch of sequences of these lengths.
pub fn ragged(x: &Tensor<3>, lengths: &[usize]) -> Ragged {
    Ragged::new(x.clone(), Layout::with_steps(lengths.to_vec(), x.dims()[1]))
}

/// The CPU devices, which have all kernels.
pub fn devices() -> Vec<(DeviceKind, Device)> {
    devices_and_gpus().into_iter().filter(|(kind, _)| kind.is_cpu()).collect()
}

/// Random values within ±`bound`, different for every `site`.
pub fn random<const D: usize>(site: &str, shape: [usize; D], bound: f64, device: &Device) -> Tensor<D> {
    let values = Key::new(31).at(site).uniform(shape.iter().product(), bound);
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// The values of a tensor.
pub fn values<const D: usize>(x: &Tensor<D>) -> Vec<f32> {
    x.clone().inner().try_into_vec_as().expect("values")
}

/// The gradient of a tensor.
pub fn gradient<const D: usize>(x: &Tensor<D>, gradients: &Gradients) -> Vec<f32> {
    x.grad(gradients).expect("a gradient").try_into_vec_as().expect("values")
}

/// Asserts that two lists differ by at most `tolerance` times the largest value.
pub fn assert_close(name: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len(), "{name}");
    let largest = expected.iter().fold(1e-6f32, |largest, x| largest.max(x.abs()));
    for (i, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!((a - b).abs() <= tolerance * largest, "{name}: {a} for {b} at {i} (largest {largest})");
    }
}

/// The result of `f` with this many threads.
pub fn with_threads<T: Send>(n: usize, f: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(n).build().expect("threads").install(f)
}

/// The derivative of `loss` along `direction`, by central differences.
pub fn difference<const D: usize>(x: &Tensor<D>, direction: &Tensor<D>, loss: impl Fn(Tensor<D>) -> f64) -> f64 {
    let step = 1.0 / 64.0;
    let at = |step: f64| loss(x.clone() + direction.clone() * step);
    (at(step) - at(-step)) / (2.0 * step)
}
