//! Measurements of single operations.

use std::hint::black_box;

use anyhow::{Result, bail};
use burn::{
    nn::BiLstmConfig as BurnBiLstmConfig,
    tensor::{Device, Distribution, Tensor},
};
use cman::ragged::{
    BiLstmConfig, Init, Layout, Ragged,
    pairs::{PairProjection, Positive, pair_loss},
};

use crate::stopwatch::{Took, time};

/// Lengths from a quarter of the longest to the longest.
fn layout(batch: usize, steps: usize) -> Layout {
    Layout::new((0..batch).map(|i| steps - i * (steps - steps / 4) / batch).collect())
}

/// A BiLSTM over a batch: `ours`, or that of `burn`, which also computes the padding.
pub fn bilstm(which: &str, [batch, steps, d_input, d_hidden]: [usize; 4], train: bool) -> Result<Took> {
    let device = if train { Device::flex().autodiff() } else { Device::flex() };
    let x = Tensor::<3>::random([batch, steps, d_input], Distribution::Default, &device);
    let x = if train { x.require_grad() } else { x };
    let layout = layout(batch, steps);
    let run = |forward: &dyn Fn(Tensor<3>) -> Tensor<3>| {
        let work = || {
            let y = forward(x.clone());
            if train {
                drop(y.sum().backward());
            } else {
                black_box(y);
            }
        };
        time(work).1
    };
    match which {
        "ours" => {
            let lstm = BiLstmConfig::new(d_input, d_hidden).init_with(Init::new(1, &device));
            if !train {
                // Packs the weights, which do not change in extraction.
                lstm.forward(Ragged::new(x.clone(), layout.clone()));
            }
            Ok(run(&|x| lstm.forward(Ragged::new(x, layout.clone())).into_values()))
        }
        "burn" => {
            let lstm = BurnBiLstmConfig::new(d_input, d_hidden, true).init(&device);
            Ok(run(&|x| lstm.forward(x, None).0))
        }
        _ => bail!("ours or burn"),
    }
}

/// A product of two `n` x `n` matrices.
pub fn product(n: usize) -> Took {
    let device = Device::flex();
    let [a, b] = [(); 2].map(|()| Tensor::<2>::random([n, n], Distribution::Default, &device));
    time(|| black_box(a.matmul(b))).1
}

/// The relation loss of a sentence of `n` tokens and its gradient, with five relations of hidden width 128.
pub fn relation(n: usize) -> Took {
    let device = Device::flex().autodiff();
    let side = || {
        let values = Tensor::<3>::random([1, n, 5 * 128], Distribution::Default, &device).require_grad();
        Ragged::new(values, Layout::new(vec![n]))
    };
    let v = Tensor::random([5, 128], Distribution::Default, &device).require_grad();
    let projection = PairProjection::new(side(), side(), v);
    let positives = [Positive { sequence: 0, head: 0, tail: 1, kind: 0 }];
    time(|| black_box(pair_loss(&projection, &positives).backward())).1
}
