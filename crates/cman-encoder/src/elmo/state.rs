//! The recurrent states of the language model, which may carry over from batch to batch.

/// States of one layer of one direction, for several sentences.
#[derive(Clone, Debug, Default)]
pub(super) struct LayerState {
    /// `[sentences, d_state]`
    pub states: Vec<f32>,
    /// `[sentences, d_cell]`
    pub cells: Vec<f32>,
}

/// States of every layer, forward and backward.
pub(super) type States = [Vec<LayerState>; 2];

/// Sizes of the states of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StateSizes {
    pub n_layers: usize,
    /// Width of the states of one direction.
    pub d_state: usize,
    /// Width of the cells of one direction.
    pub d_cell: usize,
}

impl StateSizes {
    /// States of zero for `n` sentences.
    pub fn zeros(self, n: usize) -> States {
        let state = LayerState { states: vec![0.0; n * self.d_state], cells: vec![0.0; n * self.d_cell] };
        [0, 1].map(|_| vec![state.clone(); self.n_layers])
    }
}

/// States that [`Elmo::encode_with_state`](super::Elmo::encode_with_state) carries from batch to batch: one per place
/// of the batch.
#[derive(Clone, Debug, Default)]
pub struct ElmoState {
    n_places: usize,
    directions: States,
}

impl ElmoState {
    /// Adds places, up to `n`. New states are zero.
    ///
    /// # Panics
    /// If the states have other sizes.
    pub(super) fn grow(&mut self, sizes: StateSizes, n: usize) {
        if self.n_places == 0 {
            self.directions = sizes.zeros(0);
        }
        let n_before = self.n_places;
        self.n_places = n_before.max(n);
        for layers in &mut self.directions {
            assert_eq!(layers.len(), sizes.n_layers, "a state of this model");
            for layer in layers {
                for (values, width) in [(&mut layer.states, sizes.d_state), (&mut layer.cells, sizes.d_cell)] {
                    assert_eq!(values.len(), n_before * width, "a state of this model");
                    values.resize(self.n_places * width, 0.0);
                }
            }
        }
    }

    /// Copies the states of `places` to `states`, in this order.
    pub(super) fn read(&mut self, states: &mut States, places: &[usize]) {
        self.exchange(states, places, |own, other| other.copy_from_slice(own));
    }

    /// Copies `states` to the states of `places`, in this order.
    pub(super) fn write(&mut self, states: &mut States, places: &[usize]) {
        self.exchange(states, places, |own, other| own.copy_from_slice(other));
    }

    /// Calls `copy` with every own state of `places` and the state in `states` that belongs to it.
    fn exchange(&mut self, states: &mut States, places: &[usize], copy: impl Fn(&mut [f32], &mut [f32])) {
        let n_places = self.n_places.max(1);
        for (own, other) in self.directions.iter_mut().flatten().zip(states.iter_mut().flatten()) {
            for (own, other) in [(&mut own.states, &mut other.states), (&mut own.cells, &mut other.cells)] {
                let width = own.len() / n_places;
                for (slot, &place) in places.iter().enumerate() {
                    copy(&mut own[place * width..][..width], &mut other[slot * width..][..width]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: StateSizes = StateSizes { n_layers: 2, d_state: 3, d_cell: 5 };

    #[test]
    fn states_are_kept_by_place() {
        let mut state = ElmoState::default();
        state.grow(SIZES, 3);
        let mut written = SIZES.zeros(2);
        for (i, layer) in written.iter_mut().flatten().enumerate() {
            layer.states = (0..6).map(|j| (10 * i + j + 1) as f32).collect();
            layer.cells = (0..10).map(|j| (100 * i + j + 1) as f32).collect();
        }
        state.write(&mut written, &[2, 0]);
        state.grow(SIZES, 4);
        let mut read = SIZES.zeros(4);
        state.read(&mut read, &[0, 1, 2, 3]);
        for (read, written) in read.iter().flatten().zip(written.iter().flatten()) {
            assert_eq!(read.states, [&written.states[3..], &[0.0; 3], &written.states[..3], &[0.0; 3]].concat());
            assert_eq!(read.cells, [&written.cells[5..], &[0.0; 5], &written.cells[..5], &[0.0; 5]].concat());
        }
    }

    #[test]
    #[should_panic(expected = "a state of this model")]
    fn states_of_other_sizes_are_refused() {
        let mut state = ElmoState::default();
        state.grow(SIZES, 2);
        state.grow(StateSizes { d_state: 6, ..SIZES }, 2);
    }
}
