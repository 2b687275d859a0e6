//! ELMo (Peters et al. 2018): the layers of a character-based bidirectional language model as token vectors.

mod character_cnn;
mod characters;
mod lstm;
mod options;
mod tensors;
mod weights;
mod words;

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use burn::tensor::{DType, Device};

use self::{
    character_cnn::CharacterCnn,
    characters::BOUNDARIES,
    lstm::{Direction, LayerState},
    options::Options,
    weights::Weights,
    words::WordCache,
};
use super::{EncoderError, hash::hash_files};
use crate::kernels::{for_each, join, on_host};

/// Sentences that run together, at most.
const SENTENCES: usize = 64;

/// Tokens that run together, unless a single sentence has more.
const TOKENS: usize = 8192;

/// Words whose vectors are kept.
const CACHED_WORDS: usize = 65_536;

/// Names of the files in a directory that [`Elmo::convert`] wrote.
const OPTIONS: &str = "options.json";
const WEIGHTS: &str = "weights.safetensors";

/// A published ELMo model, frozen.
///
/// A token's vector of layer 0 is that of its characters, twice; of layer `l` it is the forward state beside the
/// backward state of layer `l` of the language model (Peters et al. 2018, section 3.2). Each sentence stands between
/// the marks of its boundaries, whose vectors are not given out.
///
/// ```no_run
/// use burn::tensor::Device;
/// use cman_core::encoder::Elmo;
///
/// let elmo = Elmo::load("options.json".as_ref(), "weights.hdf5".as_ref(), &Device::default())?;
/// let vectors = elmo.encode(&[&["Ada", "Lovelace", "lived", "in", "London", "."]]);
/// assert_eq!(vectors[0].len(), 6 * elmo.n_layers() * elmo.width());
/// # Ok::<(), cman_core::encoder::EncoderError>(())
/// ```
#[derive(Debug)]
pub struct Elmo {
    characters: CharacterCnn,
    directions: [Direction; 2],
    words: WordCache,
    max_characters: usize,
    n_lstm_layers: usize,
    d_state: usize,
    d_cell: usize,
    is_parallel: bool,
}

/// What [`Elmo::encode_with_state`] carries from one batch to the next: a state for each place of the batch.
#[derive(Clone, Debug, Default)]
pub struct ElmoState {
    n_places: usize,
    directions: [Vec<LayerState>; 2],
}

impl Elmo {
    /// Loads a published model: its `options.json` and its weights, `*.hdf5` or what [`convert`](Self::convert) made.
    ///
    /// # Errors
    /// If a file cannot be read or is damaged, lacks a tensor, or the two contradict each other.
    pub fn load(options: &Path, weights: &Path, device: &Device) -> Result<Self, EncoderError> {
        let (options, weights) = open(options, weights)?;
        let load = |direction| Direction::load(direction, &options, &weights, device);
        Ok(Self {
            characters: CharacterCnn::load(&options, &weights, device)?,
            directions: [load(0)?, load(1)?],
            words: WordCache::new(CACHED_WORDS),
            max_characters: options.char_cnn.max_characters_per_token,
            n_lstm_layers: options.lstm.n_layers,
            d_state: options.lstm.projection_dim,
            d_cell: options.lstm.dim,
            is_parallel: on_host(device.clone(), DType::F32),
        })
    }

    /// Loads the model in a directory: the file whose name ends in `options.json`, and `weights.safetensors`, or else
    /// the file whose name ends in `weights.hdf5`.
    ///
    /// # Errors
    /// If there is no such file or more than one; else those of [`load`](Self::load).
    pub fn load_dir(dir: &Path, device: &Device) -> Result<Self, EncoderError> {
        let [options, weights] = Self::files(dir)?;
        Self::load(&options, &weights, device)
    }

    /// The options and the weights that [`load_dir`](Self::load_dir) finds in a directory.
    ///
    /// # Errors
    /// If there is no such file or more than one.
    pub fn files(dir: &Path) -> Result<[PathBuf; 2], EncoderError> {
        // The names of a converted model come before those of the published files that it may lie beside.
        let named = |name: &str| Some(dir.join(name)).filter(|path| path.is_file());
        let options = named(OPTIONS).map_or_else(|| only_file(dir, OPTIONS), Ok)?;
        let weights = named(WEIGHTS).map_or_else(|| only_file(dir, "weights.hdf5"), Ok)?;
        Ok([options, weights])
    }

    /// A name for the two files in `dir`: equal for equal contents, and no other has it. Weights that were
    /// [converted](Self::convert) have another one than those they came from.
    ///
    /// # Errors
    /// Those of [`files`](Self::files); a file that cannot be read.
    pub fn hash_dir(dir: &Path) -> Result<String, EncoderError> {
        hash_files(&Self::files(dir)?)
    }

