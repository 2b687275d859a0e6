//! The contextual encoder of a run or a model: opened from its configuration, identified by the hash of its files.
//!
//! Contextual vectors have the same shape whether they are computed, cached or read from a file:
//! `[batch, steps, layers, width]`, zero at padding.

mod contextual_file;
mod kind;
mod memory;
mod name;
mod opening;
mod search;

use std::sync::Arc;

use burn::tensor::{Device, Int, Tensor, TensorData};
use burn_ragged::Mode;
use cman_data::EncoderIdentity;
use cman_encoder::{Bert, BertNetwork, Elmo, Pieces};

use contextual_file::ContextualFile;
pub use memory::EncodedSize;
pub use name::is_hub_name;
pub use search::SearchPath;
pub(crate) use search::relative_to;

use crate::{error::ModelError, settings::EncoderConfig};

/// A contextual encoder. A new kind is one more variant of `Source`.
#[derive(Clone, Debug)]
pub struct Encoder {
    identity: EncoderIdentity,
    source: Source,
    /// The layers that the model uses.
    layers: Vec<usize>,
    width: usize,
}

#[derive(Clone, Debug)]
enum Source {
    Bert(Box<Bert>),
    Elmo(Arc<Elmo>),
    File(Arc<ContextualFile>),
}

impl Encoder {
    fn new(
        identity: EncoderIdentity,
        source: Source,
        n_layers: usize,
        width: usize,
        config: &EncoderConfig,
    ) -> Result<Self, ModelError> {
        let layers = if config.layers.is_empty() { (0..n_layers).collect() } else { config.layers.clone() };
        if let Some(&layer) = layers.iter().find(|&&layer| layer >= n_layers) {
            let expected = "layers that the encoder has";
            let found = format!("{layer} (its last one is {})", n_layers - 1);
            return Err(ModelError::Setting { field: "encoder.layers", expected, found });
        }
        Ok(Self { identity, source, layers, width })
    }

    /// Which encoder this is.
    pub fn identity(&self) -> &EncoderIdentity {
        &self.identity
    }

    /// Number of layers that the model uses.
    pub fn n_layers(&self) -> usize {
        self.layers.len()
    }

    /// Width of a layer's vector.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The transformer, if the encoder is one.
    pub fn as_bert(&self) -> Option<&Bert> {
        match &self.source {
            Source::Bert(bert) => Some(bert),
            Source::Elmo(..) | Source::File(..) => None,
        }
    }

    /// The same encoder with the weights `network`, if given.
    pub fn with_weights(mut self, network: Option<&BertNetwork>) -> Self {
        if let (Source::Bert(bert), Some(network)) = (&mut self.source, network) {
            bert.network = network.clone();
        }
        self
    }

    /// Checks that a file of contextual vectors contains these sentences.
    ///
    /// # Errors
    /// A sentence whose vectors the file lacks.
    pub fn check(&self, sentences: &[Vec<String>]) -> Result<(), ModelError> {
        let Source::File(file) = &self.source else { return Ok(()) };
        let reader = &file.reader;
        let missing = sentences.iter().filter(|words| !reader.contains(&strs(words))).collect::<Vec<_>>();
        match missing.first() {
            None => Ok(()),
            Some(first) => Err(ModelError::Encoder {
                path: reader.path().into(),
                expected: format!("vectors of all {} sentences", sentences.len()),
                found: format!("none for {} of them, such as '{}'", missing.len(), beginning(first)),
            }),
        }
    }

    /// Whether the contextual vectors are read from a file.
    pub fn is_file(&self) -> bool {
        matches!(self.source, Source::File(..))
    }

    /// The contextual vectors of a batch of sentences. A BERT returns them on its own device, with the graph of its
    /// weights; other encoders return them on `device`.
    ///
    /// # Shapes
    /// - output: `[batch, steps, layers, width]`
    ///
    /// # Errors
    /// A file that cannot be read, or that lacks a sentence while its encoder cannot be opened.
    pub fn batch(&self, sentences: &[&[String]], mode: Mode, device: &Device) -> Result<Tensor<4>, ModelError> {
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
            Source::Elmo(..) | Source::File(..) => {
                let vectors: Vec<Vec<f32>> = self.vectors(sentences)?;
                Ok(self.pad(&vectors.iter().map(Vec::as_slice).collect::<Vec<_>>(), device))
            }
        }
    }

    /// The contextual vectors of each sentence, of the layers that the model uses. `[tokens, layers, width]`
    ///
    /// # Errors
    /// As [`batch`](Self::batch).
    pub fn vectors(&self, sentences: &[&[String]]) -> Result<Vec<Vec<f32>>, ModelError> {
        match &self.source {
            Source::Bert(bert) => {
                let words: Vec<Vec<&str>> = sentences.iter().map(|words| strs(words)).collect();
                let all = bert.encode(&words)?;
                Ok(all.into_iter().map(|all| self.select_layers(all, bert.n_layers())).collect())
            }
            Source::Elmo(elmo) => {
                Ok(elmo.encode(sentences).into_iter().map(|all| self.select_layers(all, elmo.n_layers())).collect())
            }
            Source::File(file) => {
                let reader = &file.reader;
                let vectors = |words: &&[String]| match reader.get(&strs(words))? {
                    Some(all) => Ok(self.select_layers(all, reader.layers())),
                    None => Ok(file.encoder()?.vectors(&[words])?.remove(0)),
                };
                sentences.iter().map(vectors).collect()
            }
        }
    }

    /// Selects the layers that the model uses from all `n_layers`.
    fn select_layers(&self, all: Vec<f32>, n_layers: usize) -> Vec<f32> {
        if self.layers.len() == n_layers {
            return all;
        }
        let token = |token: &[f32]| -> Vec<f32> {
            self.layers.iter().flat_map(|layer| token[layer * self.width..][..self.width].to_vec()).collect()
        };
        all.chunks_exact(n_layers * self.width).flat_map(token).collect()
    }

    /// The contextual vectors of several sentences as one tensor, zero at padding.
    ///
    /// # Shapes
    /// - vectors: `[tokens, layers, width]` per sentence
    /// - output: `[batch, steps, layers, width]`
    pub fn pad(&self, vectors: &[&[f32]], device: &Device) -> Tensor<4> {
        let longest = vectors.iter().map(|vectors| vectors.len()).max().unwrap_or(0);
        let mut all = Vec::with_capacity(vectors.len() * longest);
        for (i, vectors) in vectors.iter().enumerate() {
            all.extend_from_slice(vectors);
            all.resize((i + 1) * longest, 0.0);
        }
        let (layers, width) = (self.n_layers(), self.width);
        let shape = [vectors.len(), longest / (layers * width), layers, width];
        Tensor::from_data(TensorData::new(all, shape), device)
    }
}

fn strs(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

/// The first words of a sentence, for an error message.
fn beginning(words: &[String]) -> String {
    let beginning: String = words.join(" ").chars().take(40).collect();
    if beginning.len() < words.iter().map(|word| word.len() + 1).sum::<usize>() - 1 {
        beginning + ".."
    } else {
        beginning
    }
}
