//! The weights in the layout of the products.

use std::sync::OnceLock;

use pulp::{Simd, WithSimd};

use super::{Sizes, Weights, plan::Direction};
use crate::kernels::{
    parallel::join,
    product::{Columns, Panels},
    simd::dispatch,
};

/// The weights of a BiLSTM as far as they have been brought into the layout of the products, for both directions. Made
/// from one set of weights, it is of use for as many batches as come before they change.
#[derive(Debug, Default)]
pub(crate) struct Packs {
    forward: OnceLock<[Both; 2]>,
    recurrent: OnceLock<[Panels; 2]>,
    input: OnceLock<[Panels; 2]>,
}

/// Input and recurrent weights of one direction.
#[derive(Debug)]
pub(super) struct Both {
    pub w_ih: Panels,
    pub w_hh: Panels,
}

impl Packs {
    /// The weights of each direction.
    pub(super) fn forward(&self, weights: Weights, sizes: Sizes, is_large: bool) -> &[Both; 2] {
        get(&self.forward, is_large, |direction| {
            let pack = |data| dispatch(Pack { data, sizes, direction, is_transposed: false });
            Both { w_ih: pack(weights.w_ih), w_hh: pack(weights.w_hh) }
        })
    }

    /// The transposed recurrent weights of each direction.
    pub(super) fn recurrent(&self, weights: Weights, sizes: Sizes, is_large: bool) -> &[Panels; 2] {
        let pack = |direction| dispatch(Pack { data: weights.w_hh, sizes, direction, is_transposed: true });
        get(&self.recurrent, is_large, pack)
    }

    /// The transposed input weights of each direction.
    pub(super) fn input(&self, weights: Weights, sizes: Sizes, is_large: bool) -> &[Panels; 2] {
        let pack = |direction| dispatch(Pack { data: weights.w_ih, sizes, direction, is_transposed: true });
        get(&self.input, is_large, pack)
    }
}

/// What the cell holds, or what it holds from now on. Two threads may both make it, so that none waits for the other in
/// the midst of parallel work.
fn get<T: Send>(cell: &OnceLock<[T; 2]>, is_large: bool, make: impl Fn(Direction) -> T + Sync) -> &[T; 2] {
    if let Some(made) = cell.get() {
        return made;
    }
    let (forward, backward) = join(is_large, || make(Direction::Forward), || make(Direction::Backward));
    cell.get_or_init(|| [forward, backward])
}

/// One direction's part of `[2, rows, 4 d_hidden]`.
struct Pack<'a> {
    data: &'a [f32],
    sizes: Sizes,
    direction: Direction,
    is_transposed: bool,
}

impl WithSimd for Pack<'_> {
    type Output = Panels;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Panels {
        let Self { data, sizes, direction, is_transposed } = self;
        let n_gates = 4 * sizes.d_padded();
        let data = sizes.of_direction(data, direction);
        let w = Columns::all(&data, n_gates);
        if is_transposed { Panels::transposed(simd, w) } else { Panels::new(simd, w) }
    }
}
