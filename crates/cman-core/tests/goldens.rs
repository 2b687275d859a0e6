//! Every value and gradient of the network against a PyTorch implementation of the same equations in double precision.
//! `goldens/README.md` describes the files and how they were made.

#![cfg(any(feature = "flex", feature = "ndarray"))]

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use burn::{
    config::Config,
    module::{Module, ModuleVisitor, Param},
    store::{ModuleSnapshot, SafetensorsStore},
    tensor::{Device, Gradients, Tensor, TensorData},
};
use cman_core::{
    Cman, Gold, Mode, ModelConfig, TokenBatch,
    crf::{gold_score, log_partition},
    model::{PredictOptions, Sizes},
    random::Key,
    relation::table_composed,
};
use cman_data::{EncodedRelation, EncodedSentence, Tag};
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};

/// Largest deviation that passes, in parts of the largest expected number of a tensor.
const TOLERANCE: f64 = 1e-4;

/// Largest number that passes where all expected numbers are zero but for rounding in double precision (below
/// [`ROUNDING`]): the gradient of the bias of the keys, to which softmax is blind.
const ZERO: f64 = 1e-5;
const ROUNDING: f64 = 1e-12;

/// What the file says about its network.
#[derive(Debug, Serialize, Deserialize)]
struct Case {
    config: ModelConfig,
    sizes: CaseSizes,
    alpha: f64,
}

impl Config for Case {}

#[derive(Debug, Serialize, Deserialize)]
struct CaseSizes {
    words: usize,
    characters: usize,
    entities: usize,
    relations: usize,
    pretrained: usize,
}

/// A file of reference values.
struct Golden<'a> {
    tensors: SafeTensors<'a>,
    case: Case,
    path: PathBuf,
}

impl<'a> Golden<'a> {
    fn parse(path: PathBuf, bytes: &'a [u8]) -> Self {
        let (_, metadata) = SafeTensors::read_metadata(bytes).unwrap();
        let case = &metadata.metadata().as_ref().unwrap()["case"];
        Self {
            tensors: SafeTensors::deserialize(bytes).unwrap(),
            case: Case::load_binary(case.as_bytes()).unwrap(),
            path,
        }
    }

