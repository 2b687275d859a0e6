//! The CRF's loss as an operation on tensors.

use burn::backend::{Autodiff, autodiff::checkpoint::strategy::CheckpointStrategy, tensor::FloatTensor};

use super::known;
use crate::kernels::{
    buffer::Buffer,
    crf::{self, Potentials},
    raw::RawF32,
};

/// The loss alone.
pub(crate) fn run<B: RawF32>(
    first: &FloatTensor<B>,
    pair: &FloatTensor<B>,
    end: &FloatTensor<B>,
    tags: &[Vec<u32>],
) -> FloatTensor<B> {
    known::scalar::<B>(evaluate::<B>([first, pair, end], tags).0, pair)
}

/// The loss; if any of the tensors is tracked, it is.
pub(crate) fn run_tracked<B: RawF32, C: CheckpointStrategy>(
    first: FloatTensor<Autodiff<B, C>>,
    pair: FloatTensor<Autodiff<B, C>>,
    end: FloatTensor<Autodiff<B, C>>,
    tags: &[Vec<u32>],
) -> FloatTensor<Autodiff<B, C>> {
    known::loss::<B, C>([first, pair, end], |inputs, _| {
        let (loss, gradients) = evaluate::<B>(inputs, tags);
        (loss, Some(gradients))
    })
}

fn evaluate<B: RawF32>([first, pair, end]: [&FloatTensor<B>; 3], tags: &[Vec<u32>]) -> (f32, [Buffer; 3]) {
    let [batch, steps, n_tags, _] = B::dims(pair);
    assert_eq!((B::dims(first), B::dims(end)), ([batch, n_tags], [n_tags]), "scores of the first and the last tag");
    assert_eq!(tags.len(), batch, "the tags of every sentence");
    let potentials = Potentials { first: &B::numbers(first), pair: &B::numbers(pair), end: &B::numbers(end), steps };
    let (loss, gradients) = crf::negative_log_likelihood(potentials, tags);
    (loss, [gradients.first, gradients.pair, gradients.end])
}
