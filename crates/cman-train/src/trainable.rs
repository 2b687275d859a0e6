//! What training changes: the network, and with it the encoder where that is fine-tuned.

use burn::{
    module::{Module, ParamGroup},
    optim::{AdamConfig, AdamWConfig, GradientsParams, ModuleOptimizer},
};
use cman_core::{Cman, encoder::BertNetwork};

/// Where the encoder is in the paths of the parameters.
const ENCODER: &str = "contextual_encoder";
const EPSILON: f32 = 1e-8;

/// The weights that are trained together.
#[derive(Module, Debug)]
pub(crate) struct Trainable {
    /// The network.
    pub network: Cman,
    /// The encoder, if it is fine-tuned.
    pub contextual_encoder: Option<BertNetwork>,
}

/// Gradients of both, each with its learning rate.
pub(crate) struct Update {
    pub network: GradientsParams,
    pub rate: f64,
    pub encoder: GradientsParams,
    pub encoder_rate: f64,
}

impl Trainable {
    /// Adam for the network, AdamW for the encoder; its biases and normalisations do not decay.
    pub fn optimizer(weight_decay: f64) -> ModuleOptimizer {
        let encoder = |decay: f64| AdamWConfig::new().with_epsilon(EPSILON).with_weight_decay(decay as f32).build();
        AdamConfig::new()
            .with_epsilon(EPSILON)
            .init()
            .with_group(ParamGroup::from_predicate(ENCODER), encoder(weight_decay), None)
            .with_group(ParamGroup::from_predicates(vec![ENCODER, "bias"]), encoder(0.0), None)
            .with_group(ParamGroup::from_predicates(vec![ENCODER, "norm"]), encoder(0.0), None)
    }

    /// One update; parameters without a gradient stay as they are.
    pub fn updated(&self, optimizer: &mut ModuleOptimizer, update: Update) -> Self {
        let weights = optimizer.step(update.rate, self.clone(), update.network);
        if weights.contextual_encoder.is_none() {
            return weights;
        }
        optimizer.step(update.encoder_rate, weights, update.encoder)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use burn::{
        module::{ModuleVisitor, Param},
        tensor::{Device, Tensor},
    };
    use cman_core::{
        ModelConfig,
        encoder::{Bert, Pooling},
        model::Sizes,
    };

    use super::*;

    /// All gradients zero.
    struct Zero(GradientsParams);

    impl ModuleVisitor for Zero {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.register(param.id, param.val().inner().zeros_like());
        }
    }

    /// Names, and the sums of the absolute values.
    struct Sums(Vec<String>, Vec<(String, f64)>);

    impl ModuleVisitor for Sums {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.0.push(name.into());
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.0.pop();
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.1.push((self.0.join("."), param.val().abs().sum().into_scalar()));
        }
    }

    fn sums(weights: &Trainable) -> Vec<(String, f64)> {
        let mut sums = Sums(Vec::new(), Vec::new());
        weights.visit(&mut sums);
        sums.1
    }

    #[test]
    fn the_encoder_decays_but_for_biases_and_normalisations_and_the_network_does_not() {
        let device = Device::flex().autodiff();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cman-core/tests/bert/bert");
        let bert = Bert::load_dir(&folder, Pooling::First, &device).unwrap();
        let sizes = Sizes { words: 3, characters: 3, entities: 1, relations: 1 };
        let network = Cman::new(&ModelConfig::default(), sizes, 1, &device).unwrap();
        let weights = Trainable { network, contextual_encoder: Some(bert.network) };
        let zero = |module: &dyn Fn(&mut Zero)| {
            let mut zero = Zero(GradientsParams::new());
            module(&mut zero);
            zero.0
        };
        let update = Update {
            network: zero(&|zero| weights.network.visit(zero)),
            rate: 0.5,
            encoder: zero(&|zero| weights.contextual_encoder.iter().for_each(|encoder| encoder.visit(zero))),
            encoder_rate: 0.5,
        };
        let updated = weights.updated(&mut Trainable::optimizer(0.2), update);
        for ((name, before), (_, after)) in sums(&weights).into_iter().zip(sums(&updated)) {
            let decays = name.starts_with("contextual_encoder") && !name.contains("bias") && !name.contains("norm");
            let expected = if decays { 0.9 * before } else { before };
            assert!((after - expected).abs() <= 1e-4 * before.max(1e-3), "{name}: {before} to {after}");
        }
    }
}
