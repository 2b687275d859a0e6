//! The GPU kernel of the recurrence: one launch per pass instead of a chain of launches per step.

mod passes;

use burn::{
    backend::{
        Autodiff, Backend, Dispatch, TensorMetadata,
        autodiff::{
            checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
            grads::Gradients,
            ops::{Backward, Ops, OpsKind},
        },
        backend_extension,
        fusion::custom::TensorSpec,
        tensor::{FloatTensor, IntTensor},
    },
    tensor::{Shape, Tensor},
};
use burn_cubecl::{
    CubeBackend,
    cubecl::prelude::{CubeCount, CubeDim},
    kernel::into_contiguous,
    tensor::CubeTensor,
};

use crate::{
    ragged::Layout,
    runtime::gpu::{SHARED, empty, lengths_on},
};

/// The states of both directions of an LSTM.
///
/// # Shapes
/// - gates: `[2, batch, steps, 4 d_hidden]`, the input's contribution to the gates
/// - w_hh: `[2, d_hidden, 4 d_hidden]`
/// - output: `[batch, steps, 2 d_hidden]`, zero at padding
pub(super) fn states(gates: Tensor<4>, w_hh: Tensor<3>, layout: &Layout) -> Tensor<3> {
    let lengths = lengths_on(layout, &gates.device());
    let states = <Dispatch as Recurrence>::lstm(gates.into_dispatch(), w_hh.into_dispatch(), lengths.into_dispatch());
    Tensor::from_dispatch(states)
}

/// See [`states`].
#[backend_extension(Cube, Fusion, Autodiff)]
pub(crate) trait Recurrence: Backend {
    #[fusion(dtype = gates, shape = states_shape(gates))]
    fn lstm(gates: FloatTensor<Self>, w_hh: FloatTensor<Self>, lengths: IntTensor<Self>) -> FloatTensor<Self>;
}

/// Both passes of [`Recurrence`]. The first also returns what the second needs.
#[backend_extension(Cube, Fusion)]
pub(crate) trait Passes: Backend {
    /// States, cells and activations of the gates.
    #[fusion(meta = forward_specs)]
    fn lstm_forward(
        gates: FloatTensor<Self>,
        w_hh: FloatTensor<Self>,
        lengths: IntTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);

    /// The gradient of the gates, and the state at the start of each step. `w_hh` is transposed.
    #[fusion(meta = backward_specs)]
    fn lstm_backward(
        gradient: FloatTensor<Self>,
        states: FloatTensor<Self>,
        cells: FloatTensor<Self>,
        activations: FloatTensor<Self>,
        w_hh: FloatTensor<Self>,
        lengths: IntTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
}

fn states_shape(gates: &Shape) -> Shape {
    Shape::new([gates[1], gates[2], gates[3] / 2])
}

fn cells_shape(gates: &Shape) -> Shape {
    Shape::new([2, gates[1], gates[2], gates[3] / 4])
}

fn forward_specs(gates: &TensorSpec, _: &TensorSpec, _: &TensorSpec) -> (TensorSpec, TensorSpec, TensorSpec) {
    let states = TensorSpec::new(states_shape(&gates.shape), gates.dtype);
    (states, TensorSpec::new(cells_shape(&gates.shape), gates.dtype), gates.clone())
}

fn backward_specs(
    _: &TensorSpec,
    _: &TensorSpec,
    cells: &TensorSpec,
    activations: &TensorSpec,
    _: &TensorSpec,
    _: &TensorSpec,
) -> (TensorSpec, TensorSpec) {
    (activations.clone(), cells.clone())
}

impl Recurrence for CubeBackend {
    fn lstm(gates: FloatTensor<Self>, w_hh: FloatTensor<Self>, lengths: IntTensor<Self>) -> FloatTensor<Self> {
        Self::lstm_forward(gates, w_hh, lengths).0
    }
}

impl Passes for CubeBackend {
    fn lstm_forward(
        gates: FloatTensor<Self>,
        w_hh: FloatTensor<Self>,
        lengths: IntTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let sizes = LaunchSizes::of(&gates);
        let states = empty(states_shape(&gates.shape()), &gates);
        let cells = empty(cells_shape(&gates.shape()), &gates);
        let activations = empty(gates.shape(), &gates);
        passes::forward::launch(
            &gates.client.clone(),
            sizes.count(),
            sizes.dim(),
            into_contiguous(gates).into_buffer_arg(),
            into_contiguous(w_hh).into_buffer_arg(),
            into_contiguous(lengths).into_buffer_arg(),
            states.clone().into_buffer_arg(),
            cells.clone().into_buffer_arg(),
            activations.clone().into_buffer_arg(),
            sizes.batch,
            sizes.steps,
            sizes.hidden,
            sizes.split,
        );
        (states, cells, activations)
    }

