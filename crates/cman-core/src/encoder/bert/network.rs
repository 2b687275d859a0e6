//! The network: embeddings and blocks of attention and feed-forward layers (Vaswani et al. 2017; Devlin et al. 2019).
//!
//! Everything but the attention works on single pieces, so the pieces of a batch lie behind each other without padding,
//! and only the attention sees which belong together.

use burn::{
    module::{Module, Param},
    nn::{LayerNorm, LayerNormConfig, Linear, LinearConfig},
    tensor::{
        Device, Int, Tensor, TensorData,
        activation::{gelu, gelu_approximate, relu, softmax},
    },
};

use super::{Activation, BertConfig};
use crate::{
    kernels,
    mask::{FORBIDDEN, mask_pad},
    mode::Mode,
};

/// The weights of a BERT, RoBERTa or DistilBERT.
#[derive(Module, Debug)]
pub struct BertNetwork {
    /// Vectors of the pieces `[vocabulary, width]`.
    pub words: Param<Tensor<2>>,
    /// Vectors of the positions `[positions, width]`.
    pub positions: Param<Tensor<2>>,
    /// Vectors of the token types `[types, width]`; a single sentence is of type 0.
    pub types: Option<Param<Tensor<2>>>,
    /// Normalises the sum of these.
    pub norm: LayerNorm,
    /// The blocks.
    pub blocks: Vec<Block>,
    first_position: usize,
    dropout: f64,
}

/// Self-attention and a feed-forward part, each with a residual connection and a normalisation behind it.
#[derive(Module, Debug)]
pub struct Block {
    /// Queries.
    pub query: Linear,
    /// Keys.
    pub key: Linear,
    /// Values.
    pub value: Linear,
    /// Behind the heads.
    pub output: Linear,
    /// Behind the attention.
    pub attention_norm: LayerNorm,
    /// Into the feed-forward part.
    pub rise: Linear,
    /// Out of it.
    pub fall: Linear,
    /// Behind the feed-forward part.
    pub feed_forward_norm: LayerNorm,
    heads: usize,
    dropout: f64,
    attention_dropout: f64,
    #[module(skip)]
    activation: Activation,
}

/// Windows of pieces behind each other.
#[derive(Debug)]
pub(super) struct Packed {
    /// Ids `[pieces]`.
    pub ids: Vec<u32>,
    /// For each sentence the pieces of its windows.
    pub windows: Vec<Vec<usize>>,
}

/// How packed rows become a padded batch and back.
struct Layout<'a> {
    /// For each sentence the pieces of its windows.
    sentences: &'a [Vec<usize>],
    /// For each place of the padded batch its row, 0 at padding. `[windows * longest]`
    pad: Tensor<1, Int>,
    /// For each row its place. `[pieces]`
    unpad: Tensor<1, Int>,
    /// What is added to the scores of a key: nothing, or at padding so little that it gets no weight.
    /// `[windows, 1, 1, longest]`
    mask: Tensor<4>,
    windows: usize,
    longest: usize,
}

impl<'a> Layout<'a> {
    fn new(sentences: &'a [Vec<usize>], device: &Device) -> Self {
        let lengths = &sentences.concat();
        let (windows, longest) = (lengths.len(), lengths.iter().copied().max().unwrap_or(0));
        let (mut pad, mut unpad) = (vec![0i64; windows * longest], Vec::new());
        for (window, &length) in lengths.iter().enumerate() {
            let start = window * longest;
            for (i, row) in pad[start..start + length].iter_mut().enumerate() {
                *row = unpad.len() as i64;
                unpad.push((start + i) as i64);
            }
        }
        let ints = |x: Vec<i64>| {
            let n = x.len();
            Tensor::from_data(TensorData::new(x, [n]), device)
        };
        let is_pad = mask_pad(lengths, longest, device).reshape([windows, 1, 1, longest]);
        let mask = Tensor::zeros([windows, 1, 1, longest], device).mask_fill(is_pad, FORBIDDEN);
        Self { sentences, pad: ints(pad), unpad: ints(unpad), mask, windows, longest }
    }

    /// Dropout of packed rows.
    fn drop_rows(&self, x: Tensor<2>, rate: f64, mode: Mode) -> Tensor<2> {
        let [_, width] = x.dims();
        let mut end = 0;
        let runs = self.sentences.iter().map(|windows| {
            let start = end;
            end += windows.iter().sum::<usize>() * width;
            Some(start..end)
        });
        mode.dropout_runs(x, runs, rate)
    }

    /// Dropout of attention weights `[windows, heads, longest, longest]`.
    fn drop_weights(&self, weights: Tensor<4>, rate: f64, mode: Mode) -> Tensor<4> {
        let ([_, heads, ..], longest) = (weights.dims(), self.longest);
        let mut first = 0;
        let runs = self.sentences.iter().map(|windows| {
            let places = first..;
            first += windows.len();
            places.zip(windows).flat_map(move |(window, &pieces)| {
                let rows = (0..heads).flat_map(move |head| (0..pieces).map(move |row| (head, row)));
                rows.map(move |(head, row)| {
                    let start = ((window * heads + head) * longest + row) * longest;
                    start..start + pieces
                })
            })
        });
        mode.dropout_runs(weights, runs, rate)
    }
}

