//! The kernels on tensors: what each takes and gives, and its node in the graph of autodiff.

pub(super) mod attention;
pub(super) mod bilstm;
pub(super) mod crf;
pub(super) mod gelu;
mod known;
pub(super) mod linear;
pub(super) mod relation;
