//! The definition of attention in burn operations.

use burn::tensor::{Tensor, activation::softmax};

use super::AttentionInput;
use crate::{
    dropout::DropoutMasks,
    ragged::{FORBIDDEN, Ragged},
};

/// [`attention`](super::attention) in burn operations, on any device.
pub fn attention_reference(input: AttentionInput, heads: usize, dropout: Option<&DropoutMasks>) -> Ragged {
    let AttentionInput { query, key, value } = input;
    let (queries, keys) = (query.layout().clone(), key.layout().clone());
    let dims @ [batch, _, d_model] = query.values().dims();
    let d_head = d_model / heads;
    let split = |x: Ragged| {
        let steps = x.layout().steps();
        x.into_values().reshape([batch, steps, heads, d_head]).swap_dims(1, 2) // [batch, heads, steps, d_head]
    };
    let mask = keys.mask_pad(&query.device()).reshape([batch, 1, 1, keys.steps()]);
    let q = split(query) / (d_head as f64).sqrt();
    let scores = q.matmul(split(key).transpose()); // [batch, heads, queries, keys]
    let mask = mask.expand(scores.dims());
    let weights: Tensor<4> = softmax(scores.mask_fill(mask, FORBIDDEN), 3);
    let weights = match dropout {
        Some(masks) => masks.apply_to_weights(weights, &queries, &keys),
        None => weights,
    };
    Ragged::new(weights.matmul(split(value)).swap_dims(1, 2).reshape(dims), queries)
}
