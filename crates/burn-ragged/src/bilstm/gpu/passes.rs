//! The recurrence of an LSTM in both directions, in one launch. A cube processes one sequence in one direction, with
//! the state in shared memory.
//!
//! Unit (j, part) of a cube works on value j of the state. The sum over the previous state (forward) or the gates
//! (backward) is cut into `split` parts, so that enough reads of the weights are in flight.

use burn_cubecl::cubecl::{self, prelude::*};

/// The forward pass. All arrays are contiguous.
///
/// # Shapes
/// - gates: `[2, batch, steps, 4 hidden]`, the input's contribution to the gates
/// - w_hh: `[2, hidden, 4 hidden]`
/// - lengths: `[batch]`
/// - states: `[batch, steps, 2 hidden]`, zero at padding
/// - cells: `[2, batch, steps, hidden]`, not written at padding
/// - activations: `[2, batch, steps, 4 hidden]` of the gates, not written at padding
#[cube(launch)]
pub(super) fn forward(
    gates: &[f32],
    w_hh: &[f32],
    lengths: &[i32],
    states: &mut [f32],
    cells: &mut [f32],
    activations: &mut [f32],
    batch: usize,
    steps: usize,
    #[comptime] hidden: usize,
    #[comptime] split: usize,
) {
    let j = UNIT_POS_X as usize;
    let part = UNIT_POS_Y as usize;
    let sequence = CUBE_POS_X as usize;
    let direction = CUBE_POS_Y as usize;
    let n = usize::cast_from(lengths[sequence]);
    let chunk = comptime!(hidden / split);

    let mut h = Shared::<[f32]>::new_slice(hidden);
    let mut sums = Shared::<[f32]>::new_slice(comptime!(4 * hidden * split));
    let mut c = f32::new(0.0);
    if part == 0 {
        h[j] = f32::new(0.0);
    }
    sync_cube();
    for step in 0..steps {
        if step < n {
            let mut input = f32::new(0.0);
            let mut forget = f32::new(0.0);
            let mut cell = f32::new(0.0);
            let mut output = f32::new(0.0);
            for i in 0..chunk {
                let k = part * chunk + i;
                let row = (direction * hidden + k) * 4 * hidden + j;
                let earlier = h[k];
                input += earlier * w_hh[row];
                forget += earlier * w_hh[row + hidden];
                cell += earlier * w_hh[row + 2 * hidden];
                output += earlier * w_hh[row + 3 * hidden];
            }
            let own = part * 4 * hidden + j;
            sums[own] = input;
            sums[own + hidden] = forget;
            sums[own + 2 * hidden] = cell;
            sums[own + 3 * hidden] = output;
        }
        sync_cube();
        if part == 0 {
            if step < n {
                let t = place(direction, step, n);
                let element = (direction * batch + sequence) * steps + t;
                let at = element * 4 * hidden + j;
                let i = sigmoid(gates[at] + total(&sums, j, hidden, split));
                let f = sigmoid(gates[at + hidden] + total(&sums, hidden + j, hidden, split));
                let g = tanh(gates[at + 2 * hidden] + total(&sums, 2 * hidden + j, hidden, split));
                let o = sigmoid(gates[at + 3 * hidden] + total(&sums, 3 * hidden + j, hidden, split));
                c = f * c + i * g;
                let state = o * tanh(c);
                h[j] = state;
                states[((sequence * steps + t) * 2 + direction) * hidden + j] = state;
                cells[element * hidden + j] = c;
                activations[at] = i;
                activations[at + hidden] = f;
                activations[at + 2 * hidden] = g;
                activations[at + 3 * hidden] = o;
            } else {
                states[((sequence * steps + step) * 2 + direction) * hidden + j] = f32::new(0.0);
            }
        }
        sync_cube();
    }
}

