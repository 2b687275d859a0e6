//! The network: embeddings and blocks of attention and feed-forward layers (Vaswani et al. 2017; Devlin et al. 2019).

use burn::{
    module::{Module, Param},
    tensor::{
        Bool, Device, Int, Tensor,
        activation::{gelu, gelu_approximate, relu},
    },
};

use super::{Activation, BertConfig};
use crate::{
    attention::attend,
    batch::pad,
    gather::gather,
    kernels,
    linear::Linear,
    mask::mask_pad,
    mode::{Masks, Mode},
    norm::LayerNorm,
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

/// The windows of a batch of sentences.
#[derive(Debug)]
pub(super) struct Windows {
    /// Ids of the pieces of each, sentence after sentence.
    pub ids: Vec<Vec<u32>>,
    /// How many each sentence has.
    pub counts: Vec<usize>,
}

/// What the blocks have to know of a padded batch of windows.
struct Layout<'a> {
    /// Pieces of each window.
    lengths: Vec<usize>,
    /// True behind them. `[windows, longest]`
    mask_pad: Tensor<2, Bool>,
    /// Windows of each sentence.
    counts: &'a [usize],
}

impl Windows {
    /// Pieces of the longest.
    pub fn longest(&self) -> usize {
        self.ids.iter().map(Vec::len).max().unwrap_or(0)
    }
}

impl Layout<'_> {
    fn masks(&self, rate: f64, mode: Mode) -> Option<Masks> {
        mode.masks_of_parts(self.counts, rate)
    }

    fn drop(&self, x: Tensor<3>, rate: f64, mode: Mode) -> Tensor<3> {
        match self.masks(rate, mode) {
            Some(masks) => masks.apply(x, &self.lengths),
            None => x,
        }
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

    /// The same network whose lowest `n` layers, the embeddings first, have no gradients (on an autodiff device); their
    /// dropout stays.
    pub fn freeze_lowest(mut self, n: usize) -> Self {
        if n > 0 {
            self.words = self.words.no_grad();
            self.positions = self.positions.no_grad();
            self.types = self.types.no_grad();
            self.norm = self.norm.no_grad();
        }
        let frozen = n.saturating_sub(1);
        let freeze = |(i, block): (usize, Block)| if i < frozen { block.no_grad() } else { block };
        self.blocks = self.blocks.into_iter().enumerate().map(freeze).collect();
        self
    }

    /// The vectors of every layer, the embeddings first, each `[windows, longest, width]`; what stands at padding means
    /// nothing.
    pub(super) fn layers(&self, windows: &Windows, mode: Mode) -> Vec<Tensor<3>> {
        let device = self.words.device();
        let (n_windows, longest, [_, width]) = (windows.ids.len(), windows.longest(), self.words.dims());
        let ids: Tensor<2, Int> = pad(windows.ids.iter().map(Vec::as_slice), longest, &device);
        let words = gather(self.words.val(), ids.reshape([n_windows * longest]));
        let mut x = words.reshape([n_windows, longest, width])
            + self.positions.val().narrow(0, self.first_position, longest).unsqueeze::<3>();
        if let Some(types) = &self.types {
            x = x + types.val().narrow(0, 0, 1).unsqueeze::<3>();
        }
        let lengths: Vec<usize> = windows.ids.iter().map(Vec::len).collect();
        let layout = Layout { mask_pad: mask_pad(&lengths, longest, &device), lengths, counts: &windows.counts };
        let mut layers = vec![layout.drop(self.norm.forward(x), self.dropout, mode.at("embeddings"))];
        for (i, block) in self.blocks.iter().enumerate() {
            let x = layers.last().expect("the embeddings").clone();
            layers.push(block.forward(x, &layout, mode.at("block").with(i)));
        }
        layers
    }
}

impl Block {
    fn zero(config: &BertConfig, device: &Device) -> Self {
        let linear = |d_input, d_output| {
            let weight = Tensor::zeros([d_input, d_output], device);
            let bias = Tensor::zeros([d_output], device);
            Linear::from_weights(Param::from_tensor(weight), Some(Param::from_tensor(bias)))
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

    /// # Shapes
    /// - x, output: `[windows, longest, width]`
    fn forward(&self, x: Tensor<3>, layout: &Layout, mode: Mode) -> Tensor<3> {
        let Layout { lengths, mask_pad, .. } = layout;
        let qkv = [&self.query, &self.key, &self.value].map(|linear| linear.forward(x.clone(), lengths));
        let masks = layout.masks(self.attention_dropout, mode.at("attention"));
        let attended = attend(qkv, self.heads, [lengths; 2], mask_pad, masks.as_ref());
        let attended = self.output.forward(attended, lengths);
        let x = self.attention_norm.residual(x, layout.drop(attended, self.dropout, mode.at("attended")));
        let inner = self.rise.forward(x.clone(), lengths);
        let inner = match self.activation {
            Activation::Gelu if kernels::on_host(inner.device(), inner.dtype()) => kernels::gelu(inner),
            Activation::Gelu => gelu(inner),
            Activation::GeluTanh => gelu_approximate(inner),
            Activation::Relu => relu(inner),
        };
        let inner = layout.drop(self.fall.forward(inner, lengths), self.dropout, mode.at("inner"));
        self.feed_forward_norm.residual(x, inner)
    }
}

fn norm(config: &BertConfig, device: &Device) -> LayerNorm {
    LayerNorm::new(config.width, config.epsilon, device)
}
