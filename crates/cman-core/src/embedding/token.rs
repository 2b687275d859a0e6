//! The input of each token: word, character and contextual embeddings, concatenated (section 3.1).

use burn::module::Module;
use burn_ragged::{Init, Ragged};

use super::{CharacterConfig, CharacterEncoder, ContextualConfig, LayerMixer, WordConfig, WordEmbedding};
use crate::batch::TokenBatch;

/// Settings of a [`TokenEmbedding`].
#[derive(Clone, Copy, Debug)]
pub struct TokenEmbeddingConfig<'a> {
    /// Word embeddings.
    pub word: &'a WordConfig,
    /// Character embeddings.
    pub character: &'a CharacterConfig,
    /// Contextual input.
    pub contextual: &'a ContextualConfig,
}

/// `X`, `d_w` values per token.
#[derive(Module, Debug)]
pub struct TokenEmbedding {
    /// Word embeddings.
    pub word: WordEmbedding,
    /// Character embeddings.
    pub character: Option<CharacterEncoder>,
    /// The mix of a contextual encoder's layers.
    pub contextual: Option<LayerMixer>,
}

impl TokenEmbeddingConfig<'_> {
    /// New weights for a vocabulary of `n_words` training words and `n_characters` characters.
    pub fn init_with(&self, n_words: usize, n_characters: usize, init: Init) -> TokenEmbedding {
        TokenEmbedding {
            word: self.word.init_with(n_words, init.at("word")),
            character: self.character.init_with(n_characters, init.at("character")),
            contextual: self.contextual.init_with(init.at("contextual")),
        }
    }
}

impl TokenEmbedding {
    /// # Shapes
    /// - output: `[batch, steps, d_w]`
    ///
    /// # Panics
    /// If the model takes contextual vectors and the batch has none.
    pub fn forward(&self, batch: &TokenBatch) -> Ragged {
        let layout = batch.layout();
        let mut parts = vec![Ragged::new(self.word.forward(batch.words().clone()), layout.clone())];
        parts.extend(self.character.as_ref().map(|encoder| encoder.forward(batch)));
        parts.extend(self.contextual.as_ref().map(|mix| {
            let layers = batch.contextual().expect("the batch has the contextual vectors that the model takes");
            Ragged::new(mix.forward(layers.clone()), layout.clone())
        }));
        Ragged::cat(parts)
    }
}