    /// Shape and numbers of a tensor.
    fn numbers(&self, name: &str) -> (Vec<usize>, Vec<f64>) {
        let tensor = self.tensors.tensor(name).unwrap_or_else(|_| panic!("{name} among the reference values"));
        let numbers = match tensor.dtype() {
            Dtype::F64 => tensor.data().chunks(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect(),
            Dtype::F32 => tensor.data().chunks(4).map(|b| f32::from_le_bytes(b.try_into().unwrap()).into()).collect(),
            Dtype::I64 => tensor.data().chunks(8).map(|b| i64::from_le_bytes(b.try_into().unwrap()) as f64).collect(),
            other => panic!("{name}: {other:?}"),
        };
        (tensor.shape().to_vec(), numbers)
    }

    fn ids(&self, name: &str) -> Vec<usize> {
        self.numbers(name).1.into_iter().map(|id| id as usize).collect()
    }

    /// The rows (sentence, a, b, c) of a table of ids.
    fn rows(&self, name: &str) -> Vec<[usize; 4]> {
        self.ids(name).chunks(4).map(|row| row.try_into().unwrap()).collect()
    }

    /// A list of ids, cut into pieces of these lengths.
    fn ragged(&self, name: &str, lengths: &[usize]) -> Vec<Vec<u32>> {
        let mut ids = self.ids(name).into_iter().map(|id| id as u32);
        let pieces = lengths.iter().map(|&n| ids.by_ref().take(n).collect()).collect();
        assert!(ids.next().is_none(), "{name}: more ids than the lengths say");
        pieces
    }

    fn sentences(&self) -> Vec<EncodedSentence> {
        let lengths = self.ids("input.lengths");
        let (words, tags) = (self.ragged("input.words", &lengths), self.ragged("input.tags", &lengths));
        let mut characters = self.ragged("input.characters", &self.ids("input.character_lengths")).into_iter();
        let relations = self.rows("input.relations");
        let sentence = |s: usize| {
            let own = relations.iter().filter(|row| row[0] == s);
            EncodedSentence {
                words: words[s].clone(),
                chars: characters.by_ref().take(lengths[s]).collect(),
                tags: tags[s].clone(),
                relations: own.map(|&[_, head, tail, kind]| EncodedRelation { head, tail, kind }).collect(),
                ..EncodedSentence::default()
            }
        };
        (0..lengths.len()).map(sentence).collect()
    }

    fn batch(&self, sentences: &[&EncodedSentence], device: &Device) -> TokenBatch {
        let batch = TokenBatch::new(sentences, device);
        if self.case.config.contextual.width == 0 {
            return batch;
        }
        let (shape, numbers) = self.numbers("input.contextual");
        batch.with_contextual(Tensor::from_data(TensorData::new(numbers, shape), device))
    }

    /// The network with the parameters of the file: each of them, and no other.
    fn model(&self, device: &Device) -> Cman {
        let CaseSizes { words, characters, entities, relations, pretrained } = self.case.sizes;
        let config = &self.case.config;
        let mut model = Cman::new(config, Sizes { words, characters, entities, relations }, 0, device).unwrap();
        model.embedding.word = model.embedding.word.with_pretrained(&[], vec![0.0; pretrained * config.word.width]);
        let result = model.load_from(&mut SafetensorsStore::from_file(&self.path)).unwrap();
        assert!(result.missing.is_empty() && result.errors.is_empty(), "{result}");
        let is_parameter = |name: &&String| !name.starts_with("input.") && !name.starts_with("expected.");
        assert_eq!(result.unused.iter().find(is_parameter), None, "a parameter that the network does not have");
        model
    }
}

/// Holds results against the expected ones and keeps the largest deviation.
struct Comparison<'a> {
    golden: &'a Golden<'a>,
    open: BTreeSet<&'a str>,
    worst: (f64, String),
}

impl<'a> Comparison<'a> {
    fn new(golden: &'a Golden<'a>) -> Self {
        let names = golden.tensors.names().into_iter();
        let open = names.filter_map(|name| name.strip_prefix("expected.")).collect();
        Self { golden, open, worst: (0.0, String::new()) }
    }

    fn tensor<const D: usize>(&mut self, name: &str, found: Tensor<D>) {
        let shape = found.dims();
        self.numbers(name, &shape, &found.try_into_vec_as::<f64>().unwrap());
    }

    /// NaN is expected at padding, minus infinity where something is forbidden.
    fn numbers(&mut self, name: &str, shape: &[usize], found: &[f64]) {
        let (expected_shape, expected) = self.expected(name);
        assert_eq!(shape, expected_shape, "{name}");
        let mut deviation: f64 = 0.0;
        let mut largest: f64 = 0.0;
        for (&found, &expected) in found.iter().zip(&expected).filter(|(_, expected)| !expected.is_nan()) {
            if expected == f64::NEG_INFINITY {
                assert!(found < -1e29, "{name}: {found} where the score should forbid");
                continue;
            }
            assert!(found.is_finite(), "{name}: {found} for {expected}");
            deviation = deviation.max((found - expected).abs());
            largest = largest.max(expected.abs());
        }
        if largest < ROUNDING {
            assert!(deviation <= ZERO, "{name}: {deviation} for zero");
            return;
        }
        let relative = deviation / largest;
        assert!(relative <= TOLERANCE, "{name}: deviates by {deviation}, the largest number being {largest}");
        if relative > self.worst.0 {
            self.worst = (relative, name.to_owned());
        }
    }

    fn ids(&mut self, name: &str, found: &[usize]) {
        let expected: Vec<usize> = self.expected(name).1.into_iter().map(|id| id as usize).collect();
        assert_eq!(found, expected, "{name}");
    }

    fn expected(&mut self, name: &str) -> (Vec<usize>, Vec<f64>) {
        assert!(self.open.remove(name), "{name}: no such reference value, or compared before");
        self.golden.numbers(&format!("expected.{name}"))
    }

