//! The gradient of a batch: its clipping, and the adversarial step against its definition (eq. 14).
//!
//! Plain gradient descent with a rate of 1 shows the gradient as the difference of the weights.

mod common;

use burn::{
    module::{Module, ModuleVisitor, Param},
    optim::SgdConfig,
    tensor::{Device, Tensor},
};
use burn_ragged::{Key, Mode, Ragged};
use cman_core::{Cman, Gold, TokenBatch, model::Sizes, perturbation};
use cman_data::{EncodedSentence, Vocabularies};
use cman_model::Config;
use cman_train::{LearningRates, StepBatch, Trainable, batch_gradients, batch_shards};
use common::{config, schema, sentences};

const PLAIN: [&str; 4] =
    ["model.dropout.input=0", "model.dropout.label=0", "model.dropout.sequence=0", "train.adversarial.alpha=0"];

/// Three sentences of different lengths, and weights for them.
struct Task {
    config: Config,
    sentences: Vec<EncodedSentence>,
    weights: Trainable,
    device: Device,
}

impl Task {
    fn new(settings: &[&str]) -> Self {
        let (config, device) = (config(&[&PLAIN[..], settings].concat()), Device::flex().autodiff());
        let (schema, sentences) = (schema(), &sentences()[..3]);
        let vocabularies = Vocabularies::build(sentences, true);
        let sizes = Sizes {
            words: vocabularies.words.len(),
            characters: vocabularies.chars.len(),
            entities: schema.entities.len(),
            relations: schema.relations.len(),
        };
        let weights = Cman::new(&config.check().expect("sound settings"), sizes, 1, &device).into();
        let sentences = sentences.iter().map(|s| vocabularies.encode(s, &schema).expect("a sound sentence")).collect();
        Self { config, sentences, weights, device }
    }

    fn batch(&self, members: impl Iterator<Item = usize>) -> StepBatch {
        let sentences: Vec<&EncodedSentence> = members.map(|i| &self.sentences[i]).collect();
        let gold = Gold::new(&sentences).expect("annotated sentences");
        let labels = gold.tags().to_vec();
        StepBatch { tokens: TokenBatch::new(&sentences, &self.device), gold, labels }
    }

    /// The gradient of all parameters, and its norm before clipping.
    fn gradient(&self) -> (Vec<f64>, f64) {
        let shards = batch_shards(&self.weights, self.sentences.len()).into_iter();
        let shards = shards.map(|shard| (self.batch(shard.shard.members(self.sentences.len())), shard)).collect();
        let gradients = batch_gradients(&self.weights, shards, &self.config.train, Key::new(1));
        let norm = gradients.norm;
        let mut descent = SgdConfig::new().init();
        let after = gradients.apply(&self.weights, &mut descent, LearningRates { network: 1.0, encoder: 0.0 });
        let difference = values(&self.weights).into_iter().zip(values(&after)).map(|(before, after)| before - after);
        (difference.collect(), norm)
    }

    /// The gradient of V (eq. 9) where the input is moved by `direction` times the perturbation.
    fn of_relations(&self, direction: f64) -> Vec<f64> {
        let network = &self.weights.network;
        let batch = self.batch(0..3);
        let losses = |input: Ragged| network.losses(input, &batch.gold, &batch.labels, Mode::Evaluate).joint() / 3.0;
        let input = network.embed(&batch.tokens).map(|x| x.detach().require_grad());
        let gradient = input.values().grad(&losses(input.clone()).backward()).expect("a gradient");
        let alpha = self.config.train.adversarial.alpha;
        let eta = perturbation(Ragged::new(gradient, input.layout().clone()), 0, alpha).into_values();
        let moved = input.map(|x| x.detach() + Tensor::from_inner(eta) * direction);
        let gradients = losses(moved).backward();
        network
            .relation
            .as_ref()
            .unwrap()
            .v
            .val()
            .grad(&gradients)
            .expect("a gradient")
            .try_into_vec_as()
            .expect("values")
    }
}

fn values(module: &impl Module) -> Vec<f64> {
    struct Values(Vec<f64>);
    impl ModuleVisitor for Values {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.extend(param.val().try_into_vec_as::<f64>().expect("values"));
        }
    }
    let mut values = Values(Vec::new());
    module.visit(&mut values);
    values.0
}

fn norm(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}

fn assert_close(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let difference: Vec<f64> = found.iter().zip(expected).map(|(a, b)| a - b).collect();
    assert!(norm(&difference) <= 1e-3 * norm(expected), "{what}: {:e} of {:e}", norm(&difference), norm(expected));
}

#[test]
fn a_gradient_is_scaled_to_the_largest_norm_and_a_smaller_one_is_not() {
    let (plain, length) = Task::new(&["train.clip_norm=0"]).gradient();
    assert!(length > 0.5 && (norm(&plain) / length - 1.0).abs() < 1e-3, "{length}, {}", norm(&plain));
    let (clipped, before) = Task::new(&["train.clip_norm=0.25"]).gradient();
    assert!((before / length - 1.0).abs() < 1e-6, "the norm is that before clipping");
    assert!((norm(&clipped) - 0.25).abs() < 1e-3, "{}", norm(&clipped));
    let expected: Vec<f64> = plain.iter().map(|x| x * 0.25 / length).collect();
    assert_close(&clipped, &expected, "the direction stays");
    let wide = format!("train.clip_norm={}", 2.0 * length);
    assert_close(&Task::new(&[&wide]).gradient().0, &plain, "a gradient below the largest norm");
}

#[test]
fn the_adversarial_gradient_is_that_of_the_input_moved_up_its_gradient() {
    let place = |task: &Task| {
        // Where V stands among all parameters.
        let v: Vec<f64> = task.weights.network.relation.as_ref().unwrap().v.val().try_into_vec_as().expect("values");
        let all = values(&task.weights);
        let start = all.windows(v.len()).position(|window| window == v).expect("V is a parameter");
        start..start + v.len()
    };
    let task = Task::new(&["train.adversarial.alpha=0.5"]);
    let clean = Task::new(&[]).gradient().0[place(&task)].to_vec();
    assert_close(&clean, &task.of_relations(0.0), "without the adversarial step");
    let both = &task.gradient().0[place(&task)];
    let sum = |other: Vec<f64>| clean.iter().zip(other).map(|(a, b)| a + b).collect::<Vec<f64>>();
    assert_close(both, &sum(task.of_relations(1.0)), "with it");
    let down = sum(task.of_relations(-1.0));
    let difference: Vec<f64> = both.iter().zip(&down).map(|(a, b)| a - b).collect();
    assert!(norm(&difference) > 0.01 * norm(both), "the test cannot tell up from down");
}
