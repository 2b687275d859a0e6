//! Character embeddings: the spelling of a word, encoded by a BiLSTM over its characters (section 3.1).

use burn::{
    module::{Module, Param},
    tensor::{Int, Tensor, TensorData},
};
use burn_ragged::{BiLstm, BiLstmConfig, FORBIDDEN, Init, Layout, Linear, Ragged, gather::gather};
use serde::{Deserialize, Serialize};

use super::look_up;
use crate::batch::TokenBatch;

/// Which encoder reads the characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CharacterKind {
    /// A BiLSTM. The vector of the word is its two final states.
    #[default]
    Bilstm,
    /// A convolution over three characters, then the maximum over the word.
    Cnn,
    /// No character embeddings.
    None,
}

/// Settings of the character embeddings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CharacterConfig {
    /// Which encoder reads the characters.
    pub kind: CharacterKind,
    /// Width of one character's vector.
    pub embedding: usize,
    /// Width of the encoded word (paper: 128). Even for the BiLSTM: half per direction.
    pub width: usize,
}

impl Default for CharacterConfig {
    fn default() -> Self {
        Self { kind: CharacterKind::Bilstm, embedding: 25, width: 128 }
    }
}

/// Encodes the characters of each distinct word of a batch.
#[derive(Module, Debug)]
pub enum CharacterEncoder {
    /// A BiLSTM over the characters.
    BiLstm(CharacterBiLstm),
    /// A convolution over the characters.
    Cnn(CharacterCnn),
}

/// Character vectors, and a BiLSTM over them.
#[derive(Module, Debug)]
pub struct CharacterBiLstm {
    /// Vectors of the characters `[characters, embedding]`.
    pub embedding: Param<Tensor<2>>,
    /// The BiLSTM.
    pub lstm: BiLstm,
}

/// Character vectors, and a convolution over three of them.
#[derive(Module, Debug)]
pub struct CharacterCnn {
    /// Vectors of the characters `[characters, embedding]`.
    pub embedding: Param<Tensor<2>>,
    /// The convolution `[3 embedding, width]`.
    pub convolution: Linear,
}

impl CharacterConfig {
    /// New weights for an alphabet of `n_characters`; `None` if there are no character embeddings.
    pub fn init_with(&self, n_characters: usize, init: Init) -> Option<CharacterEncoder> {
        let embedding = init.at("embedding").uniform([n_characters, self.embedding], 0.25);
        match self.kind {
            CharacterKind::Bilstm => {
                let lstm = BiLstmConfig::new(self.embedding, self.width / 2).init_with(init.at("lstm"));
                Some(CharacterEncoder::BiLstm(CharacterBiLstm { embedding, lstm }))
            }
            CharacterKind::Cnn => {
                let convolution = init.at("convolution").linear(3 * self.embedding, self.width, true);
                Some(CharacterEncoder::Cnn(CharacterCnn { embedding, convolution }))
            }
            CharacterKind::None => None,
        }
    }
}

impl CharacterEncoder {
    /// # Shapes
    /// - output: `[batch, steps, width]`; padding holds the vector of some word
    pub fn forward(&self, batch: &TokenBatch) -> Ragged {
        let characters = batch.characters();
        // [words, characters, embedding]
        let embed = |table: &Param<Tensor<2>>| {
            Ragged::new(look_up(table.val(), characters.ids.clone()), characters.layout.clone())
        };
        let words = match self {
            Self::BiLstm(CharacterBiLstm { embedding, lstm }) => final_states(lstm.forward(embed(embedding))),
            Self::Cnn(CharacterCnn { embedding, convolution }) => convolve(convolution, embed(embedding)),
        };
        let (layout, width) = (batch.layout().clone(), words.dims()[1]);
        let vectors = gather(words, characters.word_of.clone());
        Ragged::new(vectors.reshape([layout.batch_size(), layout.steps(), width]), layout)
    }
}

/// The last state of each direction: the forward state at the last character, the backward state at the first.
/// `[words, characters, 2h]` -> `[words, 2h]`
fn final_states(states: Ragged) -> Tensor<2> {
    let (layout, width, device) = (states.layout().clone(), states.width(), states.device());
    let steps = layout.steps();
    let rows = |place: fn(usize) -> usize| {
        let rows: Vec<i64> = layout.lengths().iter().enumerate().map(|(w, &n)| (w * steps + place(n)) as i64).collect();
        Tensor::<1, Int>::from_data(TensorData::new(rows, [layout.batch_size()]), &device)
    };
    let states = states.into_rows();
    let last = gather(states.clone(), rows(|n| n - 1)).narrow(1, 0, width / 2);
    let first = gather(states, rows(|_| 0)).narrow(1, width / 2, width / 2);
    Tensor::cat(vec![last, first], 1)
}

/// `max_t tanh(W [x_{t-1}; x_t; x_{t+1}] + b)`, with zeros outside of the word.
/// `[words, characters, embedding]` -> `[words, width]`
fn convolve(convolution: &Linear, x: Ragged) -> Tensor<2> {
    let layout: Layout = x.layout().clone();
    let (words, characters, embedding) = (layout.batch_size(), layout.steps(), x.width());
    let mask = layout.mask_pad(&x.device());
    let x = x.zero_padding().into_values();
    let edge = Tensor::zeros([words, 1, embedding], (&x.device(), x.dtype()));
    let before = Tensor::cat(vec![edge.clone(), x.clone()], 1).narrow(1, 0, characters);
    let after = Tensor::cat(vec![x.clone(), edge], 1).narrow(1, 1, characters);
    let x = Ragged::new(Tensor::cat(vec![before, x, after], 2), layout);
    let y = convolution.forward(x).into_values().tanh();
    let mask = mask.unsqueeze_dim::<3>(2).expand(y.dims());
    y.mask_fill(mask, FORBIDDEN).max_dim(1).squeeze_dim(1)
}