    /// The gradient of every parameter; without one are those that are not trained, and they alone.
    fn gradients(&mut self, loss: &str, model: &Cman, gradients: &Gradients) {
        model.visit(&mut ParameterVisitor { path: Vec::new(), loss, gradients, comparison: self });
    }
}

struct ParameterVisitor<'a, 'b> {
    path: Vec<String>,
    loss: &'a str,
    gradients: &'a Gradients,
    comparison: &'a mut Comparison<'b>,
}

impl ModuleVisitor for ParameterVisitor<'_, '_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let path = self.path.join(".");
        let word = &self.comparison.golden.case.config.word;
        let is_frozen = path == "embedding.word.pretrained" || (path == "embedding.word.trained" && !word.trainable);
        match param.val().grad(self.gradients) {
            Some(gradient) => self.comparison.tensor(&format!("gradient.{}.{path}", self.loss), gradient),
            None => assert!(is_frozen, "no gradient for {path}"),
        }
    }
}

fn check(case: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens").join(format!("{case}.safetensors"));
    let bytes = std::fs::read(&path).unwrap();
    let golden = Golden::parse(path, &bytes);
    let devices = [
        #[cfg(feature = "flex")]
        ("flex", Device::flex()),
        #[cfg(feature = "ndarray")]
        ("ndarray", Device::ndarray()),
    ];
    for (name, device) in devices {
        let mut comparison = Comparison::new(&golden);
        check_values(&mut comparison, &device);
        check_prediction(&mut comparison, &device);
        check_losses(&mut comparison, &device.clone().autodiff());
        assert!(comparison.open.is_empty(), "never compared: {:?}", comparison.open);
        let (worst, place) = comparison.worst;
        println!("{case} on {name}: largest relative deviation {worst:.1e} ({place})");
    }
}

/// Every step from the inputs to the scores.
fn check_values(comparison: &mut Comparison, device: &Device) {
    let golden = comparison.golden;
    let model = golden.model(device);
    let sentences = golden.sentences();
    let sentences: Vec<&EncodedSentence> = sentences.iter().collect();
    let batch = golden.batch(&sentences, device);
    let (lengths, mask_pad, gold) = (batch.lengths(), &batch.mask_pad, Gold::new(&sentences));

    let mut x = model.embed(&batch);
    comparison.tensor("x", x.clone());
    for (i, unit) in model.bsa.iter().enumerate() {
        x = unit.forward(x, lengths, mask_pad, Mode::Evaluate);
        comparison.tensor(&format!("bsa.{i}"), x.clone());
    }

    let potentials = model.crf.potentials(x.clone());
    comparison.tensor("crf.first", potentials.first.clone());
    comparison.tensor("crf.pair", potentials.pair.clone());
    comparison.tensor("crf.end", potentials.end.clone());
    comparison.tensor("log_partition", log_partition(&potentials, lengths));
    comparison.tensor("gold_score", gold_score(&potentials, &gold.tags));

    if let Some((labels, fusion)) = model.labels.as_ref().and_then(|labels| Some((labels, labels.fusion.as_ref()?))) {
        let mut tags: Vec<i64> = Vec::new();
        for (i, row) in gold.tags.iter().enumerate() {
            tags.extend(row.iter().map(|&tag| i64::from(tag)));
            tags.resize((i + 1) * batch.steps(), 0);
        }
        let tags = Tensor::from_data(TensorData::new(tags, [batch.batch_size(), batch.steps()]), device);
        let labels = labels.embedding.forward(tags);
        let x1 = fusion.first.forward(x.clone(), labels, lengths, mask_pad, Mode::Evaluate);
        comparison.tensor("labels.first", x1.clone());
        let x2 = fusion.fuse.forward(Tensor::cat(vec![x.clone(), x1], 2), lengths, mask_pad, Mode::Evaluate);
        comparison.tensor("labels.fused", x2);
    }
    let x = model.interact(x, &gold.tags, &batch, Mode::Evaluate);
    comparison.tensor("interaction", x.clone());
    comparison.tensor("table", table_composed(&model.relation.project(x)));
}

