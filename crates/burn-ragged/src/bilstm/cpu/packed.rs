//! The weights, packed for the products.

use super::{LstmSizes, Weights, plan::Direction};
use crate::runtime::{
    once_pair::OncePair,
    product::{Columns, Panels, pack},
};

/// The weights of both directions, packed when a pass first needs them. They are valid until the weights change.
#[derive(Debug, Default)]
pub(crate) struct PackedWeights {
    forward: OncePair<DirectionPanels>,
    recurrent: OncePair<Panels>,
    input: OncePair<Panels>,
}

/// Input and recurrent weights of one direction.
#[derive(Debug)]
pub(super) struct DirectionPanels {
    pub w_ih: Panels,
    pub w_hh: Panels,
}

impl PackedWeights {
    /// The weights of each direction.
    pub(super) fn forward(&self, weights: Weights, sizes: LstmSizes) -> [&DirectionPanels; 2] {
        self.forward.get(|direction| {
            let part = |data| of_direction(data, sizes, direction, false);
            DirectionPanels { w_ih: part(weights.w_ih), w_hh: part(weights.w_hh) }
        })
    }

    /// The transposed recurrent weights of each direction.
    pub(super) fn recurrent(&self, weights: Weights, sizes: LstmSizes) -> [&Panels; 2] {
        self.recurrent.get(|direction| of_direction(weights.w_hh, sizes, direction, true))
    }

    /// The transposed input weights of each direction.
    pub(super) fn input(&self, weights: Weights, sizes: LstmSizes) -> [&Panels; 2] {
        self.input.get(|direction| of_direction(weights.w_ih, sizes, direction, true))
    }
}

/// The part of one direction in `[2, rows, 4 d_hidden]`, packed.
fn of_direction(data: &[f32], sizes: LstmSizes, direction: usize, is_transposed: bool) -> Panels {
    let data = sizes.of_direction(data, Direction::BOTH[direction]);
    pack(Columns::all(&data, 4 * sizes.d_padded()), is_transposed)
}
