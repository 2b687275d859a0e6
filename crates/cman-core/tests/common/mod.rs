//! Small models and batches shared by the tests.
#![allow(dead_code)] // every test binary uses its own part

use std::collections::BTreeMap;

use burn::{
    module::{Module, ModuleVisitor, Param},
    tensor::{Device, Gradients, Tensor},
};
use burn_ragged::{DeviceKind, Key, Mode};
use cman_core::{
    Cman, Gold, ModelConfig, TokenBatch,
    attention::{Residual, SequenceKind},
    crf::CrfScore,
    embedding::{CharacterKind, LayerMix},
    model::{LabelKind, Sizes},
};
use cman_data::{EncodedRelation, EncodedSentence, Span, Tag, encode};

pub const SIZES: Sizes = Sizes { words: 20, characters: 9, entities: 2, relations: 3 };

/// The devices of this build. Prints those that the machine does not have.
pub fn devices() -> Vec<(DeviceKind, Device)> {
    let open = |kind: DeviceKind| match kind.device() {
        Ok(device) => Some((kind, device)),
        Err(error) => {
            println!("skipped: {error}");
            None
        }
    };
    DeviceKind::compiled().into_iter().filter_map(open).collect()
}

/// The paper's model with small widths and no dropout.
pub fn small() -> ModelConfig {
    let mut config = ModelConfig { hidden: 6, heads: 3, ..ModelConfig::default() };
    config.word.width = 5;
    config.character.embedding = 3;
    config.character.width = 4;
    config.label.width = 3;
    config.relation.hidden = 4;
    config.dropout.input = 0.0;
    config.dropout.label = 0.0;
    config.dropout.sequence = 0.0;
    config
}

/// Variants of the model: the paper's, every alternative, the baseline, the ablations.
pub fn variants() -> Vec<(&'static str, ModelConfig)> {
    let mut alternatives = small();
    alternatives.attention_bias = true;
    alternatives.label.residual = Residual::Keys;
    alternatives.sequence = SequenceKind::Mlp;
    alternatives.character.kind = CharacterKind::Cnn;
    alternatives.crf.score = CrfScore::Input;
    alternatives.crf.constraints = true;
    let mut baseline = small();
    baseline.layers = 3;
    baseline.self_attention = false;
    baseline.layer_norm = false;
    baseline.label.kind = LabelKind::Concatenate;
    baseline.relation.shared = true;
    baseline.relation.none_label = true;
    baseline.crf.hidden = 5;
    let mut ablated = small();
    ablated.label.kind = LabelKind::None;
    ablated.self_attention = false;
    ablated.character.kind = CharacterKind::None;
    let mut contextual = small();
    contextual.contextual.width = 4;
    contextual.contextual.layers = 3;
    let mut top = contextual.clone();
    top.contextual.mix = LayerMix::Top;
    vec![
        ("cman", small()),
        ("alternatives", alternatives),
        ("multihead", baseline),
        ("ablated", ablated),
        ("contextual", contextual),
        ("contextual top", top),
    ]
}

/// The CPU devices of this build.
pub fn cpu_devices() -> Vec<Device> {
    DeviceKind::compiled().into_iter().filter(|b| b.is_cpu()).map(|b| b.device().expect("compiled in")).collect()
}

/// Sentences of these lengths with random words, entities and relations.
pub fn sentences(lengths: &[usize], seed: u64) -> Vec<EncodedSentence> {
    let sentence = |(s, &n): (usize, &usize)| {
        let key = Key::new(seed).with(s as u64);
        let below = |site: &str, i: usize, n: usize| key.at(site).with(i as u64).permutation(n)[0];
        let words: Vec<u32> = (0..n).map(|t| 1 + below("word", t, SIZES.words - 1) as u32).collect();
        let spell = |t: usize| (0..1 + words[t] as usize % 4).map(|c| 1 + (words[t] + 3 * c as u32) % 8).collect();
        let spans: Vec<Span> = (0..n / 2)
            .map(|i| Span { start: 2 * i, end: 2 * i + 1 + below("end", i, 2), kind: below("type", i, SIZES.entities) })
            .collect();
        let tags = encode(&spans, n).0.into_iter().map(|tag: Tag| tag.id() as u32).collect();
        let relations = spans.windows(2).enumerate().map(|(i, pair)| EncodedRelation {
            head: pair[i % 2].end - 1,
            tail: pair[1 - i % 2].end - 1,
            kind: below("relation", i, SIZES.relations),
        });
        EncodedSentence {
            chars: (0..n).map(spell).collect(),
            tags,
            relations: relations.collect(),
            words,
            ..EncodedSentence::default()
        }
    };
    lengths.iter().enumerate().map(sentence).collect()
}

