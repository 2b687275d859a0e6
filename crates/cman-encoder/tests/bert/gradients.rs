//! Every weight has a gradient, and the gradients equal finite differences.

use burn::{
    module::{Module, ModuleMapper, ModuleVisitor, Param},
    optim::GradientsParams,
    tensor::{Device, Tensor, TensorData},
};
use burn_ragged::Mode;
use cman_encoder::{Bert, BertNetwork, Pooling};

use crate::golden::{TINY, tiny};

fn load(name: &str) -> Bert {
    Bert::load_dir(&tiny(name), Pooling::Mean, &Device::flex().autodiff()).unwrap()
}

/// A loss with a different weight for every value of every layer.
fn loss(bert: &Bert) -> Tensor<1> {
    let sentences = ["unbelievable harbour in Zürich", "the ferry"];
    let pieces: Vec<_> = sentences.iter().map(|text| bert.cut(&text.split(' ').collect::<Vec<_>>()).unwrap()).collect();
    let x = bert.forward(&pieces.iter().collect::<Vec<_>>(), Mode::Evaluate);
    let dims = x.dims();
    let n = dims.iter().product::<usize>();
    let weights: Vec<f32> = (0..n).map(|i| ((i * 37 % 101) as f32 / 101.0) - 0.45).collect();
    let device = x.device();
    (x * Tensor::<4>::from_data(TensorData::new(weights, dims), &device)).sum()
}

/// The largest gradient of each parameter, and its index.
struct Largest<'a> {
    gradients: &'a GradientsParams,
    found: Vec<(usize, f32)>,
    names: Vec<String>,
    path: Vec<String>,
}

impl ModuleVisitor for Largest<'_> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.into());
    }
    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let name = self.path.join(".");
        let gradient = self.gradients.get::<D>(param.id).unwrap_or_else(|| panic!("no gradient for {name}"));
        let values: Vec<f32> = gradient.try_into_vec_as().unwrap();
        assert!(values.iter().all(|x| x.is_finite()), "{name}");
        let (at, largest) = values.into_iter().enumerate().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs())).unwrap();
        self.found.push((at, largest));
        self.names.push(name);
    }
}

/// Adds to one value of one parameter.
struct Nudge {
    param: usize,
    at: usize,
    by: f32,
    visited: usize,
}

impl ModuleMapper for Nudge {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        self.visited += 1;
        if self.visited - 1 != self.param {
            return param;
        }
        let (dims, device) = (param.dims(), param.device());
        let mut values: Vec<f32> = param.val().try_into_vec_as().unwrap();
        values[self.at] += self.by;
        Param::from_data(TensorData::new(values, dims), &device)
    }
}

fn nudged(network: &BertNetwork, param: usize, at: usize, by: f32) -> BertNetwork {
    network.clone().map(&mut Nudge { param, at, by, visited: 0 })
}

#[test]
fn gradients_equal_finite_differences() {
    for name in TINY {
        let bert = load(name);
        let gradients = GradientsParams::from_grads(loss(&bert).backward(), &bert.network);
        let mut largest = Largest { gradients: &gradients, found: vec![], names: vec![], path: vec![] };
        bert.network.visit(&mut largest);
        for (param, ((at, gradient), part)) in largest.found.iter().zip(&largest.names).enumerate() {
            // The bias of the keys adds the same to all scores of a query, so its gradient is zero up to rounding.
            let step = 4e-3;
            let at_offset = |by| {
                let mut moved = bert.clone();
                moved.network = nudged(&bert.network, param, *at, by);
                loss(&moved).into_scalar::<f32>()
            };
            let difference = (at_offset(step) - at_offset(-step)) / (2.0 * step);
            let error = (difference - gradient).abs();
            assert!(error < 2e-2 * gradient.abs().max(0.3), "{name} {part}: {gradient}, by differences {difference}");
        }
        assert!(largest.found.iter().filter(|(_, gradient)| gradient.abs() > 1e-3).count() >= largest.found.len() - 2);
    }
}
