//! Gradients of all parameters: sum over the shards of a batch, global norm, scaling.

use burn::{
    module::{Module, ModuleVisitor, Param},
    optim::GradientsParams,
    tensor::{DType, Tensor, TensorData},
};
use burn_ragged::is_cpu;
use rayon::{
    iter::{IndexedParallelIterator, ParallelIterator},
    slice::ParallelSliceMut,
};

/// Values per task.
const CHUNK: usize = 1 << 13;

/// The sum of the parts' gradients of this module, and its Euclidean norm over all parameters. The gradients are
/// removed from the parts. (burn clips each tensor by its own norm; this is the usual global norm.)
pub(crate) fn sum<M: Module>(module: &M, parts: &mut [GradientsParams]) -> (GradientsParams, f64) {
    let mut visitor = Sum { parts, sum: GradientsParams::new(), squares: 0.0, on_device: None };
    module.visit(&mut visitor);
    // Read once, because each read waits for the GPU.
    let on_device = visitor.on_device.map_or(0.0, |squares| squares.into_scalar::<f64>());
    (visitor.sum, (visitor.squares + on_device).sqrt())
}

/// Scales all gradients.
pub(crate) fn scale<M: Module>(module: &M, gradients: &mut GradientsParams, factor: f64) {
    module.visit(&mut Scale { gradients, factor });
}

struct Sum<'a> {
    parts: &'a mut [GradientsParams],
    sum: GradientsParams,
    squares: f64,
    /// Squares that are still on a GPU. `[1]`
    on_device: Option<Tensor<1>>,
}

impl ModuleVisitor for Sum<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let parts: Vec<Tensor<D>> = self.parts.iter_mut().filter_map(|part| part.remove::<D>(param.id)).collect();
        let Some(first) = parts.first() else { return };
        let sum = if first.dtype() == DType::F32 && is_cpu(&first.device()) {
            let (sum, squares) = add_on_cpu(parts);
            self.squares += squares;
            sum
        } else {
            let (sum, squares) = add(parts);
            self.on_device = Some(match self.on_device.take() {
                Some(others) => others + squares,
                None => squares,
            });
            sum
        };
        self.sum.register(param.id, sum);
    }
}

/// The sum of at least one tensor, and the sum of its squares.
fn add<const D: usize>(parts: Vec<Tensor<D>>) -> (Tensor<D>, Tensor<1>) {
    let sum = parts.into_iter().reduce(|a, b| a + b).expect("a part");
    let squares = sum.clone().square().sum();
    (sum, squares)
}

/// [`add`] in one pass over the values.
fn add_on_cpu<const D: usize>(parts: Vec<Tensor<D>>) -> (Tensor<D>, f64) {
    let device = parts[0].device();
    let mut parts = parts.into_iter().map(Tensor::into_data);
    let mut first = parts.next().expect("a part");
    let others: Vec<TensorData> = parts.collect();
    let others: Vec<&[f32]> = others.iter().map(|part| part.as_slice().expect("f32 values")).collect();
    let sum: &mut [f32] = first.as_mut_slice().expect("f32 values");
    let squares: Vec<f64> = sum
        .par_chunks_mut(CHUNK)
        .enumerate()
        .map(|(i, sum)| {
            for other in &others {
                sum.iter_mut().zip(&other[i * CHUNK..]).for_each(|(sum, value)| *sum += value);
            }
            // Separate lanes, so that the sum is vectorised; f64, so that no square overflows.
            let mut lanes = [0f64; 8];
            for values in sum.chunks(8) {
                lanes.iter_mut().zip(values).for_each(|(lane, &x)| *lane += f64::from(x) * f64::from(x));
            }
            lanes.iter().sum()
        })
        .collect();
    (Tensor::from_data(first, &device), squares.iter().sum())
}

struct Scale<'a> {
    gradients: &'a mut GradientsParams,
    factor: f64,
}

impl ModuleVisitor for Scale<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.remove::<D>(param.id) {
            self.gradients.register(param.id, gradient * self.factor);
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use burn_ragged::Key;

    use super::*;

    #[test]
    fn both_implementations_agree() {
        let part = |seed| {
            let values = Key::new(seed).uniform(3 * CHUNK + 7, 1.0);
            Tensor::<1>::from_data(TensorData::new(values, [3 * CHUNK + 7]), &Device::default())
        };
        let parts: Vec<Tensor<1>> = (1..4).map(part).collect();
        let (sum, squares) = add_on_cpu(parts.clone());
        let (expected, expected_squares) = add(parts);
        assert_eq!(sum.into_data(), expected.into_data());
        let expected_squares: f64 = expected_squares.into_scalar();
        assert!((squares / expected_squares - 1.0).abs() < 1e-5, "{squares} {expected_squares}");
    }
}
