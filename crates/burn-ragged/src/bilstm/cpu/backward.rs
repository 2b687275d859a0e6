//! The backward pass of the BiLSTM: the chain rule through its equations, from the last step to the first.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::{
    LstmSizes, Weights,
    forward::{Saved, States},
    plan::{Direction, Group, Plan, Step},
    split_mut,
};
use crate::runtime::{
    buffer::Buffer,
    parallel::for_each,
    product::{Base, OuterProducts, Panels, Rows, RowsMut, clear_padding},
    simd::{call, dispatch, fma, fnma, load, tanh, vectors, vectors_mut},
};

/// Approximate number of elements per task of the input gradient.
const INPUT_ELEMENTS: usize = 64;

/// The gradients of a BiLSTM, in the shapes of input and weights.
#[derive(Debug)]
pub(crate) struct Gradients {
    /// Of the input, if requested; zero at padding.
    pub x: Option<Buffer>,
    /// Of the input weights.
    pub w_ih: Buffer,
    /// Of the recurrent weights.
    pub w_hh: Buffer,
    /// Of the biases.
    pub bias: Buffer,
}

/// The gradients, given that of the output, `dy` `[batch, steps, 2 d_hidden]`. `x` and `weights` are those of the
/// forward pass.
pub(crate) fn backward(saved: &Saved, x: &[f32], weights: Weights, dy: &[f32], with_x: bool) -> Gradients {
    let (sizes, plan) = (saved.sizes, &saved.plan);
    let n_gates = 4 * sizes.d_padded();
    let is_large = sizes.is_large(plan.n_elements);
    let recurrent = saved.packed.recurrent(weights, sizes);

    let mut d_gates = [(); 2].map(|()| Buffer::new(plan.n_elements * n_gates));
    let mut bias_parts = vec![0.0; 2 * plan.groups.len() * n_gates];
    let mut parts = bias_parts.chunks_exact_mut(n_gates);
    let mut tasks = Vec::with_capacity(2 * plan.groups.len());
    for (direction, d_gates) in Direction::BOTH.into_iter().zip(&mut d_gates) {
        let (states, w_hh) = (&saved.directions[direction.index()], recurrent[direction.index()]);
        let pieces = plan.groups.iter().map(|group| group.n_elements * n_gates);
        for (group, d_gates) in plan.groups.iter().zip(split_mut(d_gates, pieces)) {
            let bias = parts.next().expect("a part for each task");
            tasks.push(Recurrence { sizes, group, direction, states, w_hh, dy, d_gates, bias });
        }
    }
    for_each(is_large, tasks, dispatch);
    let mut bias = Buffer::zeros(2 * n_gates);
    for (sum, parts) in bias.chunks_exact_mut(n_gates).zip(bias_parts.chunks_exact(plan.groups.len() * n_gates)) {
        for part in parts.chunks_exact(n_gates) {
            sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
    }

    let mut w_ih = Buffer::new(2 * sizes.d_input * n_gates);
    let mut w_hh = Buffer::new(2 * sizes.d_hidden * n_gates);
    let mut dx = with_x.then(|| Buffer::new(dy.len() / (2 * sizes.d_hidden) * sizes.d_input));
    let (all, padded): (Vec<usize>, Vec<usize>) = ((0..plan.n_elements).collect(), plan.padded_rows());
    let transitions = Direction::BOTH.map(|direction| direction.transitions(plan));
    // Large tasks first; the small tasks after them balance the threads.
    let mut tasks: Vec<Product> = match &mut dx {
        Some(dx) => input_tasks(plan, sizes, &d_gates, saved.packed.input(weights, sizes), dx),
        None => Vec::new(),
    };
    for (((d_gates, states), (rows, previous)), (w_ih, w_hh)) in d_gates
        .iter()
        .zip(&saved.directions)
        .zip(&transitions)
        .zip(w_ih.chunks_exact_mut(sizes.d_input * n_gates).zip(w_hh.chunks_exact_mut(sizes.d_hidden * n_gates)))
    {
        let rows_of = |data, width, index| Rows { data, width, index };
        tasks.extend(
            OuterProducts::tasks(rows_of(x, sizes.d_input, &padded), rows_of(d_gates, n_gates, &all), w_ih)
                .map(Product::Weight),
        );
        let hidden = rows_of(&states.hidden, sizes.d_padded(), previous);
        tasks.extend(OuterProducts::tasks(hidden, rows_of(d_gates, n_gates, rows), w_hh).map(Product::Weight));
    }
    for_each(is_large, tasks, dispatch);
    Gradients { x: dx, w_ih: sizes.cut_gates(w_ih), w_hh: sizes.cut_gates(w_hh), bias: sizes.cut_gates(bias) }
}

/// The backward recurrence of one direction through one group of sequences: gradients of the gates before activation.
struct Recurrence<'a> {
    sizes: LstmSizes,
    group: &'a Group,
    direction: Direction,
    states: &'a States,
    w_hh: &'a Panels,
    dy: &'a [f32],
    d_gates: &'a mut [f32],
    bias: &'a mut [f32],
}

