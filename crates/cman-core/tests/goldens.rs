//! Every value and gradient of the network against a PyTorch implementation of the same equations in double precision.
//! `goldens/README.md` describes the files and how they were made.

#![cfg(any(feature = "flex", feature = "ndarray"))]

#[path = "goldens/comparison.rs"]
mod comparison;
#[path = "goldens/golden.rs"]
mod golden;

use std::path::Path;

use burn::tensor::{Device, Tensor};
use burn_ragged::{
    DeviceKind, Key, Mode, Ragged, Shard,
    crf::{gold_score, log_partition},
    pairs::pair_table_reference,
};
use cman_core::{
    Gold,
    model::{Given, PredictOptions},
    perturbation,
};
use cman_data::{EncodedSentence, Tag};
use comparison::Comparison;
use golden::Golden;

fn check(case: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens").join(format!("{case}.safetensors"));
    let bytes = std::fs::read(&path).unwrap();
    let golden = Golden::parse(path, &bytes);
    for kind in DeviceKind::compiled().into_iter().filter(|kind| kind.is_cpu()) {
        let device = kind.device().unwrap();
        let mut comparison = Comparison::new(&golden);
        check_values(&mut comparison, &device);
        check_prediction(&mut comparison, &device);
        check_losses(&mut comparison, &device.clone().autodiff());
        assert!(comparison.open.is_empty(), "never compared: {:?}", comparison.open);
        let (worst, place) = comparison.worst;
        println!("{case} on {kind}: largest relative deviation {worst:.1e} ({place})");
    }
}

/// Every step from the inputs to the scores.
fn check_values(comparison: &mut Comparison, device: &Device) {
    let golden = comparison.golden;
    let model = golden.model(device);
    let sentences = golden.sentences();
    let sentences: Vec<&EncodedSentence> = sentences.iter().collect();
    let batch = golden.batch(&sentences, device);
    let gold = Gold::new(&sentences).unwrap();

    let mut x = model.embed(&batch);
    comparison.tensor("x", x.values().clone());
    for (i, unit) in model.bsa.iter().enumerate() {
        x = unit.forward(x, Mode::Evaluate);
        comparison.tensor(&format!("bsa.{i}"), x.values().clone());
    }

    let potentials = model.crf.potentials(x.clone());
    comparison.tensor("crf.first", potentials.first().clone());
    comparison.tensor("crf.pair", potentials.pair().clone());
    comparison.tensor("crf.end", potentials.end().clone());
    comparison.tensor("log_partition", log_partition(&potentials));
    comparison.tensor("gold_score", gold_score(&potentials, gold.tags()));

    if let Some((labels, fusion)) = model.labels.as_ref().and_then(|labels| Some((labels, labels.fusion.as_ref()?))) {
        let tags = batch.layout().pad(gold.tags().iter().map(Vec::as_slice), device);
        let labels = labels.embedding.forward(tags, batch.layout());
        let x1 = fusion.first.forward(x.clone(), labels, Mode::Evaluate);
        comparison.tensor("labels.first", x1.values().clone());
        let x2 = fusion.fuse.forward(Ragged::cat(vec![x.clone(), x1]), Mode::Evaluate);
        comparison.tensor("labels.fused", x2.into_values());
    }
    let x = model.interact(x, gold.tags(), Mode::Evaluate);
    comparison.tensor("interaction", x.values().clone());
    comparison.tensor("table", pair_table_reference(&model.relation.as_ref().unwrap().project(x)));
}

/// Viterbi tags, probabilities of tags, entities and relations.
fn check_prediction(comparison: &mut Comparison, device: &Device) {
    let golden = comparison.golden;
    let model = golden.model(device);
    let sentences = golden.sentences();
    let batch = golden.batch(&sentences.iter().collect::<Vec<_>>(), device);

    let n_tags = Tag::count(golden.case.sizes.entities);
    let x = model.encode(model.embed(&batch), Mode::Evaluate);
    let (mut viterbi, mut tag_probabilities) = (Vec::new(), Vec::new());
    for lattice in model.crf.potentials(x).lattices() {
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
    for (s, prediction) in model.predict(&batch, Given::Nothing, options).into_iter().enumerate() {
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
    let (batch, gold) = (golden.batch(&sentences, device), Gold::new(&sentences).unwrap());
    // The rates are zero: training without dropout.
    let losses = |x: Ragged| model.losses(x, &gold, gold.tags(), Mode::Train(Key::new(1), Shard::WHOLE));

    let x = model.embed(&batch);
    let delta = x.values().zeros_like().detach().require_grad();
    let clean = losses(x.map(|x| x + delta.clone()));
    comparison.tensor("loss.ner", clean.ner.clone());
    comparison.tensor("loss.re", clean.re.clone());
    let gradients = clean.joint().backward();
    comparison.gradients("joint", &model, &gradients);
    let g = delta.grad(&gradients).unwrap();
    comparison.tensor("gradient.x", g.clone());

    let eta = perturbation(Ragged::new(g, batch.layout().clone()), 0, golden.case.alpha).into_values();
    comparison.tensor("eta", eta.clone());

    let x = model.embed(&batch);
    let clean = losses(x.clone());
    let adversarial = losses(x.map(|x| x + Tensor::from_inner(eta))).joint();
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
