//! The weights in the layout of the products.

use super::{Sizes, Weights, plan::Direction};
use crate::kernels::{
    halves::Halves,
    product::{Columns, Panels, pack},
};

/// The weights of a BiLSTM as far as they have been brought into the layout of the products, for both directions. Made
/// from one set of weights, it is of use for as many batches as come before they change.
#[derive(Debug, Default)]
pub(crate) struct Packs {
    forward: Halves<Both>,
    recurrent: Halves<Panels>,
    input: Halves<Panels>,
}

/// Input and recurrent weights of one direction.
#[derive(Debug)]
pub(super) struct Both {
    pub w_ih: Panels,
    pub w_hh: Panels,
}

impl Packs {
    /// The weights of each direction.
    pub(super) fn forward(&self, weights: Weights, sizes: Sizes) -> [&Both; 2] {
        self.forward.get(|direction| {
            let part = |data| of_direction(data, sizes, direction, false);
            Both { w_ih: part(weights.w_ih), w_hh: part(weights.w_hh) }
        })
    }

    /// The transposed recurrent weights of each direction.
    pub(super) fn recurrent(&self, weights: Weights, sizes: Sizes) -> [&Panels; 2] {
        self.recurrent.get(|direction| of_direction(weights.w_hh, sizes, direction, true))
    }

    /// The transposed input weights of each direction.
    pub(super) fn input(&self, weights: Weights, sizes: Sizes) -> [&Panels; 2] {
        self.input.get(|direction| of_direction(weights.w_ih, sizes, direction, true))
    }
}

/// One direction's part of `[2, rows, 4 d_hidden]`.
fn of_direction(data: &[f32], sizes: Sizes, direction: usize, is_transposed: bool) -> Panels {
    let data = sizes.of_direction(data, Direction::BOTH[direction]);
    pack(Columns::all(&data, 4 * sizes.d_padded()), is_transposed)
}