    /// Writes a model to the directory `dir` as `options.json` and `weights.safetensors`, for
    /// [`load_dir`](Self::load_dir). Names, shapes and numbers of the tensors stay as they are.
    ///
    /// # Errors
    /// Those of [`load`](Self::load), or if the directory cannot be written.
    pub fn convert(options: &Path, weights: &Path, dir: &Path) -> Result<(), EncoderError> {
        let (parsed, weights) = open(options, weights)?;
        let io = |path: PathBuf| |source| EncoderError::Io { path, source };
        // Read before anything is written: the directory may be the model's own.
        let text = fs::read(options).map_err(io(options.into()))?;
        fs::create_dir_all(dir).map_err(io(dir.into()))?;
        weights.save_safetensors(&parsed, &dir.join(WEIGHTS))?;
        fs::write(dir.join(OPTIONS), text).map_err(io(dir.join(OPTIONS)))
    }

    /// The same model with a cache of at most `n_words` word vectors, by default 65,536; 0 switches it off.
    pub fn with_word_cache(mut self, n_words: usize) -> Self {
        self.words = WordCache::new(n_words);
        self
    }

    /// Number of layers of a token: its characters' vector and the layers of the language model.
    pub fn n_layers(&self) -> usize {
        1 + self.n_lstm_layers
    }

    /// Width of a layer's vector: both directions.
    pub fn width(&self) -> usize {
        2 * self.d_state
    }

    /// The vectors of each sentence's tokens, `[tokens, n_layers, width]` in row-major order.
    ///
    /// Each sentence is encoded by itself; how they are grouped makes no difference but for rounding. Memory beyond the
    /// result does not grow with the number or the length of the sentences, but for one number a token and the vectors
    /// of the distinct words. Of a token the first 48 bytes count (in the published models).
    pub fn encode<S: AsRef<str>>(&self, sentences: &[&[S]]) -> Vec<Vec<f32>> {
        let input = Input::new(self, sentences);
        let mut order: Vec<usize> = (0..sentences.len()).filter(|&place| !sentences[place].is_empty()).collect();
        order.sort_by_key(|&place| std::cmp::Reverse(sentences[place].len()));
        let mut batches = Vec::new();
        let mut rest = &order[..];
        while let Some(longest) = rest.first() {
            let n = SENTENCES.min(TOKENS / input.words[*longest].len()).clamp(1, rest.len());
            let (batch, others) = rest.split_at(n);
            batches.push((batch, Vec::new()));
            rest = others;
        }
        let tasks = batches.iter_mut().collect();
        for_each(self.is_parallel, tasks, |(places, vectors): &mut (&[usize], Vec<Vec<f32>>)| {
            *vectors = self.run(&input, places, &mut self.zeros(places.len()));
        });
        let mut vectors = vec![Vec::new(); sentences.len()];
        for (places, of_batch) in batches {
            for (&place, of_sentence) in places.iter().zip(of_batch) {
                vectors[place] = of_sentence;
            }
        }
        vectors
    }

    /// The same with the state that the sentence at the same place of the batch before left behind, as the published
    /// code does when it runs over a corpus. A place without a state, or the first batch, starts from zero; an empty
    /// sentence leaves the state of its place as it is.
    ///
    /// # Panics
    /// If the state is that of a model with other widths.
    pub fn encode_with_state<S: AsRef<str>>(&self, sentences: &[&[S]], state: &mut ElmoState) -> Vec<Vec<f32>> {
        let input = Input::new(self, sentences);
        let mut order: Vec<usize> = (0..sentences.len()).filter(|&place| !sentences[place].is_empty()).collect();
        order.sort_by_key(|&place| std::cmp::Reverse(sentences[place].len()));
        self.grow(state, sentences.len());
        let mut chosen = self.zeros(order.len());
        self.exchange(state, &mut chosen, &order, |kept, used| used.copy_from_slice(kept));
        let of_batch = self.run(&input, &order, &mut chosen);
        self.exchange(state, &mut chosen, &order, |kept, used| kept.copy_from_slice(used));
        let mut vectors = vec![Vec::new(); sentences.len()];
        for (place, of_sentence) in order.into_iter().zip(of_batch) {
            vectors[place] = of_sentence;
        }
        vectors
    }