impl BertNetwork {
    /// A network whose weights are still to be read: all zero.
    pub(super) fn zero(config: &BertConfig, device: &Device) -> Self {
        let table = |rows| Param::from_tensor(Tensor::zeros([rows, config.width], device));
        Self {
            words: table(config.vocabulary),
            positions: table(config.positions),
            types: (config.token_types > 0).then(|| table(config.token_types)),
            norm: norm(config, device),
            blocks: (0..config.blocks).map(|_| Block::zero(config, device)).collect(),
            first_position: config.first_position,
            dropout: config.dropout,
        }
    }

    /// The vectors of every layer, the embeddings first, each `[pieces, width]`.
    pub(super) fn layers(&self, packed: &Packed, mode: Mode) -> Vec<Tensor<2>> {
        let device = self.words.device();
        let n = packed.ids.len();
        let ints = |x: Vec<i64>| Tensor::<1, Int>::from_data(TensorData::new(x, [n]), &device);
        let ids = ints(packed.ids.iter().map(|&id| i64::from(id)).collect());
        let positions = packed.windows.iter().flatten().flat_map(|&length| 0..length);
        let positions = ints(positions.map(|place| (self.first_position + place) as i64).collect());
        let mut x = self.words.val().select(0, ids) + self.positions.val().select(0, positions);
        if let Some(types) = &self.types {
            x = x + types.val().narrow(0, 0, 1);
        }
        let layout = Layout::new(&packed.windows, &device);
        let mut layers = vec![layout.drop_rows(self.norm.forward(x), self.dropout, mode.at("embeddings"))];
        for (i, block) in self.blocks.iter().enumerate() {
            let x = layers.last().expect("the embeddings").clone();
            layers.push(block.forward(x, &layout, mode.at("block").with(i)));
        }
        layers
    }
}

impl Block {
    fn zero(config: &BertConfig, device: &Device) -> Self {
        let linear = |d_input, d_output| -> Linear {
            let mut linear = LinearConfig::new(d_input, d_output).init(device);
            linear.weight = Param::from_tensor(Tensor::zeros([d_input, d_output], device));
            linear.bias = Some(Param::from_tensor(Tensor::zeros([d_output], device)));
            linear
        };
        let (width, inner) = (config.width, config.feed_forward);
        Self {
            query: linear(width, width),
            key: linear(width, width),
            value: linear(width, width),
            output: linear(width, width),
            attention_norm: norm(config, device),
            rise: linear(width, inner),
            fall: linear(inner, width),
            feed_forward_norm: norm(config, device),
            heads: config.heads,
            dropout: config.dropout,
            attention_dropout: config.attention_dropout,
            activation: config.activation,
        }
    }

    /// `[pieces, width]` -> `[pieces, width]`
    fn forward(&self, x: Tensor<2>, layout: &Layout, mode: Mode) -> Tensor<2> {
        let attended = self.output.forward(self.attend(x.clone(), layout, mode));
        let x = self.attention_norm.forward(x + layout.drop_rows(attended, self.dropout, mode.at("attended")));
        let inner = self.rise.forward(x.clone());
        let inner = match self.activation {
            Activation::Gelu if kernels::on_host(inner.device(), inner.dtype()) => kernels::gelu(inner),
            Activation::Gelu => gelu(inner),
            Activation::GeluTanh => gelu_approximate(inner),
            Activation::Relu => relu(inner),
        };
        let inner = layout.drop_rows(self.fall.forward(inner), self.dropout, mode.at("inner"));
        self.feed_forward_norm.forward(x + inner)
    }

    /// `softmax(Q K^T / sqrt(d)) V` in every head.
    fn attend(&self, x: Tensor<2>, layout: &Layout, mode: Mode) -> Tensor<2> {
        let [_, width] = x.dims();
        let &Layout { windows, longest, .. } = layout;
        let d_head = width / self.heads;
        // [pieces, width] -> [windows, heads, longest, d_head]
        let split = |x: Tensor<2>| {
            let padded = x.select(0, layout.pad.clone());
            padded.reshape([windows, longest, self.heads, d_head]).swap_dims(1, 2)
        };
        let query = split(self.query.forward(x.clone()) * (1.0 / (d_head as f64).sqrt()));
        let (key, value) = (split(self.key.forward(x.clone())), split(self.value.forward(x)));
        let scores = query.matmul(key.swap_dims(2, 3)) + layout.mask.clone();
        let weights = layout.drop_weights(softmax(scores, 3), self.attention_dropout, mode.at("attention"));
        let values = weights.matmul(value).swap_dims(1, 2); // [windows, longest, heads, d_head]
        values.reshape([windows * longest, width]).select(0, layout.unpad.clone())
    }
}

fn norm(config: &BertConfig, device: &Device) -> LayerNorm {
    LayerNormConfig::new(config.width).with_epsilon(config.epsilon).init(device)
}
