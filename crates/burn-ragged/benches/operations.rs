//! Compares each CPU kernel with its definition and with burn's module, if there is one: `cargo bench -p burn-ragged`.
//!
//! The lengths of the sequences go from the longest down to a quarter of it. burn's modules also compute the padding.

use burn::{
    nn::{
        BiLstmConfig as BurnBiLstmConfig, LinearConfig,
        attention::{MhaInput, MultiHeadAttentionConfig},
    },
    tensor::{Device, Tensor, TensorData},
};
use burn_ragged::{
    BiLstm, BiLstmConfig, Init, Key, Layout, Linear, Ragged,
    attention::{AttentionInput, attention, attention_reference},
    bilstm::bilstm_reference,
    crf::{Potentials, gold_score, log_partition, negative_log_likelihood},
    linear::linear_reference,
    pairs::{PairProjection, Positive, pair_loss, pair_loss_reference},
};
use divan::Bencher;

fn main() {
    divan::main();
}

/// (batch, steps, input, hidden)
const LSTM: [[usize; 4]; 4] = [[1, 30, 256, 128], [8, 40, 256, 128], [8, 40, 1330, 128], [32, 40, 256, 128]];
/// (batch, steps, input, output)
const LINEAR: [[usize; 4]; 3] = [[8, 30, 256, 256], [16, 40, 256, 640], [16, 40, 256, 9]];
/// (batch, steps, width)
const ATTENTION: [[usize; 3]; 3] = [[16, 30, 256], [16, 60, 256], [1, 120, 256]];
const HEADS: usize = 8;
/// (batch, steps, relations, hidden)
const PAIRS: [[usize; 4]; 3] = [[16, 30, 5, 128], [16, 40, 5, 128], [1, 120, 5, 128]];
/// (batch, steps, tags)
const CRF: [[usize; 3]; 2] = [[16, 30, 9], [16, 60, 9]];

fn layout(batch: usize, steps: usize) -> Layout {
    Layout::new((0..batch).map(|i| steps - i * (steps - steps / 4) / batch).collect())
}

fn random<const D: usize>(shape: [usize; D], seed: u64, device: &Device) -> Tensor<D> {
    let values = Key::new(seed).uniform(shape.iter().product(), 1.0);
    Tensor::from_data(TensorData::new(values, shape), device)
}

mod bilstm {
    use super::*;

    fn run(bencher: Bencher, shape: [usize; 4], train: bool, forward: impl Fn(&BiLstm, Ragged) -> Ragged) {
        let [batch, steps, d_input, d_hidden] = shape;
        let device = if train { Device::flex().autodiff() } else { Device::flex() };
        let lstm = BiLstmConfig::new(d_input, d_hidden).init_with(Init::new(1, &device));
        let (x, layout) = (random([batch, steps, d_input], 2, &device), layout(batch, steps));
        bencher.bench_local(|| {
            let x = if train { x.clone().require_grad() } else { x.clone() };
            let y = forward(&lstm, Ragged::new(x, layout.clone())).into_values();
            if train {
                drop(y.sum().backward());
            }
        });
    }

    fn burn(bencher: Bencher, [batch, steps, d_input, d_hidden]: [usize; 4], train: bool) {
        let device = if train { Device::flex().autodiff() } else { Device::flex() };
        let lstm = BurnBiLstmConfig::new(d_input, d_hidden, true).init(&device);
        let x = random([batch, steps, d_input], 2, &device);
        bencher.bench_local(|| {
            let y = lstm.forward(if train { x.clone().require_grad() } else { x.clone() }, None).0;
            if train {
                drop(y.sum().backward());
            }
        });
    }

    fn definition(lstm: &BiLstm, x: Ragged) -> Ragged {
        bilstm_reference(x, lstm.w_ih.val(), lstm.w_hh.val(), lstm.bias.val())
    }

    #[divan::bench(args = LSTM)]
    fn forward_kernel(bencher: Bencher, shape: [usize; 4]) {
        run(bencher, shape, false, BiLstm::forward);
    }

    #[divan::bench(args = LSTM)]
    fn forward_definition(bencher: Bencher, shape: [usize; 4]) {
        run(bencher, shape, false, definition);
    }

    #[divan::bench(args = LSTM)]
    fn forward_burn(bencher: Bencher, shape: [usize; 4]) {
        burn(bencher, shape, false);
    }

    #[divan::bench(args = LSTM)]
    fn train_kernel(bencher: Bencher, shape: [usize; 4]) {
        run(bencher, shape, true, BiLstm::forward);
    }

    #[divan::bench(args = LSTM)]
    fn train_definition(bencher: Bencher, shape: [usize; 4]) {
        run(bencher, shape, true, definition);
    }

    #[divan::bench(args = LSTM)]
    fn train_burn(bencher: Bencher, shape: [usize; 4]) {
        burn(bencher, shape, true);
    }
}

mod linear {
    use super::*;

    fn run(
        bencher: Bencher,
        [batch, steps, d_input, d_output]: [usize; 4],
        forward: impl Fn(&Linear, Ragged) -> Ragged,
    ) {
        let device = Device::flex().autodiff();
        let layer = Init::new(1, &device).linear(d_input, d_output, true);
        let (x, layout) = (random([batch, steps, d_input], 2, &device), layout(batch, steps));
        bencher.bench_local(|| {
            let x = Ragged::new(x.clone().require_grad(), layout.clone());
            forward(&layer, x).into_values().sum().backward()
        });
    }

    #[divan::bench(args = LINEAR)]
    fn train_kernel(bencher: Bencher, shape: [usize; 4]) {
        run(bencher, shape, Linear::forward);
    }

