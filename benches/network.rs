//! Training steps and extraction on the CPU: `cargo bench`. Single operations: `cargo bench -p burn-ragged`.

use cman::{
    Config, Device, Extractor, Learner, Model, TrainingData,
    core::{Gold, TokenBatch},
    data::EncodedSentence,
    ragged::Key,
    sample,
    train::{BatchShard, StepBatch, Trainable, batch_gradients, batch_shards},
};
use divan::Bencher;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

fn main() {
    divan::main();
}

/// An untrained model of the paper's size, and the training sentences of the sample corpus.
fn model() -> (Model, Vec<EncodedSentence>) {
    let splits = sample::corpus().expect("the sample corpus");
    let config = Config::load(None, &[]).expect("the defaults");
    let data = TrainingData { schema: &splits.schema, train: &splits.train.sentences, dev: &[] };
    let learner = Learner::new(config, data, None, &Device::flex()).expect("a learner");
    let model = learner.finish().model;
    let encode = |sentence| model.vocabularies().encode(sentence, &splits.schema).expect("a valid sentence");
    let sentences = splits.train.sentences.iter().map(encode).collect();
    (model, sentences)
}

#[divan::bench(name = "flex/training step/16 sentences of the sample", args = ["clean", "adversarial"])]
fn training_step(bencher: Bencher, kind: &str) {
    use burn::module::Module;
    let (model, sentences) = model();
    let weights = Trainable::from(model.network().clone().train());
    let device = Device::flex().autodiff();
    let mut config = model.config().train.clone();
    if kind == "clean" {
        config.adversarial.alpha = 0.0;
    }
    let prepare = |shard: BatchShard| {
        let members: Vec<&EncodedSentence> = shard.shard.members(sentences.len()).map(|i| &sentences[i]).collect();
        let gold = Gold::new(&members).expect("annotated sentences");
        let batch = StepBatch { tokens: TokenBatch::new(&members, &device), labels: gold.tags().to_vec(), gold };
        (batch, shard)
    };
    bencher.bench_local(|| {
        let shards = batch_shards(&weights, sentences.len()).into_par_iter().map(prepare).collect();
        batch_gradients(&weights, shards, &config, Key::new(1))
    });
}

#[divan::bench(name = "flex/extraction/the sample's dev sentences")]
fn extraction(bencher: Bencher) {
    let dev = sample::corpus().expect("the sample corpus").dev.expect("dev sentences");
    let extractor = Extractor::new(model().0);
    bencher.bench_local(|| extractor.extract_sentences(&dev.sentences).expect("valid sentences"));
}
