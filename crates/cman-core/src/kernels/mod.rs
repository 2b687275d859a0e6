//! The few operations that decide the speed, each as one fused pass over plain numbers with its gradient.
//!
//! burn's CPU backends run a network as many small operations on padded tensors. The operations here know the length
//! of every sentence, so that padding costs nothing, and keep what belongs together in the caches and registers of the
//! CPU. Each has a twin made of plain burn operations, which is its definition, runs on every other backend and in
//! double precision, and is held equal to it by tests:
//!
//! | kernel | twin |
//! |---|---|
//! | attention (eqs. 2-3) | [`attend_composed`](crate::attention::attend_composed) |
//! | BiLSTM (eq. 1) | [`bilstm_composed`](crate::lstm::bilstm_composed) |
//! | CRF loss (eq. 11) | [`log_partition`](crate::crf::log_partition) less [`gold_score`](crate::crf::gold_score) |
//! | LSTM with projection (ELMo) | `ComposedLstm`, in [`encoder`](crate::encoder) |
//! | relation loss (eq. 12) | [`pair_loss_composed`](crate::relation::pair_loss_composed) |
//! | scores of chosen pairs (eq. 9) | [`table_composed`](crate::relation::table_composed), at these pairs |
//! | linear layers | [`linear_composed`](crate::linear::linear_composed) |
//! | residual connection and layer normalisation | [`residual_composed`](crate::norm::LayerNorm::residual_composed) |
//! | rows of a table | [`select`](burn::tensor::Tensor::select) |
//! | GELU of the encoders | [`gelu`](burn::tensor::activation::gelu) |
//!
//! The public functions of the model choose between the two by the device and the type of the tensors. Results do not
//! depend on the number of threads: work is cut by the sizes of the batch alone, and sums are taken in a fixed order.
//!
//! On a GPU the twins run, and burn fuses what it can; but the recurrence of the BiLSTM and the CRF loss are chains of
//! small steps, and have kernels of their own there (`cube`, in builds with a GPU backend).

mod attention;
mod bilstm;
mod buffer;
mod crf;
#[cfg(feature = "gpu")]
pub(crate) mod cube;
mod extension;
mod gather;
mod gelu;
mod halves;
mod linear;
mod memo;
mod norm;
mod ops;
mod parallel;
mod product;
mod projected_lstm;
mod raw;
mod relation;
mod simd;

pub(crate) use bilstm::Packs as BiLstmPacks;
pub(crate) use buffer::Buffer;
pub(crate) use extension::{
    attention, bilstm, gather, gelu, linear, negative_log_likelihood, pair_loss, residual_norm,
};
pub(crate) use linear::Packs as LinearPacks;
pub(crate) use memo::Memo;
pub(crate) use parallel::{for_each, join};
pub(crate) use product::transpose;
pub(crate) use projected_lstm::{LstmWeights, ProjectedLstm, pieces};
pub use raw::{on_host, with_numbers};
pub(crate) use relation::{Sizes as PairSizes, pair_scores};
#[cfg(test)]
pub(crate) use simd::tests::with_every_width;
