//! BERT, RoBERTa and DistilBERT (MiniLM is a BERT) from the files that the hub publishes.

mod config;
mod network;
mod pieces;
mod pooling;
mod weights;
mod window;

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use burn::tensor::{DType, Device, Int, Tensor, TensorData};

pub use config::{Activation, BertConfig, Family};
pub use network::{BertNetwork, Block};
pub use pieces::Pieces;
pub use pooling::Pooling;

use crate::{
    encoder::{EncoderError, hash::hash_files},
    gather::gather,
    kernels::{for_each, on_host},
    mask::mask_pad,
    mode::Mode,
};
use network::Windows;
use pieces::PieceTokenizer;

/// Pieces that go through the network together where it only encodes.
const PIECES_AT_ONCE: usize = 2048;

const CONFIG: &str = "config.json";
const TOKENIZER: &str = "tokenizer.json";
const WEIGHTS: &str = "model.safetensors";

/// A pretrained encoder with its tokenizer.
#[derive(Clone, Debug)]
pub struct Bert {
    /// The weights.
    pub network: BertNetwork,
    config: BertConfig,
    tokenizer: Arc<PieceTokenizer>,
    pooling: Pooling,
    folder: PathBuf,
}

/// A batch of sentences cut into windows, and where their words are.
struct Plan {
    windows: Windows,
    /// The rows of each piece of each word in the padded batch of windows, sentence after sentence.
    words: Vec<Vec<usize>>,
    /// Words of each sentence.
    lengths: Vec<usize>,
}

impl Bert {
    /// The files of an encoder.
    pub const FILES: [&str; 3] = [CONFIG, TOKENIZER, WEIGHTS];

    /// Reads a folder with `config.json`, `tokenizer.json` and `model.safetensors` onto `device`; on a device with
    /// autodiff gradients reach every weight.
    ///
    /// # Errors
    /// A file that is missing or damaged, or does not fit the others.
    pub fn load_dir(dir: &Path, pooling: Pooling, device: &Device) -> Result<Self, EncoderError> {
        let config = BertConfig::read(&dir.join(CONFIG))?;
        let tokenizer = PieceTokenizer::read(&dir.join(TOKENIZER), config.vocabulary)?;
        let special = tokenizer.before.len() + tokenizer.behind.len();
        if special >= config.window() {
            return Err(EncoderError::Options {
                path: dir.join(CONFIG),
                field: "max_position_embeddings".into(),
                expected: format!("more than the {special} special pieces of {TOKENIZER}"),
                found: config.window().to_string(),
            });
        }
        let weights = dir.join(WEIGHTS);
        weights::check_size(&config, &weights)?;
        let mut network = BertNetwork::zero(&config, device);
        weights::read(&mut network, &config, &weights)?;
        Ok(Self { network, config, tokenizer: Arc::new(tokenizer), pooling, folder: dir.into() })
    }

