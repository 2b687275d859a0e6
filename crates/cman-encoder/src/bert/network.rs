//! The network: embeddings and blocks of attention and feed-forward layers (Vaswani et al. 2017; Devlin et al. 2019).

use burn::{
    module::{Module, Param},
    tensor::{
        Device, Tensor,
        activation::{gelu_approximate, relu},
    },
};
use burn_ragged::{
    LayerNorm, Layout, Linear, Mode, Ragged,
    attention::{AttentionInput, attention},
    gather::gather,
    gelu::gelu,
};

use super::{Activation, BertConfig, window_batch::WindowBatch};

/// The weights of a BERT, RoBERTa or DistilBERT.
#[derive(Module, Debug)]
pub struct BertNetwork {
    /// Embeddings of the pieces `[vocabulary, width]`.
    pub words: Param<Tensor<2>>,
    /// Embeddings of the positions `[positions, width]`.
    pub positions: Param<Tensor<2>>,
    /// Embeddings of the token types `[types, width]`. All pieces have type 0.
    pub types: Option<Param<Tensor<2>>>,
    /// Normalises the sum of the embeddings.
    pub norm: LayerNorm,
    /// The blocks.
    pub blocks: Vec<Block>,
    first_position: usize,
    dropout: f64,
}

/// Self-attention and a feed-forward network, each followed by a residual connection and a normalisation.
#[derive(Module, Debug)]
pub struct Block {
    /// Projection to queries.
    pub query: Linear,
    /// Projection to keys.
    pub key: Linear,
    /// Projection to values.
    pub value: Linear,
    /// Projection of the concatenated heads.
    pub output: Linear,
    /// Normalisation after the attention.
    pub attention_norm: LayerNorm,
    /// First layer of the feed-forward network, to the inner width.
    pub intermediate: Linear,
    /// Second layer of the feed-forward network, back to the width of the block.
    pub feed_forward_output: Linear,
    /// Normalisation after the feed-forward network.
    pub feed_forward_norm: LayerNorm,
    heads: usize,
    dropout: f64,
    attention_dropout: f64,
    #[module(skip)]
    activation: Activation,
}

impl BertNetwork {
    /// A network of zeros, whose weights are read later.
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

    /// The same network without gradients for the lowest `n` layers; the embeddings are the first. Their dropout still
    /// applies.
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

    /// The vectors of every layer, the embeddings first: `[windows, longest, width]` each. Values at padding are
    /// unspecified.
    pub(super) fn layers(&self, batch: &WindowBatch, mode: Mode) -> Vec<Ragged> {
        let (device, [_, width]) = (self.words.device(), self.words.dims());
        let layout = Layout::new(batch.ids.iter().map(Vec::len).collect());
        let (n_windows, longest) = (layout.batch_size(), layout.steps());
        let ids = layout.pad(batch.ids.iter().map(Vec::as_slice), &device);
        let words = gather(self.words.val(), ids.reshape([n_windows * longest]));
        let mut x = words.reshape([n_windows, longest, width])
            + self.positions.val().narrow(0, self.first_position, longest).unsqueeze::<3>();
        if let Some(types) = &self.types {
            x = x + types.val().narrow(0, 0, 1).unsqueeze::<3>();
        }
        let x = Ragged::new(self.norm.forward(x), layout);
        let mut layers = vec![dropout(x, &batch.counts, self.dropout, mode.at("embeddings"))];
        for (i, block) in self.blocks.iter().enumerate() {
            let x = layers.last().expect("the embeddings").clone();
            layers.push(block.forward(x, &batch.counts, mode.at("block").with(i)));
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
            intermediate: linear(width, inner),
            feed_forward_output: linear(inner, width),
            feed_forward_norm: norm(config, device),
            heads: config.heads,
            dropout: config.dropout,
            attention_dropout: config.attention_dropout,
            activation: config.activation,
        }
    }

    /// `counts` is the number of windows per sentence.
    ///
    /// # Shapes
    /// - x, output: `[windows, longest, width]`
    fn forward(&self, x: Ragged, counts: &[usize], mode: Mode) -> Ragged {
        let [query, key, value] = [&self.query, &self.key, &self.value].map(|linear| linear.forward(x.clone()));
        let masks = mode.at("attention").masks_of_parts(counts, self.attention_dropout);
        let attended = attention(AttentionInput { query, key, value }, self.heads, masks.as_ref());
        let attended = dropout(self.output.forward(attended), counts, self.dropout, mode.at("attended"));
        let x = self.attention_norm.residual(x, attended);
        let inner = self.intermediate.forward(x.clone()); // [windows, longest, feed_forward]
        let inner = match self.activation {
            Activation::Gelu => gelu(inner),
            Activation::GeluTanh => inner.map(gelu_approximate),
            Activation::Relu => inner.map(relu),
        };
        let inner = dropout(self.feed_forward_output.forward(inner), counts, self.dropout, mode.at("inner"));
        self.feed_forward_norm.residual(x, inner)
    }
}

/// Dropout on windows. The masks depend on the sentence and on the index of the window in it.
fn dropout(x: Ragged, counts: &[usize], rate: f64, mode: Mode) -> Ragged {
    match mode.masks_of_parts(counts, rate) {
        Some(masks) => masks.apply(x),
        None => x,
    }
}

fn norm(config: &BertConfig, device: &Device) -> LayerNorm {
    LayerNorm::new(config.width, config.epsilon, device)
}
