//! Chosen rows of a matrix, and chosen elements of every sequence of a batch.

mod autodiff;
mod cpu;
mod selection;

use burn::tensor::{Int, Tensor};

use crate::runtime::cpu_backend::has_kernels;

pub use selection::Selection;

/// The rows `index` of `x`: embeddings, for example. Its definition is burn's [`Tensor::select`].
///
/// # Shapes
/// - x: `[rows, width]`
/// - index: `[n]`
/// - output: `[n, width]`
pub fn gather(x: Tensor<2>, index: Tensor<1, Int>) -> Tensor<2> {
    if has_kernels(&x.device(), x.dtype()) {
        let index = index.into_data().iter::<i64>().map(|row| row as usize).collect();
        return autodiff::gather(x, index);
    }
    x.select(0, index)
}
