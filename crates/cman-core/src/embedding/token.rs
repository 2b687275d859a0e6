//! The input of each token: word, character and contextual embeddings, concatenated (section 3.1).

use burn::{module::Module, tensor::Tensor};

use super::{CharacterEncoder, ScalarMix, WordEmbedding};
use crate::{batch::TokenBatch, init::Init, model::ModelConfig};

/// `X`, `d_w` numbers a token.
#[derive(Module, Debug)]
pub struct TokenEmbedding {
    /// Word embeddings.
    pub word: WordEmbedding,
    /// Character embeddings.
    pub character: Option<CharacterEncoder>,
    /// The mix of a contextual encoder's layers.
    pub contextual: Option<ScalarMix>,
}

impl TokenEmbedding {
    /// New weights for a vocabulary of `n_words` training words and `n_characters` characters.
    pub fn new(config: &ModelConfig, n_words: usize, n_characters: usize, init: Init) -> Self {
        Self {
            word: WordEmbedding::new(n_words, &config.word, init.at("word")),
            character: CharacterEncoder::new(n_characters, &config.character, init.at("character")),
            contextual: ScalarMix::new(&config.contextual, init.at("contextual")),
        }
    }

    /// # Shapes
    /// - output: `[batch, steps, d_w]`
    ///
    /// # Panics
    /// If the model takes contextual vectors and the batch has none.
    pub fn forward(&self, batch: &TokenBatch) -> Tensor<3> {
        let mut parts = vec![self.word.forward(batch.words.clone())];
        parts.extend(self.character.as_ref().map(|encoder| encoder.forward(batch)));
        parts.extend(self.contextual.as_ref().map(|mix| {
            mix.forward(batch.contextual.clone().expect("the batch carries the contextual vectors the model takes"))
        }));
        Tensor::cat(parts, 2)
    }
}