    #[divan::bench(args = LINEAR)]
    fn train_definition(bencher: Bencher, shape: [usize; 4]) {
        run(bencher, shape, |Linear { weight, bias, .. }, x| {
            linear_reference(x, weight.val(), bias.as_ref().map(|bias| bias.val()))
        });
    }

    #[divan::bench(args = LINEAR)]
    fn train_burn(bencher: Bencher, [batch, steps, d_input, d_output]: [usize; 4]) {
        let device = Device::flex().autodiff();
        let layer = LinearConfig::new(d_input, d_output).init(&device);
        let x = random([batch, steps, d_input], 2, &device);
        bencher.bench_local(|| layer.forward(x.clone().require_grad()).sum().backward());
    }
}

mod attention_of_heads {
    use super::*;

    type Attend = fn(AttentionInput, usize, Option<&burn_ragged::DropoutMasks>) -> Ragged;

    fn run(bencher: Bencher, [batch, steps, d_model]: [usize; 3], attend: Attend) {
        let device = Device::flex().autodiff();
        let [q, k, v] = [1, 2, 3].map(|seed| random([batch, steps, d_model], seed, &device));
        let layout = layout(batch, steps);
        bencher.bench_local(|| {
            let [query, key, value] = [&q, &k, &v].map(|x| Ragged::new(x.clone().require_grad(), layout.clone()));
            attend(AttentionInput { query, key, value }, HEADS, None).into_values().sum().backward()
        });
    }

    #[divan::bench(args = ATTENTION)]
    fn train_kernel(bencher: Bencher, shape: [usize; 3]) {
        run(bencher, shape, attention);
    }

    #[divan::bench(args = ATTENTION)]
    fn train_definition(bencher: Bencher, shape: [usize; 3]) {
        run(bencher, shape, attention_reference);
    }

    /// burn's module contains the projections of queries, keys, values and output.
    #[divan::bench(args = ATTENTION)]
    fn train_burn_with_projections(bencher: Bencher, [batch, steps, d_model]: [usize; 3]) {
        let device = Device::flex().autodiff();
        let module = MultiHeadAttentionConfig::new(d_model, HEADS).with_dropout(0.0).init(&device);
        let x = random([batch, steps, d_model], 1, &device);
        let mask = layout(batch, steps).mask_pad(&device);
        bencher.bench_local(|| {
            let input = MhaInput::self_attn(x.clone().require_grad()).mask_pad(mask.clone());
            module.forward(input).context.sum().backward()
        });
    }

    /// The same computation as burn's module, with the kernels.
    #[divan::bench(args = ATTENTION)]
    fn train_kernels_with_projections(bencher: Bencher, [batch, steps, d_model]: [usize; 3]) {
        let device = Device::flex().autodiff();
        let layer = |site| Init::new(1, &device).at(site).linear(d_model, d_model, true);
        let [query, key, value, output] = ["query", "key", "value", "output"].map(layer);
        let (x, layout) = (random([batch, steps, d_model], 1, &device), layout(batch, steps));
        bencher.bench_local(|| {
            let x = Ragged::new(x.clone().require_grad(), layout.clone());
            let [query, key, value] = [&query, &key, &value].map(|layer| layer.forward(x.clone()));
            let attended = attention(AttentionInput { query, key, value }, HEADS, None);
            output.forward(attended).into_values().sum().backward()
        });
    }
}

mod pairs {
    use super::*;

    fn run(bencher: Bencher, shape: [usize; 4], loss: fn(&PairProjection, &[Positive]) -> Tensor<1>) {
        let [batch, steps, relations, hidden] = shape;
        let device = Device::flex().autodiff();
        let layout = layout(batch, steps);
        let side = |seed| {
            Ragged::new(random([batch, steps, relations * hidden], seed, &device).require_grad(), layout.clone())
        };
        let projection = PairProjection::new(side(1), side(2), random([relations, hidden], 3, &device).require_grad());
        let positives: Vec<Positive> =
            (0..batch).map(|sequence| Positive { sequence, head: 0, tail: 1, kind: 0 }).collect();
        bencher.bench_local(|| loss(&projection, &positives).backward());
    }

    #[divan::bench(args = PAIRS)]
    fn train_kernel(bencher: Bencher, shape: [usize; 4]) {
        run(bencher, shape, pair_loss);
    }

    #[divan::bench(args = PAIRS, sample_count = 10)]
    fn train_definition(bencher: Bencher, shape: [usize; 4]) {
        run(bencher, shape, pair_loss_reference);
    }
}

mod crf {
    use super::*;

    fn run(bencher: Bencher, [batch, steps, n_tags]: [usize; 3], loss: fn(&Potentials, &[Vec<u32>]) -> Tensor<1>) {
        let device = Device::flex().autodiff();
        let layout = layout(batch, steps);
        let tags: Vec<Vec<u32>> = layout.lengths().iter().map(|&length| vec![0; length]).collect();
        let potentials = Potentials::new(
            random([batch, n_tags], 1, &device).require_grad(),
            random([batch, steps, n_tags, n_tags], 2, &device).require_grad(),
            random([n_tags], 3, &device).require_grad(),
            layout,
        );
        bencher.bench_local(|| loss(&potentials, &tags).backward());
    }

    #[divan::bench(args = CRF)]
    fn train_kernel(bencher: Bencher, shape: [usize; 3]) {
        run(bencher, shape, negative_log_likelihood);
    }

    #[divan::bench(args = CRF)]
    fn train_definition(bencher: Bencher, shape: [usize; 3]) {
        run(bencher, shape, |potentials, tags| (log_partition(potentials) - gold_score(potentials, tags)).sum());
    }
}
