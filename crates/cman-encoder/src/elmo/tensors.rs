//! Names and shapes of the tensors: those that the options require, and those of a file.

use std::{borrow::Cow, fs, path::Path};

use safetensors::{Dtype, View, serialize_to_file};

use super::{options::Options, weights::Weights};
use crate::error::EncoderError;

/// What the names of a layer's tensors start with. The direction is 0 (forward) or 1 (backward).
pub(super) fn cell(direction: usize, layer: usize) -> String {
    format!("RNN_{direction}/RNN/MultiRNNCell/Cell{layer}/LSTMCell/")
}

impl Options {
    /// Names and shapes of all tensors.
    pub fn tensors(&self, with_projection: bool) -> Vec<(String, Vec<usize>)> {
        let (lstm, characters) = (&self.lstm, &self.char_cnn);
        let d_character = characters.embedding.dim;
        // The weights have no row for the padding after a sentence.
        let mut tensors = vec![("char_embed".to_owned(), vec![characters.n_characters.saturating_sub(1), d_character])];
        for (i, &(width, n)) in characters.filters.iter().enumerate() {
            tensors.push((format!("CNN/W_cnn_{i}"), vec![1, width, d_character, n]));
            tensors.push((format!("CNN/b_cnn_{i}"), vec![n]));
        }
        let n_filters = self.n_filters();
        for i in 0..characters.n_highway {
            for gate in ["carry", "transform"] {
                tensors.push((format!("CNN_high_{i}/W_{gate}"), vec![n_filters, n_filters]));
                tensors.push((format!("CNN_high_{i}/b_{gate}"), vec![n_filters]));
            }
        }
        if with_projection {
            tensors.push(("CNN_proj/W_proj".to_owned(), vec![n_filters, lstm.projection_dim]));
            tensors.push(("CNN_proj/b_proj".to_owned(), vec![lstm.projection_dim]));
        }
        for direction in 0..2 {
            for layer in 0..lstm.n_layers {
                let cell = cell(direction, layer);
                tensors.push((format!("{cell}W_0"), vec![2 * lstm.projection_dim, 4 * lstm.dim]));
                tensors.push((format!("{cell}B"), vec![4 * lstm.dim]));
                tensors.push((format!("{cell}W_P_0"), vec![lstm.dim, lstm.projection_dim]));
            }
        }
        tensors
    }

    /// Compares the options, read from `path`, with the shapes of the weights.
    ///
    /// An option is not compared if its tensor is missing or has another rank. Reading the tensor reports that error.
    pub fn check(&self, path: &Path, weights: &Weights) -> Result<(), EncoderError> {
        let size = |name: &str, rank: usize, axis: usize| match weights.shape(name) {
            Some(shape) if shape.len() == rank => Some(shape[axis]),
            _ => None,
        };
        let (lstm, characters) = (&self.lstm, &self.char_cnn);
        let projection = format!("{}W_P_0", cell(0, 0));
        let mut claims = vec![
            ("char_cnn.n_characters".into(), characters.n_characters, size("char_embed", 2, 0).map(|n| n + 1)),
            ("char_cnn.embedding.dim".into(), characters.embedding.dim, size("char_embed", 2, 1)),
            ("lstm.dim".into(), lstm.dim, size(&projection, 2, 0)),
            ("lstm.projection_dim".into(), lstm.projection_dim, size(&projection, 2, 1)),
            ("lstm.n_layers".into(), lstm.n_layers, weights.count("RNN_0/RNN/MultiRNNCell/Cell")),
            ("char_cnn.n_highway".into(), characters.n_highway, weights.count("CNN_high_").or(Some(0))),
            ("number of char_cnn.filters".into(), characters.filters.len(), weights.count("CNN/W_cnn_")),
        ];
        for (i, &(width, n)) in characters.filters.iter().enumerate() {
            let name = format!("CNN/W_cnn_{i}");
            claims.push((format!("char_cnn.filters[{i}][0]"), width, size(&name, 4, 1)));
            claims.push((format!("char_cnn.filters[{i}][1]"), n, size(&name, 4, 3)));
        }
        for (field, found, expected) in claims {
            if let Some(expected) = expected.filter(|&expected| expected != found) {
                let expected = format!("{expected} as in {}", weights.path().display());
                return Err(EncoderError::options(path, &field, &expected, found));
            }
        }
        Ok(())
    }
}

impl Weights {
    /// Whether there is a projection after the filters. A model with as many filters as the width of its states may
    /// have none.
    pub fn has_projection(&self, options: &Options) -> bool {
        options.n_filters() != options.lstm.projection_dim || self.shape("CNN_proj/W_proj").is_some()
    }

    /// Writes the tensors that the options require to a safetensors file.
    pub fn save_safetensors(&self, options: &Options, path: &Path) -> Result<(), EncoderError> {
        let mut tensors = Vec::new();
        for (name, shape) in options.tensors(self.has_projection(options)) {
            let bytes = self.read(&name, &shape)?.iter().flat_map(|x| x.to_le_bytes()).collect();
            tensors.push((name, Stored { shape, bytes }));
        }
        // The file gets its name when it is complete, so that no reader finds a part of it.
        let partial = path.with_extension("safetensors.partial");
        let written = serialize_to_file(tensors, None, &partial).map_err(std::io::Error::other);
        let written = written.and_then(|()| fs::rename(&partial, path));
        written.map_err(|source| EncoderError::io(path, source))
    }
}

/// A tensor to write.
struct Stored {
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl View for Stored {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}
