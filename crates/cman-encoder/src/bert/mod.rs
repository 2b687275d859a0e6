//! BERT, RoBERTa and DistilBERT (MiniLM is a BERT) from the files that the hub publishes.

mod config;
mod encode;
mod memory;
mod names;
mod network;
mod pieces;
mod pooling;
mod weights;
mod window;
mod window_batch;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use burn::tensor::Device;

pub use config::{Activation, BertConfig, Family};
pub use network::{BertNetwork, Block};
pub use pieces::Pieces;
pub use pooling::Pooling;

use crate::{error::EncoderError, hash::hash_files};
use pieces::PieceTokenizer;
use window_batch::WindowBatch;

const CONFIG: &str = "config.json";
const TOKENIZER: &str = "tokenizer.json";

/// A pretrained encoder with its tokenizer.
///
/// ```no_run
/// use burn::tensor::Device;
/// use cman_encoder::{Bert, Pooling};
///
/// let bert = Bert::load_dir("minilm".as_ref(), Pooling::Mean, &Device::default())?;
/// let vectors = bert.encode(&[vec!["Ada", "lived", "in", "London", "."]])?;
/// assert_eq!(vectors[0].len(), 5 * bert.n_layers() * bert.width());
/// # Ok::<(), cman_encoder::EncoderError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Bert {
    /// The weights.
    pub network: BertNetwork,
    config: BertConfig,
    tokenizer: Arc<PieceTokenizer>,
    pooling: Pooling,
    folder: PathBuf,
}

impl Bert {
    /// Names of the files of an encoder.
    pub const FILES: [&str; 3] = [CONFIG, TOKENIZER, Self::WEIGHTS];
    /// Name of the file of the weights.
    pub const WEIGHTS: &str = "model.safetensors";

    /// Reads a folder with `config.json`, `tokenizer.json` and `model.safetensors` onto `device`. On an autodiff
    /// device, every weight gets gradients.
    ///
    /// # Errors
    /// If a file is missing or damaged, or does not fit the others.
    pub fn load_dir(dir: &Path, pooling: Pooling, device: &Device) -> Result<Self, EncoderError> {
        let config = BertConfig::read(&dir.join(CONFIG))?;
        let tokenizer = PieceTokenizer::read(&dir.join(TOKENIZER), config.vocabulary)?;
        let n_special = tokenizer.before.len() + tokenizer.after.len();
        if n_special >= config.window() {
            let expected = format!("more than the {n_special} special pieces of {TOKENIZER}");
            let (path, found) = (dir.join(CONFIG), config.window());
            return Err(EncoderError::options(&path, "max_position_embeddings", &expected, found));
        }
        let weights = dir.join(Self::WEIGHTS);
        weights::check_size(&config, &weights)?;
        let mut network = BertNetwork::zero(&config, device);
        weights::read(&mut network, &config, &weights)?;
        Ok(Self { network, config, tokenizer: Arc::new(tokenizer), pooling, folder: dir.into() })
    }

    /// Writes the encoder with its current weights to a folder, in the format that [`load_dir`](Self::load_dir) reads.
    ///
    /// # Errors
    /// If a file cannot be written, or the configuration or the tokenizer cannot be copied from the folder that the
    /// encoder was loaded from.
    pub fn save_dir(&self, dir: &Path) -> Result<(), EncoderError> {
        fs::create_dir_all(dir).map_err(|source| EncoderError::io(dir, source))?;
        for name in [CONFIG, TOKENIZER] {
            let (from, to) = (self.folder.join(name), dir.join(name));
            if from != to {
                let bytes = fs::read(&from).map_err(|source| EncoderError::io(&from, source))?;
                fs::write(&to, bytes).map_err(|source| EncoderError::io(&to, source))?;
            }
        }
        weights::write(&self.network, &self.config, &dir.join(Self::WEIGHTS))
    }

    /// A hash of the files in `dir`. Equal files have equal hashes.
    ///
    /// # Errors
    /// If a file cannot be read.
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

    /// The architecture of the network.
    pub fn config(&self) -> &BertConfig {
        &self.config
    }

    /// How the vectors of a word's pieces become one vector.
    pub fn pooling(&self) -> Pooling {
        self.pooling
    }

    /// Cuts the words of a sentence into pieces.
    ///
    /// # Errors
    /// If the tokenizer fails. The tokenizers of these model families accept every word.
    pub fn cut(&self, words: &[&str]) -> Result<Pieces, EncoderError> {
        self.tokenizer.cut(words).map_err(|reason| EncoderError::format(&self.folder.join(TOKENIZER), reason))
    }

    /// The ids of the windows of a sentence as the network reads them, including special pieces.
    pub fn windows(&self, pieces: &Pieces) -> Vec<Vec<u32>> {
        self.window_batch(&[pieces]).ids
    }

    fn window_batch(&self, sentences: &[&Pieces]) -> WindowBatch {
        WindowBatch::new(sentences, &self.tokenizer, self.config.window())
    }
}
