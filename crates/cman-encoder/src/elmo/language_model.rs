//! The layers of the bidirectional language model (Peters et al. 2018, section 3.1), each direction on its own.

use burn::tensor::{DType, Device, Tensor, TensorData, activation::sigmoid};

use super::{options::Options, tensors::cell, weights::Weights};
use crate::{
    encoder::EncoderError,
    kernels::{LstmWeights, ProjectedLstm, on_host, pieces},
};

/// All layers of one direction.
#[derive(Debug)]
pub(super) struct Direction {
    layers: Vec<Layer>,
    use_skip_connections: bool,
}

/// What a layer of one direction carries from step to step, for some sentences.
#[derive(Clone, Debug, Default)]
pub(super) struct LayerState {
    /// `[sentences, d_state]`
    pub states: Vec<f32>,
    /// `[sentences, d_cell]`
    pub cells: Vec<f32>,
}

#[derive(Debug)]
enum Layer {
    /// On the CPU backends.
    Packed(ProjectedLstm),
    /// Anywhere.
    Composed(Box<ComposedLstm>),
}

impl Direction {
    /// The layers of a direction, 0 forward, 1 backward.
    pub fn load(direction: usize, options: &Options, weights: &Weights, device: &Device) -> Result<Self, EncoderError> {
        let layers = (0..options.lstm.n_layers).map(|layer| {
            let weights = read(&cell(direction, layer), options, weights)?;
            Ok(if on_host(device.clone(), DType::F32) {
                Layer::Packed(ProjectedLstm::new(&weights))
            } else {
                Layer::Composed(Box::new(ComposedLstm::new(weights, device)))
            })
        });
        let use_skip_connections = options.lstm.use_skip_connections;
        Ok(Self { layers: layers.collect::<Result<_, EncoderError>>()?, use_skip_connections })
    }

    /// The input `[rows, d_state]` and every layer's output of the same shape; rows as in [`ProjectedLstm::run`].
    pub fn run(&self, x: Vec<f32>, live: &[usize], states: &mut [LayerState]) -> Vec<Vec<f32>> {
        let mut outputs = vec![x];
        for (i, (layer, LayerState { states, cells })) in self.layers.iter().zip(states).enumerate() {
            let x = &outputs[i];
            let mut y = match layer {
                Layer::Packed(layer) => layer.run(x, live, states, cells),
                Layer::Composed(layer) => layer.run(x, live, states, cells),
            };
            // The state that goes to the next step is the one before the addition.
            if i > 0 && self.use_skip_connections {
                y.iter_mut().zip(x).for_each(|(y, x)| *y += x);
            }
            outputs.push(y);
        }
        outputs
    }
}

