//! The definition of the BiLSTM in burn operations, for every backend.

use burn::tensor::{Int, Tensor, TensorData, activation::sigmoid};

use crate::ragged::{Layout, Ragged};

/// See [`BiLstm`](super::BiLstm) for shapes and equations.
///
/// Both directions run together. The input products of the backward direction are reversed within each sequence, so that
/// padding comes last for both and no step needs a mask.
pub fn bilstm_reference(x: Ragged, w_ih: Tensor<3>, w_hh: Tensor<3>, bias: Tensor<2>) -> Ragged {
    let layout = x.layout().clone();
    let (batch, steps) = (layout.batch_size(), layout.steps());
    let [_, d_hidden, d_gates] = w_hh.dims();
    let device = x.device();
    let reversed = reversed_rows(&layout);
    let reversed = Tensor::<1, Int>::from_data(TensorData::new(reversed, [batch * steps]), &device);

    let gates = input_gates(x, w_ih, bias).reshape([2, batch * steps, d_gates]);
    let forward = gates.clone().narrow(0, 0, 1);
    let backward = gates.narrow(0, 1, 1).select(1, reversed.clone());
    let gates = Tensor::cat(vec![forward, backward], 0).reshape([2, batch, steps, d_gates]);

    let mut h = Tensor::<3>::zeros([2, batch, d_hidden], (&device, gates.dtype()));
    let mut c = h.clone();
    let mut states = Vec::with_capacity(steps);
    for t in 0..steps {
        let step = gates.clone().narrow(2, t, 1).squeeze_dim::<3>(2) + h.matmul(w_hh.clone()); // [2, batch, 4 d_hidden]
        let gate = |i: usize| step.clone().narrow(2, i * d_hidden, d_hidden);
        c = sigmoid(gate(1)) * c + sigmoid(gate(0)) * gate(2).tanh();
        h = sigmoid(gate(3)) * c.clone().tanh();
        states.push(h.clone());
    }
    let states: Tensor<4> = Tensor::stack(states, 2); // [2, batch, steps, d_hidden]
    let states = states.reshape([2, batch * steps, d_hidden]);
    let forward = states.clone().narrow(0, 0, 1);
    let backward = states.narrow(0, 1, 1).select(1, reversed);
    let both = Tensor::cat(vec![forward, backward], 2).reshape([batch, steps, 2 * d_hidden]);
    Ragged::new(both, layout).zero_padding()
}

/// The input's contribution to the gates, for all steps in one product. `[2, batch, steps, 4 d_hidden]`
pub(super) fn input_gates(x: Ragged, w_ih: Tensor<3>, bias: Tensor<2>) -> Tensor<4> {
    let ([batch, steps, d_input], [_, _, d_gates]) = (x.values().dims(), w_ih.dims());
    let rows: Tensor<3> = x.into_values().reshape([1, batch * steps, d_input]);
    (rows.matmul(w_ih) + bias.unsqueeze_dim(1)).reshape([2, batch, steps, d_gates])
}

/// For each place of a padded batch, the place that mirrors it in its own sequence. Padding maps to itself.
fn reversed_rows(layout: &Layout) -> Vec<i64> {
    let steps = layout.steps();
    let rows = layout
        .lengths()
        .iter()
        .enumerate()
        .flat_map(|(b, &n)| (0..steps).map(move |t| (b * steps + if t < n { n - 1 - t } else { t }) as i64));
    rows.collect()
}
