//! Operations on batches of sequences of unequal length, for [burn](https://burn.dev).
//!
//! burn computes on padded tensors. Its recurrent layers do not know the lengths, and padding costs as much as data.
//! Here a batch is a [`Ragged`] tensor, which carries the [`Layout`] of its sequences. Every operation reads the layout:
//! padding reaches no result and no gradient, and the fused kernels skip it.
//!
//! | operation | module |
//! |---|---|
//! | bidirectional LSTM | [`bilstm`] |
//! | linear layer | [`linear`] |
//! | multi-head attention over queries and keys of different lengths | [`attention`] |
//! | layer normalisation of a residual sum | [`norm`] |
//! | conditional random field: loss, Viterbi decoding, marginals | [`crf`] |
//! | scores and loss over all pairs of elements of a sequence | [`pairs`] |
//! | rows of a table, chosen elements of sequences | [`gather`] |
//! | GELU | [`gelu`] |
//! | LSTM with projection (ELMo) | [`projected_lstm`] |
//!
//! Each folder holds the public function (`mod.rs`), its definition in burn operations (`reference.rs`), the fused CPU
//! kernel with its hand-written gradient (`cpu.rs`), the GPU kernel where there is one (`gpu`), and the node in burn's
//! autodiff graph (`autodiff.rs`). The public function takes the kernel if the tensors are f32 on a CPU backend (flex,
//! ndarray) or, where there is a GPU kernel, on a CubeCL backend (wgpu, CUDA); otherwise it takes the definition. Tests
//! hold both equal, values and gradients.
//!
//! On a CPU the results do not depend on the number of threads: work is divided by the sizes of the batch alone, and
//! sums are taken in a fixed order.

pub mod attention;
pub mod bilstm;
pub mod crf;
pub mod device;
pub mod dropout;
pub mod gather;
pub mod gelu;
pub mod init;
pub mod linear;
pub mod norm;
pub mod pairs;
pub mod projected_lstm;
pub mod random;

mod mode;
mod ragged;
mod runtime;

pub use bilstm::{BiLstm, BiLstmConfig};
pub use device::{DeviceError, DeviceKind};
pub use dropout::DropoutMasks;
pub use init::Init;
pub use linear::Linear;
pub use mode::{Mode, Shard};
pub use norm::LayerNorm;
pub use ragged::{FORBIDDEN, Layout, Ragged};
pub use random::Key;
pub use runtime::{
    cpu_backend::{is_cpu, with_values},
    parallel,
    product::transpose,
};
