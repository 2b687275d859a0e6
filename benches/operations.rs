//! The kernels beside their composed twins, a training step and extraction, on the CPU: `cargo bench`.
//!
//! Names are `backend/operation/shape`. Lengths are ragged: from a quarter of the longest to the longest.

use std::convert::Infallible;

use burn::tensor::{Bool, Device, Tensor, TensorData};

use cman::{
    Config, Extractor, Learner, Model, TrainingData,
    core::{
        Gold, Init, Share, TokenBatch,
        attention::{attend, attend_composed},
        crf::{Potentials, gold_score, log_partition, negative_log_likelihood},
        linear::{Linear, linear_composed},
        lstm::{BiLstm, bilstm_composed},
        random::Key,
        relation::{Positive, Projection, pair_loss, pair_loss_composed},
    },
    data::EncodedSentence,
    sample,
    train::{StepBatch, Trainable, batch_gradients},
};
use divan::Bencher;

fn main() {
    divan::main();
}

/// (batch, steps, input, hidden)
const LSTM: [[usize; 4]; 4] = [[1, 30, 256, 128], [8, 40, 256, 128], [8, 40, 1330, 128], [32, 40, 256, 128]];
/// (batch, steps, relations, hidden)
const PAIRS: [[usize; 4]; 3] = [[16, 30, 5, 128], [16, 40, 5, 128], [1, 120, 5, 128]];

/// (batch, steps, width)
const ATTENTION: [[usize; 3]; 3] = [[16, 30, 256], [16, 60, 256], [1, 120, 256]];
const HEADS: usize = 8;
/// (batch, steps, input, output)
const LINEAR: [[usize; 4]; 3] = [[8, 30, 256, 256], [16, 40, 256, 640], [16, 40, 256, 9]];
/// (batch, steps, tags)
const CRF: [[usize; 3]; 2] = [[16, 30, 9], [16, 60, 9]];

fn lengths(batch: usize, steps: usize) -> Vec<usize> {
    (0..batch).map(|i| steps - i * (steps - steps / 4) / batch).collect()
}

fn numbers<const D: usize>(shape: [usize; D], seed: u64, device: &Device) -> Tensor<D> {
    let values = Key::new(seed).uniform(shape.iter().product(), 1.0);
    Tensor::from_data(TensorData::new(values, shape), device)
}

type Lstm = fn(&BiLstm, Tensor<3>, &[usize]) -> Tensor<3>;

fn composed(lstm: &BiLstm, x: Tensor<3>, lengths: &[usize]) -> Tensor<3> {
    bilstm_composed(x, lstm.w_ih.val(), lstm.w_hh.val(), lstm.bias.val(), lengths)
}

fn lstm(bencher: Bencher, [batch, steps, d_input, d_hidden]: [usize; 4], run: Lstm, train: bool) {
    let device = if train { Device::flex().autodiff() } else { Device::flex() };
    let lstm = BiLstm::new(d_input, d_hidden, Init::new(1, &device));
    let x = numbers([batch, steps, d_input], 2, &device);
    let lengths = lengths(batch, steps);
    bencher.bench_local(|| {
        let y = run(&lstm, if train { x.clone().require_grad() } else { x.clone() }, &lengths);
        if train {
            drop(y.sum().backward());
        }
    });
}

#[divan::bench(name = "flex/bilstm forward, fused", args = LSTM)]
fn lstm_fused(bencher: Bencher, shape: [usize; 4]) {
    lstm(bencher, shape, BiLstm::forward, false);
}

#[divan::bench(name = "flex/bilstm forward, composed", args = LSTM)]
fn lstm_composed(bencher: Bencher, shape: [usize; 4]) {
    lstm(bencher, shape, composed, false);
}

#[divan::bench(name = "flex/bilstm forward and backward, fused", args = LSTM)]
fn lstm_train_fused(bencher: Bencher, shape: [usize; 4]) {
    lstm(bencher, shape, BiLstm::forward, true);
}

#[divan::bench(name = "flex/bilstm forward and backward, composed", args = LSTM)]
fn lstm_train_composed(bencher: Bencher, shape: [usize; 4]) {
    lstm(bencher, shape, composed, true);
}

type Layer = fn(&Linear, Tensor<3>, &[usize]) -> Tensor<3>;

fn linear(bencher: Bencher, [batch, steps, d_input, d_output]: [usize; 4], run: Layer) {
    let device = Device::flex().autodiff();
    let layer = Init::new(1, &device).linear(d_input, d_output, true);
    let (x, lengths) = (numbers([batch, steps, d_input], 2, &device), lengths(batch, steps));
    bencher.bench_local(|| run(&layer, x.clone().require_grad(), &lengths).sum().backward());
}

#[divan::bench(name = "flex/linear forward and backward, fused", args = LINEAR)]
fn linear_fused(bencher: Bencher, shape: [usize; 4]) {
    linear(bencher, shape, Linear::forward);
}

#[divan::bench(name = "flex/linear forward and backward, composed", args = LINEAR)]
fn linear_twin(bencher: Bencher, shape: [usize; 4]) {
    linear(bencher, shape, |Linear { weight, bias, .. }, x, _| {
        linear_composed(x, weight.val(), bias.as_ref().map(|bias| bias.val()))
    });
}

type PairLoss = fn(&Projection, &[Positive], &[usize]) -> Tensor<1>;

