//! The recurrent states of the language model, which may carry over from batch to batch.

use super::language_model::LanguageModel;

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

/// States that [`Elmo::encode_with_state`](super::Elmo::encode_with_state) carries from batch to batch: one per place
/// of the batch.
#[derive(Clone, Debug, Default)]
pub struct ElmoState {
    n_places: usize,
    directions: States,
}

impl LanguageModel {
    /// States of zero for `n` sentences.
    pub fn zeros(&self, n: usize) -> States {
        let state = LayerState { states: vec![0.0; n * self.d_state], cells: vec![0.0; n * self.d_cell] };
        [0, 1].map(|_| vec![state.clone(); self.n_layers])
    }
}

impl ElmoState {
    /// Adds places, up to `n`. New states are zero.
    pub(super) fn grow(&mut self, model: &LanguageModel, n: usize) {
        if self.n_places == 0 {
            self.directions = model.zeros(0);
        }
        let n_before = self.n_places;
        self.n_places = n_before.max(n);
        for layers in &mut self.directions {
            assert_eq!(layers.len(), model.n_layers, "a state of this model");
            for layer in layers {
                for (values, width) in [(&mut layer.states, model.d_state), (&mut layer.cells, model.d_cell)] {
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
