//! Chosen rows of a matrix: embeddings, and every other place where vectors are picked.

use burn::tensor::{Int, Tensor};

use crate::kernels;

/// The rows `index` of `x`.
///
/// # Shapes
/// - x: `[rows, width]`
/// - index: `[n]`
/// - output: `[n, width]`
pub(crate) fn gather(x: Tensor<2>, index: Tensor<1, Int>) -> Tensor<2> {
    if kernels::on_host(x.device(), x.dtype()) {
        let index = index.into_data().iter::<i64>().map(|row| row as usize).collect();
        return kernels::gather(x, index);
    }
    x.select(0, index)
}