fn pairs(bencher: Bencher, [batch, steps, relations, hidden]: [usize; 4], run: PairLoss) {
    let device = Device::flex().autodiff();
    let projection = Projection {
        head: numbers([batch, steps, relations * hidden], 1, &device).require_grad(),
        tail: numbers([batch, steps, relations * hidden], 2, &device).require_grad(),
        v: numbers([relations, hidden], 3, &device).require_grad(),
    };
    let positives: Vec<Positive> =
        (0..batch).map(|sentence| Positive { sentence, head: 0, tail: 1, kind: 0 }).collect();
    let lengths = lengths(batch, steps);
    bencher.bench_local(|| run(&projection, &positives, &lengths).backward());
}

#[divan::bench(name = "flex/relation loss forward and backward, fused", args = PAIRS)]
fn pairs_fused(bencher: Bencher, shape: [usize; 4]) {
    pairs(bencher, shape, pair_loss);
}

#[divan::bench(name = "flex/relation loss forward and backward, composed", args = PAIRS, sample_count = 10)]
fn pairs_composed(bencher: Bencher, shape: [usize; 4]) {
    pairs(bencher, shape, pair_loss_composed);
}

type Attend = fn([Tensor<3>; 3], &[usize], &Tensor<2, Bool>) -> Tensor<3>;

fn attention(bencher: Bencher, [batch, steps, d_model]: [usize; 3], run: Attend) {
    let device = Device::flex().autodiff();
    let [q, k, v] = [1, 2, 3].map(|seed| numbers([batch, steps, d_model], seed, &device));
    let lengths = lengths(batch, steps);
    let is_pad: Vec<bool> = lengths.iter().flat_map(|&n| (0..steps).map(move |t| t >= n)).collect();
    let mask_pad = Tensor::from_data(TensorData::new(is_pad, [batch, steps]), &device);
    bencher.bench_local(|| {
        let inputs = [&q, &k, &v].map(|x| x.clone().require_grad());
        run(inputs, &lengths, &mask_pad).sum().backward()
    });
}

#[divan::bench(name = "flex/attention forward and backward, fused", args = ATTENTION)]
fn attention_fused(bencher: Bencher, shape: [usize; 3]) {
    attention(bencher, shape, |inputs, lengths, mask_pad| attend(inputs, HEADS, [lengths; 2], mask_pad, None));
}

#[divan::bench(name = "flex/attention forward and backward, composed", args = ATTENTION)]
fn attention_composed(bencher: Bencher, shape: [usize; 3]) {
    attention(bencher, shape, |inputs, lengths, mask_pad| attend_composed(inputs, HEADS, [lengths; 2], mask_pad, None));
}

type CrfLoss = fn(&Potentials, &[Vec<u32>]) -> Tensor<1>;

fn crf(bencher: Bencher, [batch, steps, n_tags]: [usize; 3], run: CrfLoss) {
    let device = Device::flex().autodiff();
    let potentials = Potentials {
        first: numbers([batch, n_tags], 1, &device).require_grad(),
        pair: numbers([batch, steps, n_tags, n_tags], 2, &device).require_grad(),
        end: numbers([n_tags], 3, &device).require_grad(),
    };
    let tags: Vec<Vec<u32>> = lengths(batch, steps).into_iter().map(|length| vec![0; length]).collect();
    bencher.bench_local(|| run(&potentials, &tags).backward());
}

#[divan::bench(name = "flex/crf loss forward and backward, fused", args = CRF)]
fn crf_fused(bencher: Bencher, shape: [usize; 3]) {
    crf(bencher, shape, negative_log_likelihood);
}

#[divan::bench(name = "flex/crf loss forward and backward, composed", args = CRF)]
fn crf_composed(bencher: Bencher, shape: [usize; 3]) {
    crf(bencher, shape, |potentials, tags| {
        let lengths: Vec<usize> = tags.iter().map(Vec::len).collect();
        (log_partition(potentials, &lengths) - gold_score(potentials, tags)).sum()
    });
}

/// A model of the paper's size after no update, and the sample's training sentences.
fn model() -> (Model, Vec<EncodedSentence>) {
    let splits = sample::corpus().expect("the sample corpus");
    let config = Config::load(None, &[]).expect("the defaults");
    let data = TrainingData { schema: &splits.schema, train: &splits.train.sentences, dev: &[] };
    let learner = Learner::new(config, data, None, &Device::flex()).expect("a learner");
    let model = learner.finish().model;
    let encode = |sentence| model.vocabularies.encode(sentence, &splits.schema).expect("a sound sentence");
    let sentences = splits.train.sentences.iter().map(encode).collect();
    (model, sentences)
}

#[divan::bench(name = "flex/training step/16 sentences of the sample", args = ["clean", "adversarial"])]
fn training_step(bencher: Bencher, kind: &str) {
    use burn::module::Module;
    let (model, sentences) = model();
    let weights = Trainable::from(model.network.train());
    let device = Device::flex().autodiff();
    let mut config = model.config.train;
    if kind == "clean" {
        config.adversarial.alpha = 0.0;
    }
    let prepare = |_: &Trainable, share: Share| {
        let members: Vec<&EncodedSentence> = share.members(sentences.len()).map(|i| &sentences[i]).collect();
        let gold = Gold::new(&members);
        Ok::<_, Infallible>(StepBatch { tokens: TokenBatch::new(&members, &device), labels: gold.tags.clone(), gold })
    };
    bencher.bench_local(|| batch_gradients(&weights, 16, prepare, &config, Key::new(1)));
}

#[divan::bench(name = "flex/extraction/the sample's dev sentences")]
fn extraction(bencher: Bencher) {
    let dev = sample::corpus().expect("the sample corpus").dev.expect("dev sentences");
    let extractor = Extractor::new(model().0);
    bencher.bench_local(|| extractor.extract_sentences(&dev.sentences).expect("sound sentences"));
}
