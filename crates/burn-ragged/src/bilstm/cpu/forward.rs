//! The forward pass of the BiLSTM.

use std::sync::Arc;

use pulp::{Simd, WithSimd};

use super::{
    LstmSizes, Weights,
    packed::{DirectionPanels, PackedWeights},
    plan::{Direction, Group, Plan, Step},
    split_mut,
};
use crate::runtime::{
    buffer::Buffer,
    parallel::for_each,
    product::{Base, Rows, RowsMut},
    simd::{dispatch, fma, sigmoid, tanh, vectors, vectors_mut},
};

/// Values that the forward pass saves for the backward pass.
#[derive(Debug)]
pub(crate) struct Saved {
    pub(super) sizes: LstmSizes,
    pub(super) plan: Plan,
    pub(super) packed: Arc<PackedWeights>,
    pub(super) directions: [States; 2],
}

/// States of one direction for all elements, in the order of the plan.
#[derive(Debug)]
pub(super) struct States {
    /// The gates after activation `[elements, 4 d_padded]`.
    pub gates: Buffer,
    /// The cells `[elements, d_padded]`; empty at inference.
    pub cells: Buffer,
    /// The states `[elements, d_padded]`.
    pub hidden: Buffer,
}

/// Encodes a batch. `packed` holds the packed weights. `keep`: whether a backward pass follows.
///
/// # Shapes
/// - x: `[batch, steps, d_input]`
/// - output: `[batch, steps, 2 d_hidden]`, zero at padding
pub(crate) fn forward(
    x: &[f32],
    weights: Weights,
    sizes: LstmSizes,
    lengths: &[usize],
    packed: Arc<PackedWeights>,
    keep: bool,
) -> (Buffer, Saved) {
    let plan = Plan::new(lengths, sizes.steps);
    let is_large = sizes.is_large(plan.n_elements);
    let d_padded = sizes.d_padded();
    let states = || States {
        gates: Buffer::new(plan.n_elements * 4 * d_padded),
        cells: Buffer::new(if keep { plan.n_elements * d_padded } else { 0 }),
        hidden: Buffer::new(plan.n_elements * d_padded),
    };
    let mut directions = [states(), states()];
    let of_directions = packed.forward(weights, sizes);
    let biases = Direction::BOTH.map(|direction| sizes.of_direction(weights.bias, direction));
    let mut tasks = Vec::with_capacity(2 * plan.groups.len());
    let directed = Direction::BOTH.into_iter().zip(of_directions).zip(&biases);
    for (((direction, weights), bias), states) in directed.zip(&mut directions) {
        let pieces = |x, width: usize| split_mut(x, plan.groups.iter().map(move |group| group.n_elements * width));
        let gates = pieces(&mut states.gates, 4 * d_padded);
        let cells = pieces(&mut states.cells, if keep { d_padded } else { 0 });
        let hidden = pieces(&mut states.hidden, d_padded);
        for (((group, gates), cells), hidden) in plan.groups.iter().zip(gates).zip(cells).zip(hidden) {
            tasks.push(Task { x, sizes, group, direction, weights, bias, gates, cells, hidden });
        }
    }
    for_each(is_large, tasks, dispatch);
    let y = assemble(&plan, sizes, &directions);
    (y, Saved { sizes, plan, packed, directions })
}

/// The states of both directions, concatenated and padded.
fn assemble(plan: &Plan, sizes: LstmSizes, directions: &[States; 2]) -> Buffer {
    let (d_hidden, d_padded) = (sizes.d_hidden, sizes.d_padded());
    let sequences = plan.sequences();
    let width = sizes.steps * 2 * d_hidden;
    let mut y = Buffer::new(sequences.len() * width);
    for (y, rows) in y.chunks_exact_mut(width).zip(sequences) {
        let (elements, padding) = y.split_at_mut(rows.len() * 2 * d_hidden);
        for (to, row) in elements.chunks_exact_mut(2 * d_hidden).zip(rows) {
            for (to, states) in to.chunks_exact_mut(d_hidden).zip(directions) {
                to.copy_from_slice(&states.hidden[row * d_padded..][..d_hidden]);
            }
        }
        padding.fill(0.0);
    }
    y
}

/// The recurrence of one direction through one group of sequences.
struct Task<'a> {
    x: &'a [f32],
    sizes: LstmSizes,
    group: &'a Group,
    direction: Direction,
    weights: &'a DirectionPanels,
    bias: &'a [f32],
    gates: &'a mut [f32],
    cells: &'a mut [f32],
    hidden: &'a mut [f32],
}

impl WithSimd for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { x, sizes, group, direction, weights, bias, gates, cells, hidden } = self;
        let d_padded = sizes.d_padded();
        let n_gates = 4 * d_padded;
        let from: Vec<usize> = group.padded_rows(sizes.steps).collect();
        let to: Vec<usize> = (0..group.n_elements).collect();
        weights.w_ih.multiply(
            simd,
            Rows { data: x, width: sizes.d_input, index: &from },
            RowsMut { data: gates, width: n_gates, index: &to },
            Base::Zero,
        );
        let mut state = vec![0.0; group.sequences.len() * d_padded];
        let mut step = Step::default();
        let n_steps = group.n_steps();
        for i in 0..n_steps {
            direction.step(group, direction.time(i, n_steps), &mut step);
            weights.w_hh.multiply(
                simd,
                Rows { data: hidden, width: d_padded, index: &step.previous },
                RowsMut { data: gates, width: n_gates, index: &step.rows[..step.previous.len()] },
                Base::Old,
            );
            for (&row, state) in step.rows.iter().zip(state.chunks_exact_mut(d_padded)) {
                let gates = &mut gates[row * n_gates..][..n_gates];
                let hidden = &mut hidden[row * d_padded..][..d_padded];
                if cells.is_empty() {
                    cell(simd, gates, bias, state, hidden, false);
                } else {
                    cell(simd, gates, bias, state, hidden, true);
                    cells[row * d_padded..][..d_padded].copy_from_slice(state);
                }
            }
        }
    }
}

/// `i, f, o = sigmoid(.)`, `g = tanh(.)`, `c = f c + i g`, `h = o tanh(c)` of one element. `gates` holds the gates
/// before bias and activation. With `keep` it is replaced by the activations.
#[inline(always)]
fn cell<S: Simd>(simd: S, gates: &mut [f32], bias: &[f32], state: &mut [f32], hidden: &mut [f32], keep: bool) {
    let state = vectors_mut::<S>(state);
    let n = state.len();
    let hidden = &mut vectors_mut::<S>(hidden)[..n];
    let gates = &mut vectors_mut::<S>(gates)[..4 * n];
    let bias = &vectors::<S>(bias)[..4 * n];
    for j in 0..n {
        let i = sigmoid(simd, simd.add_f32s(gates[j], bias[j]));
        let f = sigmoid(simd, simd.add_f32s(gates[n + j], bias[n + j]));
        let g = tanh(simd, simd.add_f32s(gates[2 * n + j], bias[2 * n + j]));
        let o = sigmoid(simd, simd.add_f32s(gates[3 * n + j], bias[3 * n + j]));
        let c = fma(simd, f, state[j], simd.mul_f32s(i, g));
        state[j] = c;
        hidden[j] = simd.mul_f32s(o, tanh(simd, c));
        if keep {
            (gates[j], gates[n + j], gates[2 * n + j], gates[3 * n + j]) = (i, f, g, o);
        }
    }
}
