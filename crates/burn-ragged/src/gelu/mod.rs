//! GELU (Hendrycks and Gimpel 2016): `x Phi(x)`.

mod autodiff;
mod cpu;

use crate::{ragged::Ragged, runtime::cpu_backend::has_kernels};

/// `x Phi(x)` of every value. Its definition is burn's [`gelu`](burn::tensor::activation::gelu).
pub fn gelu(x: Ragged) -> Ragged {
    if has_kernels(&x.device(), x.dtype()) { x.map(autodiff::gelu) } else { x.map(burn::tensor::activation::gelu) }
}
