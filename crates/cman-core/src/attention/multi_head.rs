//! Multi-head attention (section 3.2, eqs. 2 and 3).

use burn::{config::Config, module::Module, tensor::Device};
use burn_ragged::{
    Init, Linear, Ragged,
    attention::{AttentionInput, attention},
};

/// Settings of [`MultiHeadAttention`].
#[derive(Config, Debug)]
pub struct MultiHeadAttentionConfig {
    /// Width of the features (the paper's 2d).
    pub d_model: usize,
    /// Number of heads (the paper's z), a divisor of `d_model`.
    pub n_heads: usize,
    /// Whether the projections have biases.
    #[config(default = false)]
    pub bias: bool,
}

/// `head_i = softmax((Q W_i^Q)(K W_i^K)^T / sqrt(2d/z)) (V W_i^V)` (eq. 2),
/// `T = Concat(head_1, .., head_z) W^o` (eq. 3).
///
/// `W_i^Q` is the i-th block of columns of `query`; keys and values likewise.
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

impl MultiHeadAttentionConfig {
    /// New weights, drawn from seed 0.
    ///
    /// # Panics
    /// If `n_heads` does not divide `d_model`.
    pub fn init(&self, device: &Device) -> MultiHeadAttention {
        self.init_with(Init::new(0, device))
    }

    /// New weights.
    ///
    /// # Panics
    /// If `n_heads` does not divide `d_model`.
    pub fn init_with(&self, init: Init) -> MultiHeadAttention {
        let &Self { d_model, n_heads, bias } = self;
        assert!(n_heads > 0 && d_model.is_multiple_of(n_heads), "{n_heads} heads must divide the width {d_model}");
        let linear = |site| init.at(site).linear(d_model, d_model, bias);
        MultiHeadAttention {
            query: linear("query"),
            key: linear("key"),
            value: linear("value"),
            output: linear("output"),
            n_heads,
        }
    }
}

impl MultiHeadAttention {
    /// Every query attends to the keys of its own sentence, which are also the values.
    ///
    /// # Shapes
    /// - query: `[batch, queries, d_model]`
    /// - keys: `[batch, steps, d_model]`
    /// - output: `[batch, queries, d_model]`; values at padding are unspecified
    pub fn forward(&self, query: Ragged, keys: Ragged) -> Ragged {
        let input = AttentionInput {
            query: self.query.forward(query),
            key: self.key.forward(keys.clone()),
            value: self.value.forward(keys),
        };
        self.output.forward(attention(input, self.n_heads, None))
    }
}
