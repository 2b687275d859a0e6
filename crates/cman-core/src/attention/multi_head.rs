//! Multi-head attention (section 3.2, eqs. 2 and 3).

use burn::{
    module::Module,
    tensor::{Bool, Tensor, activation::softmax},
};

use crate::{init::Init, kernels, linear::Linear, mask::FORBIDDEN, mode::Masks};

/// `head_i = softmax((Q W_i^Q)(K W_i^K)^T / sqrt(2d/z)) (V W_i^V)`, `T = Concat(head_1..head_z) W^o`.
///
/// `W_i^Q` is the i-th block of columns of `query`, and so on.
#[derive(Module, Debug)]
pub struct MultiHeadAttention {
    /// `W^Q` of all heads `[2d, 2d]`.
    pub query: Linear,
    /// `W^K` of all heads `[2d, 2d]`.
    pub key: Linear,
    /// `W^V` of all heads `[2d, 2d]`.
    pub value: Linear,
    /// `W^o` `[2d, 2d]`.
    pub output: Linear,
    n_heads: usize,
}

impl MultiHeadAttention {
    /// New weights for `n_heads` heads (the paper's z) over features `d_model` (the paper's 2d) wide.
    ///
    /// # Panics
    /// If `n_heads` does not divide `d_model`.
    pub fn new(d_model: usize, n_heads: usize, bias: bool, init: Init) -> Self {
        assert!(n_heads > 0 && d_model.is_multiple_of(n_heads), "{n_heads} heads must divide the width {d_model}");
        let linear = |site| init.at(site).linear(d_model, d_model, bias);
        Self { query: linear("query"), key: linear("key"), value: linear("value"), output: linear("output"), n_heads }
    }

    /// Every query attends to the keys of its own sentence. `lengths`: how many queries each sentence has, and how many
    /// keys.
    ///
    /// # Shapes
    /// - query: `[batch, queries, d_model]`
    /// - keys: `[batch, steps, d_model]`, which are the values as well
    /// - mask_pad: `[batch, steps]`, true behind the keys
    /// - output: `[batch, queries, d_model]`; what stands at padding means nothing
    pub fn forward(
        &self,
        query: Tensor<3>,
        keys: Tensor<3>,
        lengths: [&[usize]; 2],
        mask_pad: &Tensor<2, Bool>,
    ) -> Tensor<3> {
        let q = self.query.forward(query, lengths[0]);
        let k = self.key.forward(keys.clone(), lengths[1]);
        let v = self.value.forward(keys, lengths[1]);
        self.output.forward(attend([q, k, v], self.n_heads, lengths, mask_pad, None), lengths[0])
    }
}

/// What the heads gather, beside each other: head i works on the i-th block of columns of queries, keys and values.
/// `lengths`: how many queries each sentence has, and how many keys; they come first. `dropout` is on the attention
/// weights.
///
/// # Shapes
/// - queries: `[batch, queries, d_model]`
/// - keys, values: `[batch, steps, d_model]`
/// - mask_pad: `[batch, steps]`, true behind the keys
/// - output: `[batch, queries, d_model]`; what stands at padding means nothing
///
/// # Panics
/// If the shapes and lengths do not fit each other, or `heads` does not divide `d_model`.
pub fn attend(
    [q, k, v]: [Tensor<3>; 3],
    heads: usize,
    lengths: [&[usize]; 2],
    mask_pad: &Tensor<2, Bool>,
    dropout: Option<&Masks>,
) -> Tensor<3> {
    let [batch, _, d_model] = q.dims();
    assert!(heads > 0 && d_model.is_multiple_of(heads), "{heads} heads must divide the width {d_model}");
    for (lengths, [_, steps, _]) in lengths.into_iter().zip([q.dims(), k.dims()]) {
        assert_eq!(lengths.len(), batch, "one length a sentence");
        assert!(lengths.iter().all(|&n| (1..=steps).contains(&n)), "lengths {lengths:?} within 1..={steps}");
    }
    if kernels::on_host(q.device(), q.dtype()) {
        return kernels::attention(q, k, v, heads, lengths, dropout);
    }
    attend_composed([q, k, v], heads, lengths, mask_pad, dropout)
}

/// [`attend`] made of burn's operations, on any device.
pub fn attend_composed(
    [q, k, v]: [Tensor<3>; 3],
    heads: usize,
    lengths: [&[usize]; 2],
    mask_pad: &Tensor<2, Bool>,
    dropout: Option<&Masks>,
) -> Tensor<3> {
    let dims @ [batch, _, d_model] = q.dims();
    let d_head = d_model / heads;
    let split = |x: Tensor<3>| {
        let [_, steps, _] = x.dims();
        x.reshape([batch, steps, heads, d_head]).swap_dims(1, 2) // [batch, heads, steps, d_head]
    };
    let q = split(q) / (d_head as f64).sqrt();
    let scores = q.matmul(split(k).transpose()); // [batch, heads, queries, steps]
    let [_, _, _, steps] = scores.dims();
    let mask = mask_pad.clone().reshape([batch, 1, 1, steps]).expand(scores.dims());
    let weights = softmax(scores.mask_fill(mask, FORBIDDEN), 3);
    let weights = match dropout {
        Some(masks) => masks.apply_to_weights(weights, lengths),
        None => weights,
    };
    weights.matmul(split(v)).swap_dims(1, 2).reshape(dims)
}
