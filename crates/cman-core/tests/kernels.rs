//! The fused kernels equal their composed twins, values and all gradients, on every CPU backend.
#![cfg(any(feature = "flex", feature = "ndarray"))]

mod kernels {
    pub mod attention;
    pub mod bilstm;
    pub mod common;
    pub mod crf;
    pub mod linear;
    pub mod norm;
    pub mod relation;
}
