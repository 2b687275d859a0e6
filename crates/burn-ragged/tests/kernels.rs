//! The kernels equal their definitions, values and all gradients, on every backend of the build that the machine has a
//! device for.

mod kernels {
    pub mod attention;
    pub mod bilstm;
    pub mod common;
    pub mod crf;
    pub mod linear;
    pub mod norm;
    pub mod pairs;
}