    /// Writes the encoder, its weights as they are now, into a folder that [`load_dir`](Self::load_dir) and others read.
    ///
    /// # Errors
    /// A file that cannot be written, or copied from where the encoder came from.
    pub fn save_dir(&self, dir: &Path) -> Result<(), EncoderError> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| EncoderError::Io { path, source }
        };
        fs::create_dir_all(dir).map_err(io(dir))?;
        for name in [CONFIG, TOKENIZER] {
            let (from, to) = (self.folder.join(name), dir.join(name));
            if from != to {
                fs::write(&to, fs::read(&from).map_err(io(&from))?).map_err(io(&to))?;
            }
        }
        weights::write(&self.network, &self.config, &dir.join(WEIGHTS))
    }

    /// A name for the files in `dir`: equal for equal contents, and no other has it.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn hash_dir(dir: &Path) -> Result<String, EncoderError> {
        hash_files(&Self::FILES.map(|name| dir.join(name)))
    }

    /// Number of layers: the embeddings and every block.
    pub fn n_layers(&self) -> usize {
        self.config.blocks + 1
    }

    /// Width of a layer's vector.
    pub fn width(&self) -> usize {
        self.config.width
    }

    /// The shape of the network.
    pub fn config(&self) -> &BertConfig {
        &self.config
    }

    /// How a word's vector comes from those of its pieces.
    pub fn pooling(&self) -> Pooling {
        self.pooling
    }

    /// Cuts the words of a sentence into pieces.
    ///
    /// # Errors
    /// A tokenizer that fails, which no word makes those of this family do.
    pub fn cut(&self, words: &[&str]) -> Result<Pieces, EncoderError> {
        let format = |reason| EncoderError::Format { path: self.folder.join(TOKENIZER), reason };
        self.tokenizer.cut(words).map_err(format)
    }

    /// The ids of a sentence's windows as the network reads them, special pieces included.
    pub fn windows(&self, pieces: &Pieces) -> Vec<Vec<u32>> {
        self.plan(&[pieces]).windows.ids
    }

    /// Word vectors of every layer for a batch, as the model takes them.
    ///
    /// # Shapes
    /// - output: `[batch, steps, layers, width]`, the embeddings first; zero at padding
    ///
    /// # Panics
    /// If there is no sentence, or one without words.
    pub fn forward(&self, sentences: &[&Pieces], mode: Mode) -> Tensor<4> {
        let plan = self.plan(sentences);
        let vectors = self.words(&plan, mode); // [words, layers, width]
        let device = vectors.device();
        let (batch, steps) = (plan.lengths.len(), plan.lengths.iter().copied().max().unwrap_or(0));
        let [_, layers, width] = vectors.dims();
        let mut first = 0;
        let mut rows = vec![0i64; batch * steps];
        for (places, &length) in rows.chunks_mut(steps).zip(&plan.lengths) {
            for (place, row) in places.iter_mut().zip(first..first + length) {
                *place = row as i64;
            }
            first += length;
        }
        let rows = Tensor::<1, Int>::from_data(TensorData::new(rows, [batch * steps]), &device);
        let mask = mask_pad(&plan.lengths, steps, &device).reshape([batch, steps, 1, 1]);
        let vectors = vectors.reshape([-1, (layers * width) as i64]);
        let padded = gather(vectors, rows).reshape([batch, steps, layers, width]);
        padded.mask_fill(mask.expand([batch, steps, layers, width]), 0.0)
    }

    /// Word vectors of every layer: for each sentence `words * layers * width` numbers, in this order.
    ///
    /// # Errors
    /// As [`cut`](Self::cut).
    ///
    /// # Panics
    /// If a sentence has no words.
    pub fn encode<S: AsRef<str>>(&self, sentences: &[Vec<S>]) -> Result<Vec<Vec<f32>>, EncoderError> {
        let cut = |words: &Vec<S>| self.cut(&words.iter().map(AsRef::as_ref).collect::<Vec<_>>());
        let pieces: Vec<Pieces> = sentences.iter().map(cut).collect::<Result<_, _>>()?;
        // Sentences of like length together: the attention alone is padded.
        let mut order: Vec<usize> = (0..pieces.len()).collect();
        order.sort_by_key(|&i| pieces[i].ids.len());
        let mut batches = Vec::new();
        let mut rest = order.as_slice();
        while !rest.is_empty() {
            let mut total = 0;
            let fits = |i: &&usize| {
                total += pieces[**i].ids.len();
                total <= PIECES_AT_ONCE
            };
            let (batch, behind) = rest.split_at(rest.iter().take_while(fits).count().max(1));
            batches.push((batch, Vec::new()));
            rest = behind;
        }
        let is_parallel = on_host(self.network.words.device(), DType::F32);
        for_each(is_parallel, batches.iter_mut().collect(), |(batch, numbers): &mut (&[usize], Vec<f32>)| {
            let members: Vec<&Pieces> = batch.iter().map(|&i| &pieces[i]).collect();
            let found = self.words(&self.plan(&members), Mode::Evaluate);
            *numbers = found.try_into_vec_as().expect("the device gives its numbers back");
        });
        let mut vectors = vec![Vec::new(); pieces.len()];
        for (batch, numbers) in batches {
            let mut numbers = numbers.as_slice();
            for &i in batch {
                let (own, others) = numbers.split_at(pieces[i].counts.len() * self.n_layers() * self.width());
                (vectors[i], numbers) = (own.to_vec(), others);
            }
        }
        Ok(vectors)
    }

    /// The words of every sentence behind each other. `[words, layers, width]`
    fn words(&self, plan: &Plan, mode: Mode) -> Tensor<3> {
        let layers = self.network.layers(&plan.windows, mode);
        let pool = self.pooling.plan(&plan.words, &layers[0].device());
        let [windows, longest, width] = layers[0].dims();
        let pooled = layers.into_iter().map(|layer| pool.apply(&layer.reshape([windows * longest, width])));
        Tensor::stack(pooled.collect(), 1)
    }

    fn plan(&self, sentences: &[&Pieces]) -> Plan {
        let PieceTokenizer { before, behind, .. } = &*self.tokenizer;
        let capacity = self.config.window() - before.len() - behind.len();
        let lengths: Vec<usize> = sentences.iter().map(|pieces| pieces.counts.len()).collect();
        assert!(!lengths.is_empty() && !lengths.contains(&0), "a batch of non-empty sentences");
        let cut: Vec<Vec<Range<usize>>> = sentences.iter().map(|s| window::windows(s.ids.len(), capacity)).collect();
        let ids = sentences.iter().zip(&cut).flat_map(|(pieces, windows)| {
            let ids = |window: &Range<usize>| [before, &pieces.ids[window.clone()], behind].concat();
            windows.iter().map(ids)
        });
        let windows = Windows { ids: ids.collect(), counts: cut.iter().map(Vec::len).collect() };
        let (longest, mut first_window) = (windows.longest(), 0);
        let mut words = Vec::with_capacity(lengths.iter().sum());
        for (pieces, windows) in sentences.iter().zip(&cut) {
            let owners = window::owners(pieces.ids.len(), windows);
            let row = |piece: usize| {
                (first_window + owners[piece]) * longest + before.len() + piece - windows[owners[piece]].start
            };
            let mut first = 0;
            for &count in &pieces.counts {
                words.push((first..first + count).map(row).collect());
                first += count;
            }
            first_window += windows.len();
        }
        Plan { windows, words, lengths }
    }
}
