//! Every value and gradient of the network against a PyTorch implementation of the same equations in double precision.
//! `goldens/README.md` describes the files and how they were made.

#![cfg(any(feature = "flex", feature = "ndarray"))]

#[path = "goldens/comparison.rs"]
mod comparison;
#[path = "goldens/golden.rs"]
mod golden;

use std::path::Path;

use burn::tensor::{Device, Tensor, TensorData};
use cman_core::{
    Backend, Gold, Mode, Share,
    crf::{gold_score, log_partition},
    model::PredictOptions,
    random::Key,
    relation::table_composed,
};
use cman_data::{EncodedSentence, Tag};
use comparison::Comparison;
use golden::Golden;

fn check(case: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens").join(format!("{case}.safetensors"));
    let bytes = std::fs::read(&path).unwrap();
    let golden = Golden::parse(path, &bytes);
    for backend in Backend::compiled().into_iter().filter(|backend| backend.is_cpu()) {
        let device = backend.device().unwrap();
        let mut comparison = Comparison::new(&golden);
        check_values(&mut comparison, &device);
        check_prediction(&mut comparison, &device);
        check_losses(&mut comparison, &device.clone().autodiff());
        assert!(comparison.open.is_empty(), "never compared: {:?}", comparison.open);
        let (worst, place) = comparison.worst;
        println!("{case} on {backend}: largest relative deviation {worst:.1e} ({place})");
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

    let potentials = model.crf.potentials(x.clone(), batch.lengths());
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
    comparison.tensor("table", table_composed(&model.relation.project(x, batch.lengths())));
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
    for lattice in model.crf.potentials(x, batch.lengths()).lattices(batch.lengths()) {
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
    let losses = |x: Tensor<3>| model.losses(x, &batch, &gold, &gold.tags, Mode::Train(Key::new(1), Share::WHOLE));

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
