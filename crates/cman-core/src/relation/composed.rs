//! Relation scores and loss over all pairs made of plain burn operations, in blocks of head tokens, so that memory
//! stays bounded: their definition, for every backend.

use burn::tensor::{Tensor, TensorData};

use super::{Positive, Projection};
use crate::mask::mask_pad;

/// Numbers under the tanh that one block may hold.
const BLOCK: usize = 1 << 22;

/// Scores of all pairs. `[batch, steps (head), steps (tail), relations]`
pub fn table(projection: &Projection) -> Tensor<4> {
    let blocks = blocks(projection).map(|(start, rows)| block(projection, start, rows));
    Tensor::cat(blocks.collect(), 1)
}

/// Binary cross-entropy summed over all real pairs and all relations. `[1]`
///
/// The gradient of each block is taken at once and the block forgotten; what is returned carries the gradients of all
/// blocks together.
pub fn pair_loss(projection: &Projection, positives: &[Positive], lengths: &[usize]) -> Tensor<1> {
    if !projection.head.is_tracked() {
        let losses = blocks(projection).map(|(start, rows)| block_loss(projection, start, rows, positives, lengths));
        return losses.reduce(|a, b| a + b).expect("a block");
    }
    let leaf = Projection {
        head: projection.head.clone().detach().require_grad(),
        tail: projection.tail.clone().detach().require_grad(),
        v: projection.v.clone().detach().require_grad(),
    };
    let mut sums: Option<(Tensor<1>, Tensor<3>, Tensor<3>, Tensor<2>)> = None;
    for (start, rows) in blocks(projection) {
        let loss = block_loss(&leaf, start, rows, positives, lengths);
        let gradients = loss.backward();
        let part = (
            loss.inner(),
            leaf.head.grad(&gradients).expect("a gradient of the heads"),
            leaf.tail.grad(&gradients).expect("a gradient of the tails"),
            leaf.v.grad(&gradients).expect("a gradient of V"),
        );
        sums = Some(match sums {
            Some(sum) => (sum.0 + part.0, sum.1 + part.1, sum.2 + part.2, sum.3 + part.3),
            None => part,
        });
    }
    let (loss, head, tail, v) = sums.expect("a block");
    with_gradient(loss, &projection.head, head)
        + with_gradient(Tensor::zeros([1], &projection.v.device().inner()), &projection.tail, tail)
        + with_gradient(Tensor::zeros([1], &projection.v.device().inner()), &projection.v, v)
}

/// `value`, whose gradient with respect to `x` is `gradient`.
fn with_gradient<const D: usize>(value: Tensor<1>, x: &Tensor<D>, gradient: Tensor<D>) -> Tensor<1> {
    let zero = x.clone() - x.clone().detach();
    (zero * Tensor::from_inner(gradient)).sum() + Tensor::from_inner(value)
}

/// Start and size of each block of head tokens.
fn blocks(projection: &Projection) -> impl Iterator<Item = (usize, usize)> + use<> {
    let [batch, steps, width] = projection.head.dims();
    let rows = (BLOCK / (batch * steps * width)).clamp(1, steps);
    (0..steps).step_by(rows).map(move |start| (start, rows.min(steps - start)))
}

/// Scores of the pairs whose head is one of `rows` tokens from `start`. `[batch, rows, steps, relations]`
fn block(projection: &Projection, start: usize, rows: usize) -> Tensor<4> {
    let head = projection.head.clone().narrow(1, start, rows).unsqueeze_dim::<4>(2);
    scores(head + projection.tail.clone().unsqueeze_dim(1), &projection.v)
}

/// `V_k tanh(sum_k)`: `[batch, rows, steps, relations * hidden]` (`[.., hidden]` if shared) ->
/// `[batch, rows, steps, relations]`
pub(super) fn scores(sum: Tensor<4>, v: &Tensor<2>) -> Tensor<4> {
    let [batch, rows, steps, width] = sum.dims();
    let [relations, hidden] = v.dims();
    let activations = sum.tanh();
    if width == hidden && relations > 1 {
        let scores = activations.reshape([batch * rows * steps, hidden]).matmul(v.clone().transpose());
        return scores.reshape([batch, rows, steps, relations]);
    }
    let activations = activations.reshape([batch * rows * steps, relations, hidden]);
    (activations * v.clone().unsqueeze()).sum_dim(2).reshape([batch, rows, steps, relations])
}

/// `sum log(1 + exp(s)) - sum_{positives} s` over one block. `[1]`
fn block_loss(
    projection: &Projection,
    start: usize,
    rows: usize,
    positives: &[Positive],
    lengths: &[usize],
) -> Tensor<1> {
    let scores = block(projection, start, rows);
    let [batch, _, steps, relations] = scores.dims();
    let device = scores.device();
    let mut gold = vec![0f32; batch * rows * steps * relations];
    for p in positives.iter().filter(|p| (start..start + rows).contains(&p.head)) {
        gold[((p.sentence * rows + p.head - start) * steps + p.tail) * relations + p.kind] = 1.0;
    }
    let gold = Tensor::<4>::from_data(TensorData::new(gold, [batch, rows, steps, relations]), &device);
    let pad = mask_pad(lengths, steps, &device);
    let pad_head = pad.clone().narrow(1, start, rows).reshape([batch, rows, 1, 1]).expand(scores.dims());
    let pad_tail = pad.reshape([batch, 1, steps, 1]).expand(scores.dims());
    let softplus = scores.clone().clamp_min(0) + (-scores.clone().abs()).exp().log1p();
    (softplus - gold * scores).mask_fill(pad_head.bool_or(pad_tail), 0.0).sum()
}
