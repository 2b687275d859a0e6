//! The definition of the LSTM with projection in burn operations, for every backend.

use burn::tensor::{Device, Tensor, TensorData, activation::sigmoid};

use super::{ProjectedLstmWeights, pieces};

/// The LSTM with projection in burn operations.
#[derive(Debug)]
pub(super) struct Reference {
    w_ih: Tensor<2>,
    w_hh: Tensor<2>,
    bias: Tensor<2>,
    projection: Tensor<2>,
    cell_clip: f32,
    state_clip: f32,
}

impl Reference {
    pub fn new(weights: ProjectedLstmWeights, device: &Device) -> Self {
        let ProjectedLstmWeights { d_input, d_state, d_cell, mut gates, bias, projection, cell_clip, state_clip } =
            weights;
        let tensor = |values: Vec<f32>, shape: [usize; 2]| Tensor::from_data(TensorData::new(values, shape), device);
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

    pub fn run(&self, x: &[f32], live: &[usize], states: &mut [f32], cells: &mut [f32]) -> Vec<f32> {
        let device = self.w_ih.device();
        let ([d_input, _], [d_cell, d_state]) = (self.w_ih.dims(), self.projection.dims());
        let tensor = |values: &[f32], width: usize| {
            Tensor::<2>::from_data(TensorData::new(values.to_vec(), [values.len() / width, width]), &device)
        };
        let values = |x: Tensor<2>| x.into_data().convert::<f32>().try_into_vec::<f32>().expect("f32 values");
        let clip = |x: Tensor<2>, bound: f32| if bound.is_finite() { x.clamp(-bound, bound) } else { x };
        let Some(&n_sequences) = live.first() else { return Vec::new() };
        let mut h = tensor(&states[..n_sequences * d_state], d_state);
        let mut c = tensor(&cells[..n_sequences * d_cell], d_cell);
        // The sequences that end first come last. Their final states are taken off the end.
        let mut keep = |h: &mut Tensor<2>, c: &mut Tensor<2>, n: usize| {
            let before = h.dims()[0];
            if n < before {
                let end = |x: &Tensor<2>| values(x.clone().narrow(0, n, before - n));
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
            output.extend(values(Tensor::cat(steps, 0)));
        }
        keep(&mut h, &mut c, 0);
        output
    }
}
