//! The contextual encoder of a run or a model: opened by its configuration, named by its hash.
//!
//! What the network sees is the same whether vectors are computed, kept or read from a file:
//! `[batch, steps, layers, width]`, zero at padding.

mod cached;
mod config;
mod hub;
mod kind;
mod vectors;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use burn::tensor::{Device, Int, Tensor, TensorData};
use cman_core::{
    Mode,
    encoder::{Bert, BertNetwork, Elmo, Pieces, Pooling},
};
use cman_data::{EncoderIdentity, FeatureReader};

use cached::Cached;
pub use config::EncoderConfig;
pub use hub::{Hub, HubError};
pub use kind::EncoderKind;
pub(crate) use vectors::{KeptVectors, words};

use crate::TrainError;

/// A contextual encoder. A further kind is one more `Source` with its arms below.
#[derive(Clone, Debug)]
pub struct Encoder {
    identity: EncoderIdentity,
    source: Source,
    /// The layers that the model sees.
    layers: Vec<usize>,
    width: usize,
}

#[derive(Clone, Debug)]
enum Source {
    Bert(Box<Bert>),
    Elmo(Arc<Elmo>),
    Cache(Arc<Cached>),
}

impl Encoder {
    /// Opens the encoder of this configuration on `device`; none if it wants none. A fine-tuned one wants a device with
    /// autodiff for training.
    ///
    /// # Errors
    /// Files that are missing, damaged or do not fit each other; a setting outside of its range, or layers that it does
    /// not have; a name that can be found neither in the cache of the hub nor there.
    pub fn open(config: &EncoderConfig, device: &Device) -> Result<Option<Self>, TrainError> {
        config.validate()?;
        let path = Path::new(&config.path);
        match config.kind {
            EncoderKind::None => Ok(None),
            EncoderKind::Bert => Self::bert(&locate(&config.path)?, config, device).map(Some),
            EncoderKind::Elmo => Self::elmo(path, config, device).map(Some),
            EncoderKind::Cache => Self::cache(path, config, device).map(Some),
        }
    }

    /// Opens the encoder that has, or had, this identity; its files may have changed since.
    pub(crate) fn of_identity(
        identity: &EncoderIdentity,
        config: &EncoderConfig,
        device: &Device,
    ) -> Result<Self, TrainError> {
        let kind = EncoderKind::of_name(&identity.kind).unwrap_or_default();
        let config = EncoderConfig { kind, path: identity.name.clone(), ..config.clone() };
        Self::open(&config, device)?.ok_or_else(|| TrainError::Encoder {
            path: identity.name.clone().into(),
            expected: "an encoder of kind bert or elmo".into(),
            found: format!("one of kind '{}'", identity.kind),
        })
    }

    /// Opens the BERT in `folder`, whatever the configuration says about where it lies.
    pub(crate) fn bert(folder: &Path, config: &EncoderConfig, device: &Device) -> Result<Self, TrainError> {
        let mut bert = Bert::load_dir(folder, config.pooling, device)?;
        if config.frozen_layers >= bert.n_layers() {
            return Err(TrainError::Setting {
                field: "encoder.frozen_layers",
                expected: "fewer layers than the encoder has",
                found: format!("{} (it has {})", config.frozen_layers, bert.n_layers()),
            });
        }
        bert.network = bert.network.freeze_lowest(config.frozen_layers);
        let identity = EncoderIdentity {
            kind: EncoderKind::Bert.name().into(),
            name: config.path.clone(),
            hash: Bert::hash_dir(folder)?,
            pooling: config.pooling.name().into(),
        };
        let (n_layers, width) = (bert.n_layers(), bert.width());
        Self::new(identity, Source::Bert(Box::new(bert)), n_layers, width, config)
    }

    fn elmo(folder: &Path, config: &EncoderConfig, device: &Device) -> Result<Self, TrainError> {
        let elmo = Elmo::load_dir(folder, device)?;
        let identity = EncoderIdentity {
            kind: EncoderKind::Elmo.name().into(),
            name: config.path.clone(),
            hash: Elmo::hash_dir(folder)?,
            pooling: String::new(),
        };
        let (n_layers, width) = (elmo.n_layers(), elmo.width());
        Self::new(identity, Source::Elmo(Arc::new(elmo)), n_layers, width, config)
    }

    fn cache(path: &Path, config: &EncoderConfig, device: &Device) -> Result<Self, TrainError> {
        let reader = FeatureReader::open(path)?;
        let identity = reader.identity().clone();
        let is_whole = identity.pooling.is_empty();
        let needed = if is_whole { Pooling::default().name() } else { &identity.pooling };
        if config.pooling.name() != needed {
            let found = if is_whole { "those of whole words".into() } else { format!("'{needed}'") };
            return Err(TrainError::Encoder {
                path: path.into(),
                expected: format!("vectors pooled by '{}' (encoder.pooling)", config.pooling.name()),
                found,
            });
        }
        let (n_layers, width) = (reader.layers(), reader.width());
        let cached = Cached::new(reader, config, device);
        Self::new(identity, Source::Cache(Arc::new(cached)), n_layers, width, config)
    }

    fn new(
        identity: EncoderIdentity,
        source: Source,
        n_layers: usize,
        width: usize,
        config: &EncoderConfig,
    ) -> Result<Self, TrainError> {
        let layers = if config.layers.is_empty() { (0..n_layers).collect() } else { config.layers.clone() };
        if let Some(&layer) = layers.iter().find(|&&layer| layer >= n_layers) {
            let expected = "layers that the encoder has";
            let found = format!("{layer} (its last one is {})", n_layers - 1);
            return Err(TrainError::Setting { field: "encoder.layers", expected, found });
        }
        Ok(Self { identity, source, layers, width })
    }