impl WithSimd for Recurrence<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { sizes, group, direction, states, w_hh, dy, d_gates, bias } = self;
        let (d_hidden, d_padded) = (sizes.d_hidden, sizes.d_padded());
        let n_gates = 4 * d_padded;
        let n_sequences = group.sequences.len();
        let slots: Vec<usize> = (0..n_sequences).collect();
        let zero = vec![0.0; d_padded];
        // Gradients of each sequence's state and cell that come from the following step.
        let mut d_hidden_states = vec![0.0; n_sequences * d_padded];
        let mut d_cells = vec![0.0; n_sequences * d_padded];
        let mut step = Step::default();
        let n_steps = group.n_steps();
        for i in (0..n_steps).rev() {
            let t = direction.time(i, n_steps);
            direction.step(group, t, &mut step);
            let n_previous = step.previous.len();
            for (slot, &row) in step.rows.iter().enumerate() {
                let place = group.sequences[slot].index * sizes.steps + t;
                let row_of = |row: usize| (group.start + row) * d_padded;
                let forward = Forward {
                    gates: &states.gates[(group.start + row) * n_gates..][..n_gates],
                    cell: &states.cells[row_of(row)..][..d_padded],
                    previous: match step.previous.get(slot) {
                        Some(&previous) => &states.cells[row_of(previous)..][..d_padded],
                        None => &zero,
                    },
                };
                cell(
                    simd,
                    forward,
                    &dy[(2 * place + direction.index()) * d_hidden..][..d_hidden],
                    &d_hidden_states[slot * d_padded..][..d_padded],
                    &mut d_cells[slot * d_padded..][..d_padded],
                    &mut d_gates[row * n_gates..][..n_gates],
                    bias,
                );
            }
            w_hh.multiply(
                simd,
                Rows { data: d_gates, width: n_gates, index: &step.rows[..n_previous] },
                RowsMut { data: &mut d_hidden_states, width: d_padded, index: &slots[..n_previous] },
                Base::Zero,
            );
        }
    }
}

/// Values of one element that the forward pass saved.
struct Forward<'a> {
    gates: &'a [f32],
    cell: &'a [f32],
    previous: &'a [f32],
}