    /// Encodes the sentences at `places`, the longest first, from `states` in the same order.
    fn run(&self, input: &Input, places: &[usize], states: &mut [Vec<LayerState>; 2]) -> Vec<Vec<f32>> {
        let sentences: Vec<&[usize]> = places.iter().map(|&place| &input.words[place][..]).collect();
        let steps = sentences.first().map_or(0, |sentence| sentence.len());
        let live: Vec<usize> = (0..steps).map(|t| sentences.partition_point(|sentence| sentence.len() > t)).collect();
        let [forward, backward] = states;
        let run = |direction: usize, states: &mut [LayerState]| {
            let mut x = Vec::with_capacity(live.iter().sum::<usize>() * self.d_state);
            for (t, &n) in live.iter().enumerate() {
                for sentence in &sentences[..n] {
                    let place = if direction == 0 { t } else { sentence.len() - 1 - t };
                    x.extend_from_slice(&input.vectors[sentence[place]]);
                }
            }
            self.directions[direction].run(x, &live, states)
        };
        let (forward, backward) = join(self.is_parallel, || run(0, forward), || run(1, backward));
        let mut starts = Vec::with_capacity(steps);
        let mut start = 0;
        for &n in &live {
            starts.push(start);
            start += n;
        }
        let of_sentence = |(slot, sentence): (usize, &&[usize])| {
            let last = sentence.len() - 1;
            let mut vectors = Vec::with_capacity((last - 1) * self.n_layers() * self.width());
            for t in 1..last {
                for (forward, backward) in forward.iter().zip(&backward) {
                    for (layer, step) in [(forward, t), (backward, last - t)] {
                        vectors.extend_from_slice(&layer[(starts[step] + slot) * self.d_state..][..self.d_state]);
                    }
                }
            }
            vectors
        };
        sentences.iter().enumerate().map(of_sentence).collect()
    }

    /// States of zero for `n` sentences.
    fn zeros(&self, n: usize) -> [Vec<LayerState>; 2] {
        let state = LayerState { states: vec![0.0; n * self.d_state], cells: vec![0.0; n * self.d_cell] };
        [0, 1].map(|_| vec![state.clone(); self.n_lstm_layers])
    }

    /// Gives a state places up to `n`.
    fn grow(&self, state: &mut ElmoState, n: usize) {
        if state.n_places == 0 {
            state.directions = self.zeros(0);
        }
        state.n_places = state.n_places.max(n);
        for layers in &mut state.directions {
            assert_eq!(layers.len(), self.n_lstm_layers, "a state of this model");
            for layer in layers {
                layer.states.resize(state.n_places * self.d_state, 0.0);
                layer.cells.resize(state.n_places * self.d_cell, 0.0);
            }
        }
    }

    /// Calls `copy` with every kept state and the one that `chosen` has for the same place.
    fn exchange(
        &self,
        state: &mut ElmoState,
        chosen: &mut [Vec<LayerState>; 2],
        places: &[usize],
        copy: impl Fn(&mut [f32], &mut [f32]),
    ) {
        let layers = state.directions.iter_mut().flatten().zip(chosen.iter_mut().flatten());
        for (kept, used) in layers {
            for (slot, &place) in places.iter().enumerate() {
                let of = |i: usize, width: usize| i * width..(i + 1) * width;
                let d_state = self.d_state;
                copy(&mut kept.states[of(place, d_state)], &mut used.states[of(slot, d_state)]);
                copy(&mut kept.cells[of(place, self.d_cell)], &mut used.cells[of(slot, self.d_cell)]);
            }
        }
    }
}

/// Sentences as rows of a table of word vectors.
struct Input {
    /// For each sentence the rows of its words, those of its boundaries around them.
    words: Vec<Vec<usize>>,
    /// The vectors of the distinct words.
    vectors: Vec<Arc<[f32]>>,
}

impl Input {
    fn new<S: AsRef<str>>(elmo: &Elmo, sentences: &[&[S]]) -> Self {
        let mut rows: HashMap<&[u8], usize> = HashMap::new();
        let mut distinct: Vec<&[u8]> = Vec::new();
        let mut row_of = |token| {
            let word = characters::clip(token, elmo.max_characters);
            *rows.entry(word).or_insert_with(|| {
                distinct.push(word);
                distinct.len() - 1
            })
        };
        let [begin, end] = BOUNDARIES;
        let words = sentences.iter().map(|sentence| {
            let inner = sentence.iter().map(AsRef::as_ref);
            [begin].into_iter().chain(inner).chain([end]).map(&mut row_of).collect()
        });
        let words = words.collect();
        let vectors = elmo.words.get(&distinct, |unknown| {
            let mut vectors: Vec<Arc<[f32]>> = vec![Arc::default(); unknown.len()];
            elmo.characters.vectors(unknown, |i, vector| vectors[i] = vector.into());
            vectors
        });
        Self { words, vectors }
    }
}

/// The options and the weights they describe.
fn open(options: &Path, weights: &Path) -> Result<(Options, Weights), EncoderError> {
    let parsed = Options::read(options)?;
    let weights = Weights::open(weights)?;
    parsed.check(options, &weights)?;
    Ok((parsed, weights))
}

/// The file in `dir` whose name ends in `ending`.
fn only_file(dir: &Path, ending: &str) -> Result<PathBuf, EncoderError> {
    let io = |source| EncoderError::Io { path: dir.into(), source };
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(io)? {
        let path = entry.map_err(io)?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(ending)) {
            found.push(path);
        }
    }
    match (found.pop(), found.pop()) {
        (Some(path), None) => Ok(path),
        (one, other) => {
            let n = one.iter().chain(&other).count();
            let count = if n == 0 { "none" } else { "several" };
            let reason = format!("expected one file whose name ends in '{ending}', found {count}");
            Err(EncoderError::Format { path: dir.into(), reason })
        }
    }
}
