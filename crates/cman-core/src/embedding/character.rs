//! Character embeddings: a word's spelling, encoded by a BiLSTM over its characters (section 3.1).

use burn::{
    module::{Module, Param},
    tensor::{Int, Tensor, TensorData},
};
use serde::{Deserialize, Serialize};

use super::look_up;
use crate::{
    batch::TokenBatch,
    gather::gather,
    init::Init,
    linear::Linear,
    lstm::BiLstm,
    mask::{FORBIDDEN, mask_pad},
};

/// Which encoder reads the characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CharacterKind {
    /// A BiLSTM; the word is its two final states.
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
    /// Width of the encoded word (paper: 128); even for the BiLSTM, half for each direction.
    pub width: usize,
}

impl Default for CharacterConfig {
    fn default() -> Self {
        Self { kind: CharacterKind::Bilstm, embedding: 25, width: 128 }
    }
}

/// Encodes the characters of each distinct word of a batch.
#[derive(Module, Debug)]
pub struct CharacterEncoder {
    /// Vectors of the characters `[characters, embedding]`.
    pub embedding: Param<Tensor<2>>,
    /// The BiLSTM, if that is the encoder.
    pub lstm: Option<BiLstm>,
    /// The convolution over three characters, if that is the encoder: `[3 embedding, width]`.
    pub convolution: Option<Linear>,
}

impl CharacterEncoder {
    /// New weights for an alphabet of `n_characters`; none if the configuration wants no characters.
    pub fn new(n_characters: usize, config: &CharacterConfig, init: Init) -> Option<Self> {
        let embedding = init.at("embedding").uniform([n_characters, config.embedding], 0.25);
        let lstm = || BiLstm::new(config.embedding, config.width / 2, init.at("lstm"));
        let convolution = || init.at("convolution").linear(3 * config.embedding, config.width, true);
        match config.kind {
            CharacterKind::Bilstm => Some(Self { embedding, lstm: Some(lstm()), convolution: None }),
            CharacterKind::Cnn => Some(Self { embedding, lstm: None, convolution: Some(convolution()) }),
            CharacterKind::None => None,
        }
    }

    /// # Shapes
    /// - output: `[batch, steps, width]`; padding holds some word's vector
    pub fn forward(&self, batch: &TokenBatch) -> Tensor<3> {
        let characters = &batch.characters;
        let x = look_up(self.embedding.val(), characters.ids.clone()); // [words, characters, embedding]
        let words = match (&self.lstm, &self.convolution) {
            (Some(lstm), _) => final_states(lstm.forward(x, &characters.lengths), &characters.lengths),
            (None, Some(convolution)) => convolve(convolution, x, &characters.lengths),
            (None, None) => unreachable!("one of the two encoders is there from the start"),
        };
        let width = words.dims()[1];
        gather(words, characters.word_of.clone()).reshape([batch.batch_size(), batch.steps(), width])
    }
}

/// Where each direction ends: the forward states at the last character, the backward states at the first.
/// `[words, characters, 2h]` -> `[words, 2h]`
fn final_states(states: Tensor<3>, lengths: &[usize]) -> Tensor<2> {
    let [words, characters, width] = states.dims();
    let device = states.device();
    let rows = |place: fn(usize) -> usize| {
        let rows: Vec<i64> = lengths.iter().enumerate().map(|(w, &n)| (w * characters + place(n)) as i64).collect();
        Tensor::<1, Int>::from_data(TensorData::new(rows, [words]), &device)
    };
    let states = states.reshape([words * characters, width]);
    let last = gather(states.clone(), rows(|n| n - 1)).narrow(1, 0, width / 2);
    let first = gather(states, rows(|_| 0)).narrow(1, width / 2, width / 2);
    Tensor::cat(vec![last, first], 1)
}

/// `max_t tanh(W [x_{t-1}; x_t; x_{t+1}] + b)`, with zeros beyond both ends of the word.
/// `[words, characters, embedding]` -> `[words, width]`
fn convolve(convolution: &Linear, x: Tensor<3>, lengths: &[usize]) -> Tensor<2> {
    let [words, characters, embedding] = x.dims();
    let mask = mask_pad(lengths, characters, &x.device());
    let x = crate::mask::zero_padding(x, &mask);
    let edge = Tensor::zeros([words, 1, embedding], (&x.device(), x.dtype()));
    let before = Tensor::cat(vec![edge.clone(), x.clone()], 1).narrow(1, 0, characters);
    let after = Tensor::cat(vec![x.clone(), edge], 1).narrow(1, 1, characters);
    let y = convolution.forward(Tensor::cat(vec![before, x, after], 2), lengths).tanh();
    let mask = mask.unsqueeze_dim::<3>(2).expand(y.dims());
    y.mask_fill(mask, FORBIDDEN).max_dim(1).squeeze_dim(1)
}