/// The backward pass of one element through `c = f c' + i g`, `h = o tanh(c)`. `dh` is the sum of `dy` and `d_hidden`.
/// Sets the gradients of the gates before activation. `d_cell` holds `dc` and is replaced by the gradient of `c'`.
#[inline(always)]
fn cell<S: Simd>(
    simd: S,
    forward: Forward,
    dy: &[f32],
    d_hidden: &[f32],
    d_cell: &mut [f32],
    d_gates: &mut [f32],
    bias: &mut [f32],
) {
    let d_hidden = vectors::<S>(d_hidden);
    let n = d_hidden.len();
    let d_cell = &mut vectors_mut::<S>(d_cell)[..n];
    let d_gates = &mut vectors_mut::<S>(d_gates)[..4 * n];
    let bias = &mut vectors_mut::<S>(bias)[..4 * n];
    let gates = &vectors::<S>(forward.gates)[..4 * n];
    let cell = &vectors::<S>(forward.cell)[..n];
    let previous = &vectors::<S>(forward.previous)[..n];
    let full = vectors::<S>(dy);
    let one = simd.splat_f32s(1.0);
    for j in 0..n {
        let dy = if j < full.len() { full[j] } else { load(simd, dy, j) };
        let (i, f, g, o) = (gates[j], gates[n + j], gates[2 * n + j], gates[3 * n + j]);
        let tanh_c = tanh(simd, cell[j]);
        let dh = simd.add_f32s(dy, d_hidden[j]);
        let dc = fma(simd, simd.mul_f32s(dh, o), fnma(simd, tanh_c, tanh_c, one), d_cell[j]);
        d_cell[j] = simd.mul_f32s(dc, f);
        let of_input = simd.mul_f32s(simd.mul_f32s(dc, g), fnma(simd, i, i, i));
        let of_forget = simd.mul_f32s(simd.mul_f32s(dc, previous[j]), fnma(simd, f, f, f));
        let of_cell = simd.mul_f32s(simd.mul_f32s(dc, i), fnma(simd, g, g, one));
        let of_output = simd.mul_f32s(simd.mul_f32s(dh, tanh_c), fnma(simd, o, o, o));
        for (gate, value) in [of_input, of_forget, of_cell, of_output].into_iter().enumerate() {
            let at = gate * n + j;
            d_gates[at] = value;
            bias[at] = simd.add_f32s(bias[at], value);
        }
    }
}

/// A task of the products after the recurrence.
enum Product<'a> {
    /// Rows of a weight gradient, the sum of `a[i]^T b[i]`.
    Weight(OuterProducts<'a>),
    /// The input gradient of some sequences, from the gates of both directions.
    Input {
        d_gates: [&'a [f32]; 2],
        w_ih: [&'a Panels; 2],
        from: Vec<usize>,
        rows: Vec<usize>,
        /// Lengths of the sequences.
        lengths: Vec<usize>,
        d_input: usize,
        to: &'a mut [f32],
    },
}

fn input_tasks<'a>(
    plan: &Plan,
    sizes: LstmSizes,
    d_gates: &'a [Buffer; 2],
    w_ih: [&'a Panels; 2],
    dx: &'a mut [f32],
) -> Vec<Product<'a>> {
    let mut tasks = Vec::new();
    let width = sizes.steps * sizes.d_input;
    let sequences = plan.sequences();
    let per_task = (INPUT_ELEMENTS * sequences.len()).div_ceil(plan.n_elements.max(1)).max(1);
    for (sequences, to) in sequences.chunks(per_task).zip(dx.chunks_mut(per_task * width)) {
        let from = sequences.iter().cloned().flatten().collect();
        let rows = sequences.iter().enumerate().flat_map(|(b, s)| b * sizes.steps..b * sizes.steps + s.len()).collect();
        let d_gates = d_gates.each_ref().map(|d_gates| &**d_gates);
        let lengths = sequences.iter().map(Range::len).collect();
        tasks.push(Product::Input { d_gates, w_ih, from, rows, lengths, d_input: sizes.d_input, to });
    }
    tasks
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match self {
            Self::Weight(products) => call(simd, products),
            Self::Input { d_gates, w_ih, from, rows, lengths, d_input, to } => {
                clear_padding(to, d_input, &lengths);
                for ((d_gates, w_ih), base) in d_gates.into_iter().zip(w_ih).zip([Base::Zero, Base::Old]) {
                    let from = Rows { data: d_gates, width: w_ih.k(), index: &from };
                    w_ih.multiply(simd, from, RowsMut { data: to, width: d_input, index: &rows }, base);
                }
            }
        }
    }
}
