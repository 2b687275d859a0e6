//! The definition of scores and loss over all pairs in burn operations, for every backend. It works in blocks of first
//! elements, which bounds its memory.

use burn::tensor::{Tensor, TensorData};

use super::{PairProjection, Positive};

/// Values under the tanh of one block, at most.
const BLOCK: usize = 1 << 22;

/// Scores of all pairs. `[batch, steps (first), steps (second), relations]`
pub fn pair_table_reference(projection: &PairProjection) -> Tensor<4> {
    let blocks = blocks(projection).map(|(start, rows)| block(projection, start, rows));
    Tensor::cat(blocks.collect(), 1)
}

/// [`pair_loss`](super::pair_loss) in burn operations. `[1]`
///
/// The gradient of each block is computed at once and the block is dropped. The returned loss carries the sum of the
/// gradients of all blocks.
pub fn pair_loss_reference(projection: &PairProjection, positives: &[Positive]) -> Tensor<1> {
    if !projection.head.values().is_tracked() {
        let losses = blocks(projection).map(|(start, rows)| block_loss(projection, start, rows, positives));
        return losses.reduce(|a, b| a + b).expect("a block");
    }
    let leaf = PairProjection {
        head: projection.head.clone().map(|x| x.detach().require_grad()),
        tail: projection.tail.clone().map(|x| x.detach().require_grad()),
        v: projection.v.clone().detach().require_grad(),
    };
    let mut sums: Option<(Tensor<1>, Tensor<3>, Tensor<3>, Tensor<2>)> = None;
    for (start, rows) in blocks(projection) {
        let loss = block_loss(&leaf, start, rows, positives);
        let gradients = loss.backward();
        let part = (
            loss.inner(),
            leaf.head.values().grad(&gradients).expect("a gradient of the heads"),
            leaf.tail.values().grad(&gradients).expect("a gradient of the tails"),
            leaf.v.grad(&gradients).expect("a gradient of V"),
        );
        sums = Some(match sums {
            Some(sum) => (sum.0 + part.0, sum.1 + part.1, sum.2 + part.2, sum.3 + part.3),
            None => part,
        });
    }
    let (loss, head, tail, v) = sums.expect("a block");
    with_gradient(loss, projection.head.values(), head)
        + with_gradient(Tensor::zeros([1], &projection.v.device().inner()), projection.tail.values(), tail)
        + with_gradient(Tensor::zeros([1], &projection.v.device().inner()), &projection.v, v)
}

/// `value`, whose gradient with respect to `x` is `gradient`.
fn with_gradient<const D: usize>(value: Tensor<1>, x: &Tensor<D>, gradient: Tensor<D>) -> Tensor<1> {
    let zero = x.clone() - x.clone().detach();
    (zero * Tensor::from_inner(gradient)).sum() + Tensor::from_inner(value)
}

/// Start and size of each block of first elements.
fn blocks(projection: &PairProjection) -> impl Iterator<Item = (usize, usize)> + use<> {
    let [batch, steps, width] = projection.head.values().dims();
    let rows = (BLOCK / (batch * steps * width)).clamp(1, steps);
    (0..steps).step_by(rows).map(move |start| (start, rows.min(steps - start)))
}

/// Scores of the pairs whose first element is one of `rows` elements from `start`. `[batch, rows, steps, relations]`
fn block(projection: &PairProjection, start: usize, rows: usize) -> Tensor<4> {
    let head = projection.head.values().clone().narrow(1, start, rows).unsqueeze_dim::<4>(2);
    scores(head + projection.tail.values().clone().unsqueeze_dim(1), &projection.v)
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
fn block_loss(projection: &PairProjection, start: usize, rows: usize, positives: &[Positive]) -> Tensor<1> {
    let scores = block(projection, start, rows);
    let [batch, _, steps, relations] = scores.dims();
    let device = scores.device();
    let mut gold = vec![0f32; batch * rows * steps * relations];
    for p in positives.iter().filter(|p| (start..start + rows).contains(&p.head)) {
        gold[((p.sequence * rows + p.head - start) * steps + p.tail) * relations + p.kind] = 1.0;
    }
    let gold = Tensor::<4>::from_data(TensorData::new(gold, [batch, rows, steps, relations]), &device);
    let pad = projection.head.layout().mask_pad(&device);
    let pad_head = pad.clone().narrow(1, start, rows).reshape([batch, rows, 1, 1]).expand(scores.dims());
    let pad_tail = pad.reshape([batch, 1, steps, 1]).expand(scores.dims());
    let softplus = scores.clone().clamp_min(0) + (-scores.clone().abs()).exp().log1p();
    (softplus - gold * scores).mask_fill(pad_head.bool_or(pad_tail), 0.0).sum()
}
