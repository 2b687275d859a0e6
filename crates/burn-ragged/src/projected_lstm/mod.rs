//! One direction of an LSTM whose state is projected to a smaller width and bounded (Sak et al. 2014), for inference.
//! This is the layer of ELMo.

mod cpu;
mod reference;

use std::ops::Range;

use burn::tensor::{DType, Device};

use crate::runtime::cpu_backend::has_kernels;
use reference::Reference;

/// Rows whose gates are in memory at once, unless a single step has more.
const ROWS: usize = 512;

/// The weights of one direction of one layer:
///
/// `i, g, f, o = W [x; h'] + b`, `c = clip(sigmoid(f) c' + sigmoid(i) tanh(g))`, `h = clip(P (sigmoid(o) tanh(c)))`.
#[derive(Clone, Debug)]
pub struct ProjectedLstmWeights {
    /// Width of the input.
    pub d_input: usize,
    /// Width of the state.
    pub d_state: usize,
    /// Width of the cell.
    pub d_cell: usize,
    /// `[d_input + d_state, 4 d_cell]`, the gates in the order input, cell, forget, output.
    pub gates: Vec<f32>,
    /// `[4 d_cell]`
    pub bias: Vec<f32>,
    /// `[d_cell, d_state]`
    pub projection: Vec<f32>,
    /// Bound of the cell; infinite if there is none.
    pub cell_clip: f32,
    /// Bound of the state; infinite if there is none.
    pub state_clip: f32,
}

/// An LSTM with projection, ready to run on one device.
#[derive(Debug)]
pub struct ProjectedLstm(Layer);

#[derive(Debug)]
enum Layer {
    /// On the CPU backends.
    Packed(cpu::Packed),
    /// On every other backend.
    Reference(Box<Reference>),
}

impl ProjectedLstm {
    /// An LSTM of these weights on `device`.
    ///
    /// # Panics
    /// If the sizes of the weights do not fit each other.
    pub fn new(weights: ProjectedLstmWeights, device: &Device) -> Self {
        Self(if has_kernels(device, DType::F32) {
            Layer::Packed(cpu::Packed::new(&weights))
        } else {
            Layer::Reference(Box::new(Reference::new(weights, device)))
        })
    }

    /// Runs through `live.len()` steps. Step `i` has a row for each of the first `live[i]` sequences.
    ///
    /// # Shapes
    /// - x: `[sum of live, d_input]`, the rows step by step
    /// - states: `[sequences, d_state]`, those before the first step; on return, those after each sequence's last step
    /// - cells: `[sequences, d_cell]`, likewise
    /// - output: `[sum of live, d_state]`
    ///
    /// # Panics
    /// If a step has more rows than the step before it.
    pub fn run(&self, x: &[f32], live: &[usize], states: &mut [f32], cells: &mut [f32]) -> Vec<f32> {
        assert!(live.is_sorted_by(|a, b| a >= b), "sequences from the longest to the shortest");
        match &self.0 {
            Layer::Packed(layer) => layer.run(x, live, states, cells),
            Layer::Reference(layer) => layer.run(x, live, states, cells),
        }
    }
}

/// Cuts `live`, the number of rows of each step, into pieces of steps with at most [`ROWS`] rows together.
fn pieces(live: &[usize]) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let mut rows = 0;
        let fits = |n: &&usize| {
            rows += **n;
            rows <= ROWS
        };
        let steps = live[start..].iter().take_while(fits).count().max(1);
        let piece = start..(start + steps).min(live.len());
        start = piece.end;
        (!piece.is_empty()).then_some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{device::DeviceKind, random::Key, runtime::simd::tests::with_every_width};

    fn weights(d_input: usize, d_state: usize, d_cell: usize, clip: f32) -> ProjectedLstmWeights {
        let draw = |site: &str, n: usize| Key::new(1).at(site).uniform(n, 0.6);
        ProjectedLstmWeights {
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
    fn the_kernel_equals_its_definition_for_all_lengths_and_widths() {
        let ragged: Vec<usize> = (0..130).map(|t| 8 - t / 17).collect();
        for (live, [d_input, d_state, d_cell], clip) in [
            (vec![1], [3, 3, 5], f32::INFINITY),
            (vec![7, 7, 4, 1, 1], [6, 6, 20], 0.3),
            (ragged, [5, 7, 33], 0.5), // more rows than are held at once
            (vec![], [2, 2, 3], 1.0),
        ] {
            let rows: usize = live.iter().sum();
            let n_sequences = live.first().copied().unwrap_or(0);
            let x = Key::new(2).uniform(rows * d_input, 1.0);
            let before =
                (Key::new(3).uniform(n_sequences * d_state, 1.0), Key::new(4).uniform(n_sequences * d_cell, 1.0));
            let packed = with_every_width(|| {
                let mut state = before.clone();
                let lstm = cpu::Packed::new(&weights(d_input, d_state, d_cell, clip));
                (lstm.run(&x, &live, &mut state.0, &mut state.1), state)
            });
            for kind in DeviceKind::compiled() {
                let Ok(device) = kind.device() else { continue };
                let mut state = before.clone();
                let reference = Reference::new(weights(d_input, d_state, d_cell, clip), &device);
                let expected = reference.run(&x, &live, &mut state.0, &mut state.1);
                assert_eq!(expected.len(), rows * d_state);
                for (found, after) in &packed {
                    for (found, expected) in [(found, &expected), (&after.0, &state.0), (&after.1, &state.1)] {
                        assert_eq!(found.len(), expected.len());
                        for (a, b) in found.iter().zip(expected) {
                            assert!((a - b).abs() < 2e-6, "{kind}: {a} for {b}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn pieces_cover_all_steps_and_are_small() {
        for live in [vec![], vec![1; 2000], vec![600, 600, 3, 3], vec![200, 200, 100, 12, 1], vec![512, 1]] {
            let mut next = 0;
            for piece in pieces(&live) {
                assert_eq!(piece.start, next);
                assert!(live[piece.clone()].iter().sum::<usize>() <= ROWS || piece.len() == 1);
                next = piece.end;
            }
            assert_eq!(next, live.len());
        }
    }
}
