//! ELMo (Peters et al. 2018): token vectors from the layers of a character-based bidirectional language model.

mod character_cnn;
mod characters;
mod files;
mod input;
mod language_model;
mod memory;
mod options;
mod state;
mod tensors;
mod weights;
mod word_cache;

use std::{cmp::Reverse, path::Path};

use burn::tensor::Device;
use burn_ragged::parallel::for_each;

use self::{
    character_cnn::CharacterCnn, input::Input, language_model::LanguageModel, state::States, word_cache::WordCache,
};
use crate::{contextual::ContextualEncoder, error::EncoderError};

pub use state::ElmoState;

/// Largest number of sentences per batch.
const SENTENCES_PER_BATCH: usize = 64;

/// Largest number of tokens per batch, unless a single sentence has more.
const TOKENS_PER_BATCH: usize = 8192;

/// Default size of the word cache.
const CACHED_WORDS: usize = 65_536;

/// A published ELMo model, frozen.
///
/// Layer 0 of a token is its character vector, repeated twice. Layer `l` is the concatenation of the forward and the
/// backward state of layer `l` of the language model (Peters et al. 2018, section 3.2). The model reads each sentence
/// between two boundary marks, whose vectors are not returned.
///
/// ```no_run
/// use burn::tensor::Device;
/// use cman_encoder::Elmo;
///
/// let elmo = Elmo::load("options.json".as_ref(), "weights.hdf5".as_ref(), &Device::default())?;
/// let vectors = elmo.encode(&[&["Ada", "Lovelace", "lived", "in", "London", "."]]);
/// assert_eq!(vectors[0].len(), 6 * elmo.n_layers() * elmo.width());
/// # Ok::<(), cman_encoder::EncoderError>(())
/// ```
#[derive(Debug)]
pub struct Elmo {
    characters: CharacterCnn,
    word_cache: WordCache,
    max_characters: usize,
    language_model: LanguageModel,
}

impl Elmo {
    /// Loads a published model from its `options.json` and its weights. The weights are a published `*.hdf5` or a file
    /// that [`convert`](Self::convert) wrote.
    ///
    /// # Errors
    /// If a file cannot be read or is damaged, if it lacks a tensor, or if the two files contradict each other.
    pub fn load(options: &Path, weights: &Path, device: &Device) -> Result<Self, EncoderError> {
        let (options, weights) = files::open(options, weights)?;
        Ok(Self {
            characters: CharacterCnn::load(&options, &weights, device)?,
            word_cache: WordCache::new(CACHED_WORDS),
            max_characters: options.char_cnn.max_characters_per_token,
            language_model: LanguageModel::load(&options, &weights, device)?,
        })
    }

    /// Loads the model in a directory: the [`files`](Self::files) of it.
    ///
    /// # Errors
    /// Those of [`files`](Self::files) and of [`load`](Self::load).
    pub fn load_dir(dir: &Path, device: &Device) -> Result<Self, EncoderError> {
        let [options, weights] = Self::files(dir)?;
        Self::load(&options, &weights, device)
    }

    /// The same model with a cache of at most `n_words` word vectors. The default is 65,536; 0 disables the cache.
    pub fn with_word_cache(mut self, n_words: usize) -> Self {
        self.word_cache = WordCache::new(n_words);
        self
    }

    /// Number of layers: the character vector and the layers of the language model.
    pub fn n_layers(&self) -> usize {
        1 + self.language_model.sizes.n_layers
    }

    /// Width of a layer's vector, which holds both directions.
    pub fn width(&self) -> usize {
        2 * self.language_model.sizes.d_state
    }

    /// Token vectors of every layer, per sentence: `[tokens, n_layers, width]` in row-major order.
    ///
    /// The vectors of a sentence do not depend on the other sentences, except for rounding. Beyond the result, the only
    /// memory that grows with the sentences is one index per token and the vectors of the distinct words. Only the
    /// first 48 bytes of a token are read (in the published models).
    pub fn encode<S: AsRef<str>>(&self, sentences: &[&[S]]) -> Vec<Vec<f32>> {
        let input = self.input(sentences);
        let order = longest_first(sentences);
        let mut batches = Vec::new();
        let mut rest = &order[..];
        while let Some(longest) = rest.first() {
            let n = SENTENCES_PER_BATCH.min(TOKENS_PER_BATCH / input.words[*longest].len()).clamp(1, rest.len());
            let (batch, others) = rest.split_at(n);
            batches.push((batch, Vec::new()));
            rest = others;
        }
        let tasks = batches.iter_mut().collect();
        for_each(self.language_model.is_parallel, tasks, |(places, vectors): &mut (&[usize], Vec<Vec<f32>>)| {
            *vectors = self.run(&input, places, &mut self.language_model.sizes.zeros(places.len()));
        });
        let mut vectors = vec![Vec::new(); sentences.len()];
        for (places, of_batch) in batches {
            for (&place, of_sentence) in places.iter().zip(of_batch) {
                vectors[place] = of_sentence;
            }
        }
        vectors
    }

    /// [`encode`](Self::encode) with states that carry over: a sentence starts from the final state of the sentence at
    /// the same place in the batch before. The published code does so when it runs over a corpus. A place without a
    /// state starts from zero. An empty sentence does not change the state of its place.
    ///
    /// # Panics
    /// If the state belongs to a model of other sizes.
    pub fn encode_with_state<S: AsRef<str>>(&self, sentences: &[&[S]], state: &mut ElmoState) -> Vec<Vec<f32>> {
        let input = self.input(sentences);
        let order = longest_first(sentences);
        state.grow(self.language_model.sizes, sentences.len());
        let mut states = self.language_model.sizes.zeros(order.len());
        state.read(&mut states, &order);
        let of_batch = self.run(&input, &order, &mut states);
        state.write(&mut states, &order);
        let mut vectors = vec![Vec::new(); sentences.len()];
        for (place, of_sentence) in order.into_iter().zip(of_batch) {
            vectors[place] = of_sentence;
        }
        vectors
    }

    fn input<S: AsRef<str>>(&self, sentences: &[&[S]]) -> Input {
        Input::new(sentences, self.max_characters, &self.word_cache, &self.characters)
    }

    /// The vectors of the sentences at `places`, which are sorted from the longest to the shortest; so are their
    /// states.
    fn run(&self, input: &Input, places: &[usize], states: &mut States) -> Vec<Vec<f32>> {
        let sentences: Vec<&[usize]> = places.iter().map(|&place| &input.words[place][..]).collect();
        self.language_model.run(&sentences, &input.vectors, states)
    }
}

impl ContextualEncoder for Elmo {
    fn n_layers(&self) -> usize {
        self.n_layers()
    }

    fn width(&self) -> usize {
        self.width()
    }

    fn encode(&self, sentences: &[&[String]]) -> Result<Vec<Vec<f32>>, EncoderError> {
        Ok(self.encode(sentences))
    }
}

/// The places of the non-empty sentences, from the longest to the shortest.
fn longest_first<S>(sentences: &[&[S]]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..sentences.len()).filter(|&place| !sentences[place].is_empty()).collect();
    order.sort_by_key(|&place| Reverse(sentences[place].len()));
    order
}
