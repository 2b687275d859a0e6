//! Runs the same weights on every backend of the build and compares the scores.
//!
//! `cargo run --example swap_backend --features ndarray,wgpu`. `--model DIR` loads a model from `cman train`; the
//! default is to train a small model on the sample corpus.

use std::{path::PathBuf, time::Instant};

use anyhow::{Context, Result};
use burn::module::Module;
use clap::Parser;
use cman::{
    Config, Device, DeviceKind, Learner, Model, TrainingData, core::TokenBatch, data::EncodedSentence, ragged::Mode,
    sample,
};

#[derive(Parser)]
struct Args {
    /// Model directory; default: a small model trained for one epoch
    #[arg(long)]
    model: Option<PathBuf>,
    /// Number of test sentences of the sample corpus to compare on
    #[arg(long, default_value_t = 8)]
    sentences: usize,
}

/// The tag scores and relation scores on a device.
fn scores(model: &Model, sentences: &[&EncodedSentence], device: &Device) -> Result<Vec<f64>> {
    let network = model.network().clone().fork(device);
    let batch = TokenBatch::new(sentences, device);
    let x = network.encode(network.embed(&batch), Mode::Evaluate);
    let tags: Vec<Vec<u32>> = sentences.iter().map(|sentence| sentence.tags.clone()).collect();
    let features = network.interact(x.clone(), &tags, Mode::Evaluate);
    let scorer = network.relation.as_ref().context("the sample has relations")?;
    let relations = scorer.project(features);
    let in_sentence = |(s, sentence): (usize, &&EncodedSentence)| {
        let n = sentence.words.len();
        (0..n * n).map(move |pair| (s, pair / n, pair % n))
    };
    let pairs: Vec<_> = sentences.iter().enumerate().flat_map(in_sentence).collect();
    let mut scores: Vec<f64> = relations.scores(&pairs).try_into_vec_as()?;
    for (lattice, tags) in network.crf.potentials(x).lattices().iter().zip(&tags) {
        scores.push(lattice.score(tags));
        scores.push(lattice.marginals().log_partition());
    }
    Ok(scores)
}

fn main() -> Result<()> {
    let args = Args::parse();
    let corpus = sample::corpus()?;
    let mut devices = Vec::new();
    for backend in DeviceKind::compiled() {
        match backend.device() {
            Ok(device) => devices.push((backend, device)),
            Err(error) => println!("{error}"),
        }
    }
    let (first, cpu) = devices.first().context("no backend is compiled in")?;
    let model = match &args.model {
        Some(folder) => Model::load(folder, cpu)?,
        None => {
            let small = ["train.epochs=1", "model.hidden=16", "model.character.width=16", "model.relation.hidden=16"];
            let config = Config::load(None, &small.map(String::from))?;
            let data = TrainingData { schema: &corpus.schema, train: &corpus.train.sentences, dev: &[] };
            Learner::new(config, data, None, cpu)?.run(&mut ())?.model
        }
    };
    let test = corpus.test.context("the sample has a test set")?.sentences;
    let encode = |sentence| model.vocabularies().encode(sentence, model.schema());
    let encoded = test.iter().take(args.sentences).map(encode).collect::<Result<Vec<_>, _>>()?;
    let sentences: Vec<&EncodedSentence> = encoded.iter().collect();

    let mut expected: Vec<f64> = Vec::new();
    let mut largest = 0.0f64;
    for (backend, device) in &devices {
        let start = Instant::now();
        let actual = scores(&model, &sentences, device)?;
        let seconds = start.elapsed().as_secs_f64();
        if expected.is_empty() {
            println!("{backend:8} {} scores in {seconds:.3} s", actual.len());
            expected = actual;
            continue;
        }
        let scale = expected.iter().fold(0.0f64, |m, x| m.max(x.abs()));
        let difference = actual.iter().zip(&expected).fold(0.0f64, |m, (a, b)| m.max((a - b).abs())) / scale;
        println!("{backend:8} {} scores in {seconds:.3} s, {difference:.1e} from {first}", actual.len());
        largest = largest.max(difference);
    }
    println!("largest difference: {largest:.1e} of the largest score");
    Ok(())
}