    /// Which encoder this is.
    pub fn identity(&self) -> &EncoderIdentity {
        &self.identity
    }

    /// Number of layers that the model sees.
    pub fn n_layers(&self) -> usize {
        self.layers.len()
    }

    /// Width of a layer's vector.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The transformer, where it is one.
    pub fn as_bert(&self) -> Option<&Bert> {
        match &self.source {
            Source::Bert(bert) => Some(bert),
            Source::Elmo(..) | Source::Cache(..) => None,
        }
    }

    /// The same encoder with these weights, if there are some.
    pub(crate) fn with_weights(mut self, network: Option<&BertNetwork>) -> Self {
        if let (Source::Bert(bert), Some(network)) = (&mut self.source, network) {
            bert.network = network.clone();
        }
        self
    }

    /// Refuses sentences that a file of precomputed vectors does not hold.
    pub(crate) fn check(&self, sentences: &[Vec<String>]) -> Result<(), TrainError> {
        let Source::Cache(cached) = &self.source else { return Ok(()) };
        let reader = &cached.reader;
        let missing = sentences.iter().filter(|words| !reader.contains(&strs(words))).collect::<Vec<_>>();
        match missing.first() {
            None => Ok(()),
            Some(first) => Err(TrainError::Encoder {
                path: reader.path().into(),
                expected: format!("vectors of all {} sentences", sentences.len()),
                found: format!("none for {} of them, such as '{}'", missing.len(), start(first)),
            }),
        }
    }

    /// Whether the vectors lie in a file already.
    pub(crate) fn is_file(&self) -> bool {
        matches!(self.source, Source::Cache(..))
    }

    /// The vectors of a batch of sentences on `device`, or on its own device with the graph of its weights.
    ///
    /// # Shapes
    /// - output: `[batch, steps, layers, width]`
    ///
    /// # Errors
    /// A file that cannot be read, or does not hold a sentence that its encoder is not at hand for.
    pub fn batch(&self, sentences: &[&[String]], mode: Mode, device: &Device) -> Result<Tensor<4>, TrainError> {
        match &self.source {
            Source::Bert(bert) => {
                let cut = |words: &&[String]| bert.cut(&strs(words));
                let pieces: Vec<Pieces> = sentences.iter().map(cut).collect::<Result<_, _>>()?;
                let all = bert.forward(&pieces.iter().collect::<Vec<_>>(), mode);
                Ok(if self.layers.len() == bert.n_layers() {
                    all
                } else {
                    let layers: Vec<i64> = self.layers.iter().map(|&layer| layer as i64).collect();
                    let n = layers.len();
                    let layers = Tensor::<1, Int>::from_data(TensorData::new(layers, [n]), &all.device());
                    all.select(2, layers)
                })
            }
            Source::Elmo(..) | Source::Cache(..) => {
                let vectors: Vec<Vec<f32>> = self.vectors(sentences)?;
                Ok(vectors::pad(&vectors.iter().map(Vec::as_slice).collect::<Vec<_>>(), self.size(), device))
            }
        }
    }

    /// The vectors of each sentence, `[tokens, layers, width]`, of the layers that the model sees.
    ///
    /// # Errors
    /// As [`batch`](Self::batch).
    pub fn vectors(&self, sentences: &[&[String]]) -> Result<Vec<Vec<f32>>, TrainError> {
        match &self.source {
            Source::Bert(bert) => {
                let words: Vec<Vec<&str>> = sentences.iter().map(|words| strs(words)).collect();
                let all = bert.encode(&words)?;
                Ok(all.into_iter().map(|all| self.pick(all, bert.n_layers())).collect())
            }
            Source::Elmo(elmo) => {
                Ok(elmo.encode(sentences).into_iter().map(|all| self.pick(all, elmo.n_layers())).collect())
            }
            Source::Cache(cached) => {
                let reader = &cached.reader;
                let vectors = |words: &&[String]| match reader.get(&strs(words))? {
                    Some(all) => Ok(self.pick(all, reader.layers())),
                    None => Ok(cached.behind()?.vectors(&[words])?.remove(0)),
                };
                sentences.iter().map(vectors).collect()
            }
        }
    }

    /// The layers that the model sees, of all `n_layers`.
    fn pick(&self, all: Vec<f32>, n_layers: usize) -> Vec<f32> {
        if self.layers.len() == n_layers {
            return all;
        }
        let token = |token: &[f32]| -> Vec<f32> {
            self.layers.iter().flat_map(|layer| token[layer * self.width..][..self.width].to_vec()).collect()
        };
        all.chunks_exact(n_layers * self.width).flat_map(token).collect()
    }

    fn size(&self) -> [usize; 2] {
        [self.n_layers(), self.width]
    }
}

/// The folder of an encoder: a folder if there is one of this name, else what the hub has under it.
fn locate(path: &str) -> Result<PathBuf, TrainError> {
    let folder = Path::new(path);
    if folder.is_dir() || !Hub::is_name(path) {
        return Ok(folder.into());
    }
    Ok(Hub::from_env().fetch(path, &Bert::FILES)?)
}

pub(crate) fn strs(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

/// The first words of a sentence, to tell it by.
fn start(words: &[String]) -> String {
    let start: String = words.join(" ").chars().take(40).collect();
    if start.len() < words.iter().map(|word| word.len() + 1).sum::<usize>() - 1 { start + ".." } else { start }
}