/// Viterbi tags, probabilities of tags, entities and relations.
fn check_prediction(comparison: &mut Comparison, device: &Device) {
    let golden = comparison.golden;
    let model = golden.model(device);
    let sentences = golden.sentences();
    let batch = golden.batch(&sentences.iter().collect::<Vec<_>>(), device);

    let n_tags = Tag::count(golden.case.sizes.entities);
    let x = model.encode(model.embed(&batch), &batch, Mode::Evaluate);
    let (mut viterbi, mut tag_probabilities) = (Vec::new(), Vec::new());
    for lattice in model.crf.potentials(x).lattices(batch.lengths()) {
        viterbi.extend(lattice.viterbi().into_iter().map(|tag| tag as usize));
        let marginals = lattice.marginals();
        let all = (0..lattice.len()).flat_map(|t| (0..n_tags).map(move |tag| (t, tag as u32)));
        tag_probabilities.extend(all.map(|(t, tag)| marginals.tag(t, tag)));
    }
    comparison.ids("predicted.viterbi", &viterbi);
    let n_tokens = viterbi.len();
    comparison.numbers("predicted.tag_probabilities", &[n_tokens, n_tags], &tag_probabilities);

    let options = PredictOptions::from(&golden.case.config.relation);
    let (mut entities, mut entity_probabilities) = (Vec::new(), Vec::new());
    let (mut relations, mut relation_probabilities) = (Vec::new(), Vec::new());
    for (s, prediction) in model.predict(&batch, None, options).into_iter().enumerate() {
        for entity in prediction.entities {
            entities.extend([s, entity.span.start, entity.span.end, entity.span.kind]);
            entity_probabilities.push(entity.probability);
        }
        for relation in prediction.relations {
            relations.extend([s, relation.head, relation.tail, relation.kind]);
            relation_probabilities.push(relation.probability);
        }
    }
    comparison.ids("predicted.entities", &entities);
    comparison.numbers("predicted.entity_probabilities", &[entity_probabilities.len()], &entity_probabilities);
    comparison.ids("predicted.relations", &relations);
    comparison.numbers("predicted.relation_probabilities", &[relation_probabilities.len()], &relation_probabilities);
}

/// Both losses, the adversarial step of section 3.5, and every gradient.
fn check_losses(comparison: &mut Comparison, device: &Device) {
    let golden = comparison.golden;
    let model = golden.model(device);
    let sentences = golden.sentences();
    let sentences: Vec<&EncodedSentence> = sentences.iter().collect();
    let (batch, gold) = (golden.batch(&sentences, device), Gold::new(&sentences));
    // The rates are zero: training without dropout.
    let losses = |x: Tensor<3>| model.losses(x, &batch, &gold, &gold.tags, Mode::Train(Key::new(1)));

    let x = model.embed(&batch);
    let delta = x.zeros_like().detach().require_grad();
    let clean = losses(x + delta.clone());
    comparison.tensor("loss.ner", clean.ner.clone());
    comparison.tensor("loss.re", clean.re.clone());
    let gradients = clean.joint().backward();
    comparison.gradients("joint", &model, &gradients);
    let g = delta.grad(&gradients).unwrap();
    comparison.tensor("gradient.x", g.clone());

    let [batch_size, _, width] = g.dims();
    let norm = g.clone().square().sum_dims_squeeze::<1, _>(&[1, 2]).sqrt().reshape([batch_size, 1, 1]);
    let eta = g * (golden.case.alpha * (width as f64).sqrt()) / norm;
    comparison.tensor("eta", eta.clone());

    let x = model.embed(&batch);
    let clean = losses(x.clone());
    let adversarial = losses(x + Tensor::from_inner(eta)).joint();
    comparison.tensor("loss.adversarial", adversarial.clone());
    comparison.gradients("total", &model, &(clean.joint() + adversarial).backward());
}

#[test]
fn cman() {
    check("cman");
}

#[test]
fn variants() {
    check("variants");
}

#[test]
fn multihead_baseline() {
    check("multihead");
}

#[test]
fn ablations() {
    check("ablations");
}