    fn lstm_backward(
        gradient: FloatTensor<Self>,
        states: FloatTensor<Self>,
        cells: FloatTensor<Self>,
        activations: FloatTensor<Self>,
        w_hh: FloatTensor<Self>,
        lengths: IntTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let sizes = LaunchSizes::of(&activations);
        let gates = empty(activations.shape(), &activations);
        let earlier = empty(cells.shape(), &activations);
        passes::backward::launch(
            &gradient.client.clone(),
            sizes.count(),
            sizes.dim(),
            into_contiguous(gradient).into_buffer_arg(),
            into_contiguous(states).into_buffer_arg(),
            into_contiguous(cells).into_buffer_arg(),
            into_contiguous(activations).into_buffer_arg(),
            into_contiguous(w_hh).into_buffer_arg(),
            into_contiguous(lengths).into_buffer_arg(),
            gates.clone().into_buffer_arg(),
            earlier.clone().into_buffer_arg(),
            sizes.batch,
            sizes.steps,
            sizes.hidden,
            sizes.split,
        );
        (gates, earlier)
    }
}

struct LaunchSizes {
    batch: usize,
    steps: usize,
    hidden: usize,
    /// Number of parts of each sum.
    split: usize,
}

impl LaunchSizes {
    fn of(gates: &CubeTensor) -> Self {
        let [batch, steps, hidden] = [gates.shape()[1], gates.shape()[2], gates.shape()[3] / 4];
        let units = gates.client.properties().hardware.max_units_per_cube as usize;
        let fits = |split: usize| {
            let shared = 4 * hidden * (4 * split + 1);
            hidden.is_multiple_of(split) && hidden * split <= units && shared <= SHARED
        };
        let split = [4, 2].into_iter().find(|&split| fits(split)).unwrap_or(1);
        Self { batch, steps, hidden, split }
    }

    /// A cube for each sequence and direction.
    fn count(&self) -> CubeCount {
        CubeCount::Static(self.batch as u32, 2, 1)
    }

    fn dim(&self) -> CubeDim {
        CubeDim::new_2d(self.hidden as u32, self.split as u32)
    }
}

impl<B: Recurrence + Passes, C: CheckpointStrategy> Recurrence for Autodiff<B, C> {
    fn lstm(gates: FloatTensor<Self>, w_hh: FloatTensor<Self>, lengths: IntTensor<Self>) -> FloatTensor<Self> {
        let ((gates, node_gates), (w_hh, node_w_hh)) = (gates.into_parts(), w_hh.into_parts());
        match RecurrenceBackward.prepare::<C>([node_gates, node_w_hh]).compute_bound().stateful() {
            OpsKind::Tracked(prepared) => {
                let (states, cells, activations) = B::lstm_forward(gates, w_hh.clone(), lengths.clone());
                prepared.finish(State { states: states.clone(), cells, activations, w_hh, lengths }, states)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(B::lstm(gates, w_hh, lengths)),
        }
    }
}

#[derive(Debug)]
struct RecurrenceBackward;

/// What the backward pass needs.
#[derive(Clone, Debug)]
struct State<B: Backend> {
    states: FloatTensor<B>,
    cells: FloatTensor<B>,
    activations: FloatTensor<B>,
    w_hh: FloatTensor<B>,
    lengths: IntTensor<B>,
}

impl<B: Passes> Backward<B, 2> for RecurrenceBackward {
    type State = State<B>;

    fn backward(self, ops: Ops<State<B>, 2>, gradients: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let [node_gates, node_w_hh] = ops.parents;
        let State { states, cells, activations, w_hh, lengths } = ops.state;
        let gradient = gradients.consume::<B>(&ops.node);
        let shape = activations.shape();
        let (n_rows, d_gates) = (shape[1] * shape[2], shape[3]);
        let w_hh = B::float_swap_dims(w_hh, 1, 2);
        let (gates, earlier) = B::lstm_backward(gradient, states, cells, activations, w_hh, lengths);
        if let Some(node) = node_w_hh {
            let earlier = B::float_reshape(earlier, Shape::new([2, n_rows, d_gates / 4]));
            let gates = B::float_reshape(gates.clone(), Shape::new([2, n_rows, d_gates]));
            gradients.register::<B>(node.id, B::float_matmul(B::float_swap_dims(earlier, 1, 2), gates));
        }
        if let Some(node) = node_gates {
            gradients.register::<B>(node.id, gates);
        }
    }
}