/// The backward pass. All arrays are contiguous.
///
/// # Shapes
/// - gradient: `[batch, steps, 2 hidden]`, of the states
/// - states, cells, activations, lengths: as in [`forward`]
/// - w_hh: `[2, 4 hidden, hidden]`, transposed
/// - gates: `[2, batch, steps, 4 hidden]`, the gradient of the gates, zero at padding
/// - earlier: `[2, batch, steps, hidden]`, the state at the start of each step, zero at padding
#[cube(launch)]
pub(super) fn backward(
    gradient: &[f32],
    states: &[f32],
    cells: &[f32],
    activations: &[f32],
    w_hh: &[f32],
    lengths: &[i32],
    gates: &mut [f32],
    earlier: &mut [f32],
    batch: usize,
    steps: usize,
    #[comptime] hidden: usize,
    #[comptime] split: usize,
) {
    let j = UNIT_POS_X as usize;
    let part = UNIT_POS_Y as usize;
    let sequence = CUBE_POS_X as usize;
    let direction = CUBE_POS_Y as usize;
    let n = usize::cast_from(lengths[sequence]);
    let chunk = comptime!(4 * hidden / split);

    let mut step_gates = Shared::<[f32]>::new_slice(comptime!(4 * hidden));
    let mut sums = Shared::<[f32]>::new_slice(comptime!(hidden * split));
    let mut d_state = f32::new(0.0);
    let mut d_cell = f32::new(0.0);
    for step in 0..steps {
        if part == 0 {
            if step < n {
                // The last step comes first.
                let t = place(direction, n - 1 - step, n);
                let element = (direction * batch + sequence) * steps + t;
                let at = element * 4 * hidden + j;
                let has_earlier = step + 1 < n;
                let before = select(has_earlier, place(direction, select(has_earlier, n - 2 - step, 0), n), t);
                let state_before = states[((sequence * steps + before) * 2 + direction) * hidden + j];
                let cell_before = cells[((direction * batch + sequence) * steps + before) * hidden + j];
                let zero = f32::new(0.0);
                let one = f32::new(1.0);
                let i = activations[at];
                let f = activations[at + hidden];
                let g = activations[at + 2 * hidden];
                let o = activations[at + 3 * hidden];
                let squashed = tanh(cells[element * hidden + j]);
                let dh = d_state + gradient[((sequence * steps + t) * 2 + direction) * hidden + j];
                let dc = d_cell + dh * o * (one - squashed * squashed);
                let d_input = dc * g * i * (one - i);
                let d_forget = select(has_earlier, dc * cell_before * f * (one - f), zero);
                let d_gate = dc * i * (one - g * g);
                let d_output = dh * squashed * o * (one - o);
                d_cell = dc * f;
                step_gates[j] = d_input;
                step_gates[hidden + j] = d_forget;
                step_gates[2 * hidden + j] = d_gate;
                step_gates[3 * hidden + j] = d_output;
                gates[at] = d_input;
                gates[at + hidden] = d_forget;
                gates[at + 2 * hidden] = d_gate;
                gates[at + 3 * hidden] = d_output;
                earlier[element * hidden + j] = select(has_earlier, state_before, zero);
            } else {
                let element = (direction * batch + sequence) * steps + step;
                let at = element * 4 * hidden + j;
                gates[at] = f32::new(0.0);
                gates[at + hidden] = f32::new(0.0);
                gates[at + 2 * hidden] = f32::new(0.0);
                gates[at + 3 * hidden] = f32::new(0.0);
                earlier[element * hidden + j] = f32::new(0.0);
            }
        }
        sync_cube();
        if step < n {
            let mut sum = f32::new(0.0);
            for i in 0..chunk {
                let gate = part * chunk + i;
                sum += step_gates[gate] * w_hh[(direction * 4 * hidden + gate) * hidden + j];
            }
            sums[part * hidden + j] = sum;
        }
        sync_cube();
        if part == 0 && step < n {
            d_state = sums[j];
            #[unroll]
            for other in 1..split {
                d_state += sums[other * hidden + j];
            }
        }
    }
}

/// The element that a direction reads at a step. The backward direction starts at the end of the sequence.
#[cube]
fn place(direction: usize, step: usize, n: usize) -> usize {
    select(direction == 0, step, n - 1 - step)
}

/// Value `of` of the gates, summed over all parts.
#[cube]
fn total(sums: &[f32], of: usize, #[comptime] hidden: usize, #[comptime] split: usize) -> f32 {
    let mut sum = sums[of];
    #[unroll]
    for part in 1..split {
        sum += sums[part * 4 * hidden + of];
    }
    sum
}

#[cube]
fn sigmoid(x: f32) -> f32 {
    f32::new(1.0) / (f32::new(1.0) + f32::exp(-x))
}

/// The hyperbolic tangent by the sigmoid, which does not overflow.
#[cube]
fn tanh(x: f32) -> f32 {
    f32::new(2.0) * sigmoid(f32::new(2.0) * x) - f32::new(1.0)
}
