//! The trained weights: the network, and the encoder if it is fine-tuned.

use burn::{
    module::{Module, ModuleVisitor, Param, ParamGroup},
    optim::ModuleOptimizer,
    tensor::Tensor,
};
use cman_core::Cman;
use cman_encoder::BertNetwork;

use crate::adam::Adam;

/// The encoder in parameter paths.
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

/// Counts the parameters that have gradients.
#[derive(Default)]
struct TrainedParameters(usize);

impl ModuleVisitor for TrainedParameters {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if param.is_require_grad() {
            self.0 += param.shape().num_elements();
        }
    }
}

impl Trainable {
    /// Number of trained parameters of the encoder.
    pub(crate) fn n_trained_encoder_parameters(&self) -> usize {
        let mut trained = TrainedParameters::default();
        self.contextual_encoder.visit(&mut trained);
        trained.0
    }

    /// Adam, with weight decay for the encoder except its biases and normalisations.
    pub fn optimizer(weight_decay: f64) -> ModuleOptimizer {
        let adam = Adam::default();
        ModuleOptimizer::from(adam)
            .with_group(ParamGroup::from_predicate(ENCODER), Adam { weight_decay }, None)
            .with_group(ParamGroup::from_predicates(vec![ENCODER, "bias"]), adam, None)
            .with_group(ParamGroup::from_predicates(vec![ENCODER, "norm"]), adam, None)
    }
}
