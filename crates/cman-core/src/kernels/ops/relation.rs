//! The relation loss as an operation on tensors.

use burn::backend::{Autodiff, autodiff::checkpoint::strategy::CheckpointStrategy, tensor::FloatTensor};

use super::known;
use crate::{
    kernels::{
        buffer::Buffer,
        raw::RawF32,
        relation::{self, Sizes},
    },
    relation::Positive,
};

/// The loss alone.
pub(crate) fn run<B: RawF32>(
    head: &FloatTensor<B>,
    tail: &FloatTensor<B>,
    v: &FloatTensor<B>,
    positives: &[Positive],
    lengths: &[usize],
) -> FloatTensor<B> {
    known::scalar::<B>(evaluate::<B>([head, tail, v], positives, lengths, false).0, head)
}

/// The loss; if any of the tensors is tracked, it is.
pub(crate) fn run_tracked<B: RawF32, C: CheckpointStrategy>(
    head: FloatTensor<Autodiff<B, C>>,
    tail: FloatTensor<Autodiff<B, C>>,
    v: FloatTensor<Autodiff<B, C>>,
    positives: &[Positive],
    lengths: &[usize],
) -> FloatTensor<Autodiff<B, C>> {
    known::loss::<B, C>([head, tail, v], |inputs, keep| evaluate::<B>(inputs, positives, lengths, keep))
}

fn evaluate<B: RawF32>(
    [head, tail, v]: [&FloatTensor<B>; 3],
    positives: &[Positive],
    lengths: &[usize],
    with_gradients: bool,
) -> (f32, Option<[Buffer; 3]>) {
    let ([_, steps, width], [relations, hidden]) = (B::dims(head), B::dims(v));
    let sizes = Sizes { steps, width, relations, hidden };
    let numbers = (B::numbers(head), B::numbers(tail), B::numbers(v));
    let numbers = [&*numbers.0, &*numbers.1, &*numbers.2];
    let (loss, gradients) = relation::pair_loss(numbers, sizes, lengths, positives, with_gradients);
    (loss, gradients.map(|gradients| [gradients.head, gradients.tail, gradients.v]))
}
