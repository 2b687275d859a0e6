//! Multi-head attention (section 3.2, eqs. 2 and 3).

use burn::{
    module::Module,
    nn::Linear,
    tensor::{Bool, Tensor, activation::softmax},
};

use crate::{init::Init, linear::each_token, mask::FORBIDDEN};

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

    /// Every query attends to the keys of its own sentence that are no padding.
    ///
    /// # Shapes
    /// - query: `[batch, steps, d_model]`
    /// - keys: `[batch, steps, d_model]`, which are the values as well
    /// - mask_pad: `[batch, steps]`, true at padding
    /// - output: `[batch, steps, d_model]`
    pub fn forward(&self, query: Tensor<3>, keys: Tensor<3>, mask_pad: &Tensor<2, Bool>) -> Tensor<3> {
        let [batch, steps, d_model] = query.dims();
        let d_head = d_model / self.n_heads;
        let split = |x: Tensor<3>| x.reshape([batch, steps, self.n_heads, d_head]).swap_dims(1, 2);
        let q = split(each_token(&self.query, query)) / (d_head as f64).sqrt(); // [batch, heads, steps, d_head]
        let k = split(each_token(&self.key, keys.clone()));
        let v = split(each_token(&self.value, keys));
        let scores = q.matmul(k.transpose()); // [batch, heads, steps, steps]
        let mask = mask_pad.clone().reshape([batch, 1, 1, steps]).expand(scores.dims());
        let weights = softmax(scores.mask_fill(mask, FORBIDDEN), 3);
        let heads = weights.matmul(v).swap_dims(1, 2).reshape([batch, steps, d_model]);
        each_token(&self.output, heads)
    }
}
