//! The CPU kernel of the LSTM with projection.
//!
//! Allocation: the weights are packed once. A run allocates its output, and the gates of a piece come from pooled buffers.

use pulp::{Simd, WithSimd};

use super::{ProjectedLstmWeights, pieces};
use crate::runtime::{
    buffer::Buffer,
    product::{Base, Columns, Panels, Rows, RowsMut},
    simd::{clamp, dispatch, fma, load, sigmoid, store, tanh},
};

/// The weights, packed for the products.
#[derive(Debug)]
pub(super) struct Packed {
    w_ih: Panels,
    w_hh: Panels,
    bias: Vec<f32>,
    projection: Panels,
    cell_clip: f32,
    state_clip: f32,
}

impl Packed {
    pub fn new(weights: &ProjectedLstmWeights) -> Self {
        dispatch(PackWeights(weights))
    }

    /// See [`ProjectedLstm::run`](super::ProjectedLstm::run).
    pub fn run(&self, x: &[f32], live: &[usize], states: &mut [f32], cells: &mut [f32]) -> Vec<f32> {
        dispatch(Run { lstm: self, x, live, states, cells })
    }
}

struct PackWeights<'a>(&'a ProjectedLstmWeights);

impl WithSimd for PackWeights<'_> {
    type Output = Packed;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Packed {
        let ProjectedLstmWeights { d_input, d_state, d_cell, gates, bias, projection, cell_clip, state_clip } = self.0;
        assert_eq!((gates.len(), bias.len()), ((d_input + d_state) * 4 * d_cell, 4 * d_cell), "four gates");
        assert_eq!(projection.len(), d_cell * d_state, "a projection from cells to states");
        let (w_ih, w_hh) = gates.split_at(d_input * 4 * d_cell);
        Packed {
            w_ih: Panels::new(simd, Columns::all(w_ih, 4 * d_cell)),
            w_hh: Panels::new(simd, Columns::all(w_hh, 4 * d_cell)),
            bias: bias.clone(),
            projection: Panels::new(simd, Columns::all(projection, *d_state)),
            cell_clip: *cell_clip,
            state_clip: *state_clip,
        }
    }
}

struct Run<'a> {
    lstm: &'a Packed,
    x: &'a [f32],
    live: &'a [usize],
    states: &'a mut [f32],
    cells: &'a mut [f32],
}

impl WithSimd for Run<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
        let Self { lstm, x, live, states, cells } = self;
        let (d_input, d_state, d_cell) = (lstm.w_ih.k(), lstm.w_hh.k(), lstm.projection.k());
        let n_gates = 4 * d_cell;
        let rows: Vec<usize> = (0..live.iter().sum()).collect();
        let n_sequences = live.first().copied().unwrap_or(0);
        let mut gated = vec![0.0; n_sequences * d_cell];
        let mut output = Vec::with_capacity(rows.len() * d_state);
        let mut start = 0;
        for piece in pieces(live) {
            let n_rows = live[piece.clone()].iter().sum();
            let mut gates = Buffer::new(n_rows * n_gates);
            let from = Rows { data: x, width: d_input, index: &rows[start..start + n_rows] };
            let to = RowsMut { data: &mut gates, width: n_gates, index: &rows[..n_rows] };
            lstm.w_ih.multiply(simd, from, to, Base::Row(&lstm.bias));
            let mut row = 0;
            for &n in &live[piece] {
                let from = Rows { data: states, width: d_state, index: &rows[..n] };
                let to = RowsMut { data: &mut gates, width: n_gates, index: &rows[row..row + n] };
                lstm.w_hh.multiply(simd, from, to, Base::Old);
                let of_step = gates[row * n_gates..][..n * n_gates].chunks_exact(n_gates);
                for ((gates, cell), gated) in
                    of_step.zip(cells.chunks_exact_mut(d_cell)).zip(gated.chunks_exact_mut(d_cell))
                {
                    gate(simd, gates, cell, gated, lstm.cell_clip);
                }
                let from = Rows { data: &gated, width: d_cell, index: &rows[..n] };
                let to = RowsMut { data: states, width: d_state, index: &rows[..n] };
                lstm.projection.multiply(simd, from, to, Base::Zero);
                for state in &mut states[..n * d_state] {
                    *state = state.clamp(-lstm.state_clip, lstm.state_clip);
                }
                output.extend_from_slice(&states[..n * d_state]);
                row += n;
            }
            start += n_rows;
        }
        output
    }
}

/// One row's new cell, and what of it goes to the projection.
#[inline(always)]
fn gate<S: Simd>(simd: S, gates: &[f32], cell: &mut [f32], gated: &mut [f32], clip: f32) {
    let n = cell.len();
    let of = |gate: usize| &gates[gate * n..][..n];
    for v in 0..n.div_ceil(S::F32_LANES) {
        let input = sigmoid(simd, load(simd, of(0), v));
        let candidate = tanh(simd, load(simd, of(1), v));
        let forget = sigmoid(simd, load(simd, of(2), v));
        let output = sigmoid(simd, load(simd, of(3), v));
        let new = fma(simd, forget, load(simd, cell, v), simd.mul_f32s(input, candidate));
        let new = clamp(simd, new, clip);
        store(simd, cell, v, new);
        store(simd, gated, v, simd.mul_f32s(output, tanh(simd, new)));
    }
}
