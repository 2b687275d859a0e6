//! The foundation of the kernels, independent of any operation.
//!
//! - `simd`, `product`: vector arithmetic and matrix products over chosen rows. Their documentation names
//!   every allocation.
//! - `buffer`: memory for results and intermediate values, reused across passes.
//! - `parallel`: work on all threads, cut so that the number of threads changes no result.
//! - `once_pair`, `weight_cache`: weights packed for the products, once per set of weights.
//! - `cpu_backend`: the values of burn's CPU tensors. `precomputed`: losses whose gradients are known after the forward
//!   pass. `gpu`: shared code of the CubeCL kernels.

pub(crate) mod buffer;
pub(crate) mod cpu_backend;
#[cfg(feature = "gpu")]
pub(crate) mod gpu;
pub(crate) mod once_pair;
pub mod parallel;
pub(crate) mod precomputed;
pub(crate) mod product;
pub(crate) mod simd;
pub(crate) mod weight_cache;
