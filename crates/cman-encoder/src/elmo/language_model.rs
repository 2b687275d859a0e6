//! The bidirectional language model (Peters et al. 2018, section 3.1). Each direction runs through all its layers
//! independently of the other.

use std::sync::Arc;

use burn::tensor::Device;
use burn_ragged::{
    is_cpu,
    parallel::join,
    projected_lstm::{ProjectedLstm, ProjectedLstmWeights},
};

use super::{
    options::Options,
    state::{LayerState, StateSizes, States},
    tensors::cell,
    weights::Weights,
};
use crate::error::EncoderError;

/// Both directions of the language model.
#[derive(Debug)]
pub(super) struct LanguageModel {
    /// Forward and backward.
    directions: [Direction; 2],
    pub sizes: StateSizes,
    /// Whether directions and batches may run on several threads.
    pub is_parallel: bool,
}

/// All layers of one direction.
#[derive(Debug)]
struct Direction {
    layers: Vec<ProjectedLstm>,
    use_skip_connections: bool,
}

impl LanguageModel {
    pub fn load(options: &Options, weights: &Weights, device: &Device) -> Result<Self, EncoderError> {
        let load = |direction| Direction::load(direction, options, weights, device);
        Ok(Self {
            directions: [load(0)?, load(1)?],
            sizes: StateSizes {
                n_layers: options.lstm.n_layers,
                d_state: options.lstm.projection_dim,
                d_cell: options.lstm.dim,
            },
            is_parallel: is_cpu(device),
        })
    }

    /// The vectors of each sentence, `[tokens, layers, 2 d_state]` without its boundary marks. `sentences` holds the
    /// rows of their words in `vectors`, with boundary marks, from the longest sentence to the shortest. `states` are
    /// those before the first step; on return, those after each sentence's last step.
    pub fn run(&self, sentences: &[&[usize]], vectors: &[Arc<[f32]>], states: &mut States) -> Vec<Vec<f32>> {
        let StateSizes { n_layers, d_state, .. } = self.sizes;
        let steps = sentences.first().map_or(0, |sentence| sentence.len());
        // The number of sentences that are longer than `t`.
        let live: Vec<usize> = (0..steps).map(|t| sentences.partition_point(|sentence| sentence.len() > t)).collect();
        let [forward, backward] = states;
        let run = |direction: usize, states: &mut [LayerState]| {
            let mut x = Vec::with_capacity(live.iter().sum::<usize>() * d_state);
            for (t, &n) in live.iter().enumerate() {
                for sentence in &sentences[..n] {
                    let place = if direction == 0 { t } else { sentence.len() - 1 - t };
                    x.extend_from_slice(&vectors[sentence[place]]);
                }
            }
            self.directions[direction].run(x, &live, states)
        };
        let (forward, backward) = join(self.is_parallel, || run(0, forward), || run(1, backward));
        // The first row of each step.
        let mut starts = Vec::with_capacity(steps);
        let mut start = 0;
        for &n in &live {
            starts.push(start);
            start += n;
        }
        let of_sentence = |(slot, sentence): (usize, &&[usize])| {
            let last = sentence.len() - 1;
            let mut vectors = Vec::with_capacity((last - 1) * (1 + n_layers) * 2 * d_state);
            for t in 1..last {
                for (forward, backward) in forward.iter().zip(&backward) {
                    for (layer, step) in [(forward, t), (backward, last - t)] {
                        vectors.extend_from_slice(&layer[(starts[step] + slot) * d_state..][..d_state]);
                    }
                }
            }
            vectors
        };
        sentences.iter().enumerate().map(of_sentence).collect()
    }
}

impl Direction {
    /// The layers of a direction: 0 forward, 1 backward.
    fn load(direction: usize, options: &Options, weights: &Weights, device: &Device) -> Result<Self, EncoderError> {
        let layers = (0..options.lstm.n_layers).map(|layer| {
            let weights = read(&cell(direction, layer), options, weights)?;
            Ok(ProjectedLstm::new(weights, device))
        });
        let use_skip_connections = options.lstm.use_skip_connections;
        Ok(Self { layers: layers.collect::<Result<_, EncoderError>>()?, use_skip_connections })
    }

    /// The input and the output of every layer, `[rows, d_state]` each. The rows are those of [`ProjectedLstm::run`].
    fn run(&self, x: Vec<f32>, live: &[usize], states: &mut [LayerState]) -> Vec<Vec<f32>> {
        let mut outputs = vec![x];
        for (i, (layer, LayerState { states, cells })) in self.layers.iter().zip(states).enumerate() {
            let x = &outputs[i];
            let mut y = layer.run(x, live, states, cells);
            // The next step gets the state without the input of the layer.
            if i > 0 && self.use_skip_connections {
                y.iter_mut().zip(x).for_each(|(y, x)| *y += x);
            }
            outputs.push(y);
        }
        outputs
    }
}

/// The weights of one layer, with the constant that the published code adds to the bias of the forget gate.
fn read(cell: &str, options: &Options, weights: &Weights) -> Result<ProjectedLstmWeights, EncoderError> {
    let (d_state, d_cell) = (options.lstm.projection_dim, options.lstm.dim);
    let mut bias = weights.read(&format!("{cell}B"), &[4 * d_cell])?;
    bias[2 * d_cell..3 * d_cell].iter_mut().for_each(|forget| *forget += 1.0);
    let clip = |clip: Option<f32>| clip.filter(|&clip| clip > 0.0).unwrap_or(f32::INFINITY);
    Ok(ProjectedLstmWeights {
        d_input: d_state,
        d_state,
        d_cell,
        gates: weights.read(&format!("{cell}W_0"), &[2 * d_state, 4 * d_cell])?,
        bias,
        projection: weights.read(&format!("{cell}W_P_0"), &[d_cell, d_state])?,
        cell_clip: clip(options.lstm.cell_clip),
        state_clip: clip(options.lstm.proj_clip),
    })
}
