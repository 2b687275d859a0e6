//! Token vectors from characters: convolution filters, maximum over time, highway layers, projection (Peters et al.
//! 2018, section 3.4, after Kim et al. 2016).

use burn::tensor::{
    Device, Int, Tensor, TensorData,
    activation::{relu, sigmoid},
};

use super::{
    characters::{self, N_IDS},
    options::{Activation, Options},
    weights::Weights,
};
use crate::error::EncoderError;

/// Number of words per batch.
const WORDS_PER_BATCH: usize = 128;

/// The character encoder. The vector of a token depends on the token alone.
#[derive(Debug)]
pub(super) struct CharacterCnn {
    device: Device,
    max_characters: usize,
    activation: Activation,
    /// `[261, d_character]`
    embedding: Tensor<2>,
    filters: Vec<Filter>,
    highways: Vec<Highway>,
    projection: Option<Linear>,
}

/// Filters of one width.
#[derive(Debug)]
struct Filter {
    width: usize,
    /// `[width * d_character, n]` and `[n]`
    linear: Linear,
}

/// `y = g relu(x W_t + b_t) + (1 - g) x`, `g = sigmoid(x W_c + b_c)`.
#[derive(Debug)]
struct Highway {
    carry: Linear,
    transform: Linear,
}

/// `x W + b`.
#[derive(Debug)]
struct Linear {
    weight: Tensor<2>,
    bias: Tensor<1>,
}

impl Linear {
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        x.matmul(self.weight.clone()) + self.bias.clone().unsqueeze()
    }
}

impl CharacterCnn {
    pub fn load(options: &Options, weights: &Weights, device: &Device) -> Result<Self, EncoderError> {
        let characters = &options.char_cnn;
        let d_character = characters.embedding.dim;
        let tensor = |values: Vec<f32>, shape: [usize; 2]| Tensor::from_data(TensorData::new(values, shape), device);
        let linear = |weight: &str, shape: &[usize], bias: &str| {
            let n = shape[shape.len() - 1];
            let values = weights.read(weight, shape)?;
            let bias = TensorData::new(weights.read(bias, &[n])?, [n]);
            let rows = values.len() / n;
            Ok::<_, EncoderError>(Linear { weight: tensor(values, [rows, n]), bias: Tensor::from_data(bias, device) })
        };
        let mut filters = Vec::new();
        for (i, &(width, n)) in characters.filters.iter().enumerate() {
            let shape = [1, width, d_character, n];
            let linear = linear(&format!("CNN/W_cnn_{i}"), &shape, &format!("CNN/b_cnn_{i}"))?;
            filters.push(Filter { width, linear });
        }
        let n_filters = options.n_filters();
        let mut highways = Vec::new();
        for i in 0..characters.n_highway {
            let gate = |gate: &str| {
                let name = |kind: &str| format!("CNN_high_{i}/{kind}_{gate}");
                linear(&name("W"), &[n_filters, n_filters], &name("b"))
            };
            highways.push(Highway { carry: gate("carry")?, transform: gate("transform")? });
        }
        let d_projection = options.lstm.projection_dim;
        let projection = if weights.has_projection(options) {
            Some(linear("CNN_proj/W_proj", &[n_filters, d_projection], "CNN_proj/b_proj")?)
        } else {
            None
        };
        Ok(Self {
            device: device.clone(),
            max_characters: characters.max_characters_per_token,
            activation: characters.activation,
            embedding: tensor(weights.read("char_embed", &[N_IDS, d_character])?, [N_IDS, d_character]),
            filters,
            highways,
            projection,
        })
    }

    /// Calls `receive` with the index and the vector of every word. Words are clipped tokens.
    pub fn vectors(&self, words: &[&[u8]], mut receive: impl FnMut(usize, &[f32])) {
        // Batches of similar lengths need less padding.
        let mut order: Vec<usize> = (0..words.len()).collect();
        order.sort_by_key(|&i| characters::n_characters(words[i]));
        for batch in order.chunks(WORDS_PER_BATCH) {
            let chosen: Vec<&[u8]> = batch.iter().map(|&i| words[i]).collect();
            let vectors = self.forward(&chosen);
            let width = vectors.dims()[1];
            let values = vectors.into_data().convert::<f32>().try_into_vec::<f32>().expect("f32 values");
            for (&i, vector) in batch.iter().zip(values.chunks_exact(width)) {
                receive(i, vector);
            }
        }
    }

    /// The vectors of the words, of which the last is the longest. `[words, d_projection]`
    fn forward(&self, words: &[&[u8]]) -> Tensor<2> {
        // All windows of nothing but padding have the same score, so one of them is enough for the maximum over time.
        let longest = words.last().map_or(0, |word| characters::n_characters(word));
        let widest = self.filters.iter().map(|filter| filter.width).max().unwrap_or(0);
        let (n, length) = (words.len(), self.max_characters.min(longest + widest));
        let ids: Vec<i32> = words.iter().flat_map(|word| characters::ids(word, length)).map(i32::from).collect();
        let ids = Tensor::<1, Int>::from_data(TensorData::new(ids, [n * length]), &self.device);
        let d_character = self.embedding.dims()[1];
        let x = self.embedding.clone().select(0, ids).reshape([n, length, d_character]);

        let features = self.filters.iter().map(|Filter { width, linear }| {
            let windows = length - width + 1;
            let shifted = (0..*width).map(|shift| x.clone().narrow(1, shift, windows));
            let rows: Tensor<3> = Tensor::cat(shifted.collect(), 2); // [n, windows, width * d_character]
            let scores = rows.reshape([n * windows, width * d_character]).matmul(linear.weight.clone());
            let n_filters = scores.dims()[1];
            // The bias is constant over time and the activation is monotonic, so both can follow the maximum.
            let best = scores.reshape([n, windows, n_filters]).max_dim(1).reshape([n, n_filters]);
            let best: Tensor<2> = best + linear.bias.clone().unsqueeze();
            match self.activation {
                Activation::Relu => relu(best),
                Activation::Tanh => best.tanh(),
            }
        });
        let mut y: Tensor<2> = Tensor::cat(features.collect(), 1);
        for highway in &self.highways {
            let gate = sigmoid(highway.carry.forward(y.clone()));
            y = y.clone() + gate * (relu(highway.transform.forward(y.clone())) - y);
        }
        match &self.projection {
            Some(projection) => projection.forward(y),
            None => y,
        }
    }
}
