//! What the tests of all kernels share.

use burn::tensor::{Device, Gradients, Tensor, TensorData};
use cman_core::{Backend, random::Key};

/// The CPU's devices, which have all kernels.
pub fn devices() -> Vec<(&'static str, Device)> {
    open(Backend::is_cpu)
}

/// The devices of this build that the machine has; some kernels run on GPUs too.
pub fn devices_and_gpus() -> Vec<(&'static str, Device)> {
    open(|_| true)
}

fn open(wanted: fn(Backend) -> bool) -> Vec<(&'static str, Device)> {
    let open = |backend: Backend| match backend.device() {
        Ok(device) => Some((backend.name(), device)),
        Err(error) => {
            println!("skipped: {error}");
            None
        }
    };
    Backend::compiled().into_iter().filter(|&backend| wanted(backend)).filter_map(open).collect()
}

/// Random numbers within ±`bound`, different for every `site`.
pub fn random<const D: usize>(site: &str, shape: [usize; D], bound: f64, device: &Device) -> Tensor<D> {
    let values = Key::new(31).at(site).uniform(shape.iter().product(), bound);
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// The numbers of a tensor.
pub fn numbers<const D: usize>(x: &Tensor<D>) -> Vec<f32> {
    x.clone().inner().try_into_vec_as().expect("numbers")
}

/// The gradient of a tensor.
pub fn gradient<const D: usize>(x: &Tensor<D>, gradients: &Gradients) -> Vec<f32> {
    x.grad(gradients).expect("a gradient").try_into_vec_as().expect("numbers")
}

/// Asserts that two lists differ by at most `tolerance` of the largest number.
pub fn assert_close(name: &str, found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len(), "{name}");
    let largest = expected.iter().fold(1e-6f32, |largest, x| largest.max(x.abs()));
    for (i, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!((a - b).abs() <= tolerance * largest, "{name}: {a} for {b} at {i} (largest {largest})");
    }
}

/// What `f` gives with this many threads.
pub fn with_threads<T: Send>(n: usize, f: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(n).build().expect("threads").install(f)
}

/// The derivative of `loss` along `direction`, by central differences.
pub fn difference<const D: usize>(x: &Tensor<D>, direction: &Tensor<D>, loss: impl Fn(Tensor<D>) -> f64) -> f64 {
    let step = 1.0 / 64.0;
    let at = |step: f64| loss(x.clone() + direction.clone() * step);
    (at(step) - at(-step)) / (2.0 * step)
}
