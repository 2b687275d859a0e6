//! The kernels equal their composed twins, values and all gradients, on every backend of the build; where the machine has
//! no adapter for one, the tests say so.

mod common;

mod kernels {
    pub mod attention;
    pub mod bilstm;
    pub mod common;
    pub mod crf;
    pub mod linear;
    pub mod norm;
    pub mod relation;
}