/// One layer's weights, with the constant that the published code adds to the forget gate.
fn read(cell: &str, options: &Options, weights: &Weights) -> Result<LstmWeights, EncoderError> {
    let (d_state, d_cell) = (options.lstm.projection_dim, options.lstm.dim);
    let mut bias = weights.read(&format!("{cell}B"), &[4 * d_cell])?;
    bias[2 * d_cell..3 * d_cell].iter_mut().for_each(|forget| *forget += 1.0);
    let clip = |clip: Option<f32>| clip.filter(|&clip| clip > 0.0).unwrap_or(f32::INFINITY);
    Ok(LstmWeights {
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

/// [`ProjectedLstm`] made of plain burn operations: its definition, for every backend.
#[derive(Debug)]
struct ComposedLstm {
    w_ih: Tensor<2>,
    w_hh: Tensor<2>,
    bias: Tensor<2>,
    projection: Tensor<2>,
    cell_clip: f32,
    state_clip: f32,
}

impl ComposedLstm {
    fn new(weights: LstmWeights, device: &Device) -> Self {
        let LstmWeights { d_input, d_state, d_cell, mut gates, bias, projection, cell_clip, state_clip } = weights;
        let tensor = |numbers: Vec<f32>, shape: [usize; 2]| Tensor::from_data(TensorData::new(numbers, shape), device);
        let w_hh = gates.split_off(d_input * 4 * d_cell);
        Self {
            w_ih: tensor(gates, [d_input, 4 * d_cell]),
            w_hh: tensor(w_hh, [d_state, 4 * d_cell]),
            bias: tensor(bias, [1, 4 * d_cell]),
            projection: tensor(projection, [d_cell, d_state]),
            cell_clip,
            state_clip,
        }
    }

    fn run(&self, x: &[f32], live: &[usize], states: &mut [f32], cells: &mut [f32]) -> Vec<f32> {
        let device = self.w_ih.device();
        let ([d_input, _], [d_cell, d_state]) = (self.w_ih.dims(), self.projection.dims());
        let tensor = |numbers: &[f32], width: usize| {
            Tensor::<2>::from_data(TensorData::new(numbers.to_vec(), [numbers.len() / width, width]), &device)
        };
        let numbers = |x: Tensor<2>| x.into_data().convert::<f32>().try_into_vec::<f32>().expect("f32 numbers");
        let clip = |x: Tensor<2>, bound: f32| if bound.is_finite() { x.clamp(-bound, bound) } else { x };
        let Some(&n_sentences) = live.first() else { return Vec::new() };
        let mut h = tensor(&states[..n_sentences * d_state], d_state);
        let mut c = tensor(&cells[..n_sentences * d_cell], d_cell);
        // The sentences that end first come last: their final states are taken off the end.
        let mut keep = |h: &mut Tensor<2>, c: &mut Tensor<2>, n: usize| {
            let before = h.dims()[0];
            if n < before {
                let end = |x: &Tensor<2>| numbers(x.clone().narrow(0, n, before - n));
                states[n * d_state..before * d_state].copy_from_slice(&end(h));
                cells[n * d_cell..before * d_cell].copy_from_slice(&end(c));
                if n > 0 {
                    *h = h.clone().narrow(0, 0, n);
                    *c = c.clone().narrow(0, 0, n);
                }
            }
        };
        let mut output = Vec::with_capacity(live.iter().sum::<usize>() * d_state);
        let mut x = x;
        for piece in pieces(live) {
            let n_rows: usize = live[piece.clone()].iter().sum();
            let (of_piece, rest) = x.split_at(n_rows * d_input);
            x = rest;
            let gates = tensor(of_piece, d_input).matmul(self.w_ih.clone()) + self.bias.clone(); // [rows, 4 d_cell]
            let mut row = 0;
            let mut steps = Vec::with_capacity(piece.len());
            for &n in &live[piece] {
                keep(&mut h, &mut c, n);
                let gates = gates.clone().narrow(0, row, n) + h.matmul(self.w_hh.clone());
                let gate = |i: usize| gates.clone().narrow(1, i * d_cell, d_cell);
                c = clip(sigmoid(gate(2)) * c + sigmoid(gate(0)) * gate(1).tanh(), self.cell_clip);
                h = (sigmoid(gate(3)) * c.clone().tanh()).matmul(self.projection.clone());
                h = clip(h, self.state_clip);
                steps.push(h.clone());
                row += n;
            }
            output.extend(numbers(Tensor::cat(steps, 0)));
        }
        keep(&mut h, &mut c, 0);
        output
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Backend, kernels::with_every_width, random::Key};

    fn weights(d_input: usize, d_state: usize, d_cell: usize, clip: f32) -> LstmWeights {
        let draw = |site: &str, n: usize| Key::new(1).at(site).uniform(n, 0.6);
        LstmWeights {
            d_input,
            d_state,
            d_cell,
            gates: draw("gates", (d_input + d_state) * 4 * d_cell),
            bias: draw("bias", 4 * d_cell),
            projection: draw("projection", d_cell * d_state),
            cell_clip: clip,
            state_clip: clip,
        }
    }

    #[test]
    fn elmo_kernel_equals_its_twin_whatever_the_lengths_and_widths() {
        let ragged: Vec<usize> = (0..130).map(|t| 8 - t / 17).collect();
        for (live, [d_input, d_state, d_cell], clip) in [
            (vec![1], [3, 3, 5], f32::INFINITY),
            (vec![7, 7, 4, 1, 1], [6, 6, 20], 0.3),
            (ragged, [5, 7, 33], 0.5), // more rows than are held at once
            (vec![], [2, 2, 3], 1.0),
        ] {
            let rows: usize = live.iter().sum();
            let n_sentences = live.first().copied().unwrap_or(0);
            let x = Key::new(2).uniform(rows * d_input, 1.0);
            let before = LayerState {
                states: Key::new(3).uniform(n_sentences * d_state, 1.0),
                cells: Key::new(4).uniform(n_sentences * d_cell, 1.0),
            };
            let packed = with_every_width(|| {
                let mut state = before.clone();
                let lstm = ProjectedLstm::new(&weights(d_input, d_state, d_cell, clip));
                (lstm.run(&x, &live, &mut state.states, &mut state.cells), state)
            });
            for backend in Backend::compiled() {
                let device = backend.device().unwrap();
                let mut state = before.clone();
                let twin = ComposedLstm::new(weights(d_input, d_state, d_cell, clip), &device);
                let expected = twin.run(&x, &live, &mut state.states, &mut state.cells);
                assert_eq!(expected.len(), rows * d_state);
                for (found, after) in &packed {
                    for (found, expected) in
                        [(found, &expected), (&after.states, &state.states), (&after.cells, &state.cells)]
                    {
                        assert_eq!(found.len(), expected.len());
                        for (a, b) in found.iter().zip(expected) {
                            assert!((a - b).abs() < 2e-6, "{backend}: {a} for {b}");
                        }
                    }
                }
            }
        }
    }
}