/// The annotation of these sentences.
pub fn gold(sentences: &[&EncodedSentence]) -> Gold {
    Gold::new(sentences).expect("annotated sentences")
}

/// A batch of these sentences, with contextual vectors that depend on the sentence alone.
pub fn batch(sentences: &[&EncodedSentence], config: &ModelConfig, device: &Device) -> (TokenBatch, Gold) {
    let batch = TokenBatch::new(sentences, device);
    let (width, layers) = (config.contextual.width, config.contextual.layers);
    if width == 0 {
        return (batch, gold(sentences));
    }
    let row = |sentence: &&EncodedSentence| {
        let key = Key::new(9).with(sentence.words.iter().fold(0, |sum, &word| sum * 31 + u64::from(word)));
        let values = key.uniform(sentence.words.len() * layers * width, 1.0);
        let real = Tensor::<1>::from_floats(&values[..], device).reshape([1, sentence.words.len(), layers, width]);
        let padding = Tensor::full([1, batch.layout().steps() - sentence.words.len() + 1, layers, width], 7.5, device);
        Tensor::cat(vec![real, padding], 1).narrow(1, 0, batch.layout().steps())
    };
    let vectors = Tensor::cat(sentences.iter().map(row).collect(), 0);
    (batch.with_contextual(vectors), gold(sentences))
}

/// A new model of these settings.
pub fn model(config: &ModelConfig, device: &Device) -> Cman {
    Cman::new(&config.check().expect("settings in their ranges"), SIZES, 5, device)
}

/// A new model with varied predictions: large word vectors and emissions avoid ties between tags.
pub fn telling_model(config: &ModelConfig, device: &Device) -> Cman {
    let mut model = model(config, device);
    model.embedding.word.trained = model.embedding.word.trained.map(|table| table * 30.0);
    let emission = model.crf.scorer.emission_mut();
    emission.weight = emission.weight.clone().map(|weight| weight * 300.0);
    model
}

/// The joint loss of a batch with gold labels and without dropout.
pub fn joint_loss(model: &Cman, batch: &TokenBatch, gold: &Gold) -> Tensor<1> {
    model.losses(model.embed(batch), gold, gold.tags(), Mode::Evaluate).joint()
}

/// The gradients of a model by parameter name; `None` if a parameter has none.
pub fn gradients(model: &Cman, loss: &Tensor<1>) -> BTreeMap<String, Option<Vec<f64>>> {
    struct Named {
        gradients: Gradients,
        path: Vec<String>,
        found: BTreeMap<String, Option<Vec<f64>>>,
    }
    impl ModuleVisitor for Named {
        fn enter_module(&mut self, name: &str, container: &str) {
            if !container.starts_with("Enum:") {
                self.path.push(name.into());
            }
        }
        fn exit_module(&mut self, _name: &str, container: &str) {
            if !container.starts_with("Enum:") {
                self.path.pop();
            }
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let gradient = param.val().grad(&self.gradients).map(|g| g.try_into_vec_as().unwrap());
            self.found.insert(self.path.join("."), gradient);
        }
    }
    let mut named = Named { gradients: loss.backward(), path: Vec::new(), found: BTreeMap::new() };
    model.visit(&mut named);
    named.found
}

/// The gradient of the bias of the keys is zero, because softmax is invariant to a constant added to all scores of a
/// query.
pub fn is_blind(parameter: &str) -> bool {
    parameter.ends_with("attention.key.bias")
}
