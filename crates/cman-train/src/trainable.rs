//! What training changes: the network, and with it the encoder where that is fine-tuned.

use burn::{
    module::{Module, ModuleVisitor, Param, ParamGroup},
    optim::ModuleOptimizer,
    tensor::Tensor,
};
use cman_core::Cman;
use cman_encoder::BertNetwork;

use crate::Adam;

/// Where the encoder is in the paths of the parameters.
const ENCODER: &str = "contextual_encoder";

/// The weights that are trained together.
#[derive(Module, Debug)]
pub struct Trainable {
    /// The network.
    pub network: Cman,
    /// The encoder, if it is fine-tuned.
    pub contextual_encoder: Option<BertNetwork>,
}

impl From<Cman> for Trainable {
    fn from(network: Cman) -> Self {
        Self { network, contextual_encoder: None }
    }
}

/// Counts the numbers that have gradients.
#[derive(Default)]
struct Trained(usize);

impl ModuleVisitor for Trained {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if param.is_require_grad() {
            self.0 += param.shape().num_elements();
        }
    }
}

impl Trainable {
    /// How many weights of the encoder are trained.
    pub(crate) fn n_tuned(&self) -> usize {
        let mut trained = Trained::default();
        self.contextual_encoder.visit(&mut trained);
        trained.0
    }

    /// Adam for the network; for the encoder with this decay, but for its biases and normalisations.
    pub fn optimizer(weight_decay: f64) -> ModuleOptimizer {
        let adam = Adam::default();
        ModuleOptimizer::from(adam)
            .with_group(ParamGroup::from_predicate(ENCODER), Adam { weight_decay }, None)
            .with_group(ParamGroup::from_predicates(vec![ENCODER, "bias"]), adam, None)
            .with_group(ParamGroup::from_predicates(vec![ENCODER, "norm"]), adam, None)
    }
}
