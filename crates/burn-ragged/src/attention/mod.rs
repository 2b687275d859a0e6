//! Scaled dot-product attention of several heads, in which every query attends to the keys of its own sequence.

mod autodiff;
mod cpu;
mod reference;

use crate::{dropout::DropoutMasks, ragged::Ragged, runtime::cpu_backend::has_kernels};

pub use reference::attention_reference;

/// Queries, keys and values of a batch. Sequence `b` of the queries attends to sequence `b` of the keys; the two may
/// differ in length.
#[derive(Clone, Debug)]
pub struct AttentionInput {
    /// Queries `[batch, queries, d_model]`.
    pub query: Ragged,
    /// Keys `[batch, keys, d_model]`.
    pub key: Ragged,
    /// Values, of the layout and width of the keys.
    pub value: Ragged,
}

/// `softmax(Q K^T / sqrt(d_model / heads)) V` of each head; head `i` reads and writes the `i`-th block of columns.
/// `dropout` applies to the attention weights.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use burn_ragged::{Layout, Ragged, attention::{AttentionInput, attention}};
///
/// let device = Device::flex();
/// let x = Ragged::new(Tensor::ones([2, 3, 8], &device), Layout::new(vec![3, 1]));
/// let y = attention(AttentionInput { query: x.clone(), key: x.clone(), value: x }, 2, None);
/// assert_eq!(y.width(), 8);
/// ```
///
/// # Shapes
/// - output: `[batch, queries, d_model]`, in the layout of the queries; values at padding are unspecified
///
/// # Panics
/// If batch sizes or widths differ, keys and values differ in layout, or `heads` does not divide `d_model`.
pub fn attention(input: AttentionInput, heads: usize, dropout: Option<&DropoutMasks>) -> Ragged {
    let AttentionInput { query, key, value } = &input;
    let d_model = query.width();
    assert!(heads > 0 && d_model.is_multiple_of(heads), "{heads} heads must divide the width {d_model}");
    assert_eq!(key.layout(), value.layout(), "keys and values of the same sequences");
    assert_eq!([key.width(), value.width()], [d_model; 2], "queries, keys and values of one width");
    assert_eq!(query.layout().batch_size(), key.layout().batch_size(), "queries and keys of one batch");
    if has_kernels(&query.device(), query.dtype()) {
        return autodiff::attention(input, heads, dropout);
    }
    attention_reference(input, heads, dropout)
}
