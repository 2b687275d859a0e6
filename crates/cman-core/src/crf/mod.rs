//! Linear-chain conditional random field over BIO tags (section 3.4, eq. 8; loss of eq. 11).

mod composed;
mod lattice;
mod potentials;

use burn::{module::Module, tensor::Tensor};

pub use composed::{gold_score, log_partition};
pub use lattice::Lattice;
pub use potentials::{CrfConfig, CrfScore, Potentials, TagScorer};

use crate::{init::Init, kernels};

/// The tag decoder: scores of tags and transitions from token features, and what follows from them.
#[derive(Module, Debug)]
pub struct Crf {
    /// Makes the potentials.
    pub scorer: TagScorer,
}

impl Crf {
    /// New weights for `n_tags` tags over features `d_model` wide.
    pub fn new(config: &CrfConfig, d_model: usize, n_tags: usize, init: Init) -> Self {
        Self { scorer: TagScorer::new(config, d_model, n_tags, init) }
    }

    /// The log-potentials of every sentence.
    ///
    /// # Shapes
    /// - x: `[batch, steps, d_model]`, sentence `b` in its first `lengths[b]` places
    pub fn potentials(&self, x: Tensor<3>, lengths: &[usize]) -> Potentials {
        self.scorer.forward(x, lengths)
    }
}

/// Sum over the sentences of `-log Pr(Y | X)` (eq. 11). `[1]`
///
/// # Panics
/// If there is not one tag a token.
pub fn negative_log_likelihood(potentials: &Potentials, tags: &[Vec<u32>]) -> Tensor<1> {
    if kernels::on_host(potentials.pair.device(), potentials.pair.dtype()) {
        return kernels::negative_log_likelihood(potentials, tags);
    }
    #[cfg(feature = "gpu")]
    if kernels::cube::runs(&potentials.pair.device(), potentials.pair.dtype(), potentials.end.dims()[0]) {
        return kernels::cube::negative_log_likelihood(potentials, tags);
    }
    let lengths: Vec<usize> = tags.iter().map(Vec::len).collect();
    (log_partition(potentials, &lengths) - gold_score(potentials, tags)).sum()
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tensor, TensorData};

    use super::*;
    use crate::random::Key;

    const LENGTHS: [usize; 5] = [5, 1, 3, 2, 4];

    /// Random potentials of a ragged batch; what stands behind a sentence's end is random as well.
    fn potentials(n_tags: usize, device: &Device) -> Potentials {
        let (batch, steps) = (LENGTHS.len(), 5);
        let draw = |site: &str, n: usize| Key::new(11).at(site).with(n_tags as u64).uniform(n, 3.0);
        let first = TensorData::new(draw("first", batch * n_tags), [batch, n_tags]);
        let pair = TensorData::new(draw("pair", batch * steps * n_tags * n_tags), [batch, steps, n_tags, n_tags]);
        let end = TensorData::new(draw("end", n_tags), [n_tags]);
        Potentials {
            first: Tensor::from_data(first, device),
            pair: Tensor::from_data(pair, device),
            end: Tensor::from_data(end, device),
        }
    }

    /// Every sequence of `n` tags.
    fn paths(n: usize, n_tags: usize) -> Vec<Vec<u32>> {
        let longer = |paths: Vec<Vec<u32>>, _| {
            let append = |path: &Vec<u32>, tag: usize| [path.as_slice(), &[tag as u32]].concat();
            paths.iter().flat_map(|path| (0..n_tags).map(move |tag| append(path, tag))).collect()
        };
        (0..n).fold(vec![vec![]], longer)
    }

    #[test]
    fn decoding_and_probabilities_equal_brute_force() {
        for n_tags in [1, 2, 3, 4] {
            let potentials = potentials(n_tags, &Device::flex());
            let composed: Vec<f64> = log_partition(&potentials, &LENGTHS).try_into_vec_as().unwrap();
            for ((lattice, &n), composed) in potentials.lattices(&LENGTHS).iter().zip(&LENGTHS).zip(composed) {
                let paths = paths(n, n_tags);
                let scores: Vec<f64> = paths.iter().map(|path| lattice.score(path)).collect();
                let partition: f64 = scores.iter().map(|score| score.exp()).sum();
                let probability = |accept: &dyn Fn(&[u32]) -> bool| -> f64 {
                    let accepted = paths.iter().zip(&scores).filter(|(path, _)| accept(path));
                    accepted.map(|(_, score)| score.exp()).sum::<f64>() / partition
                };
                let best = (0..paths.len()).max_by(|&a, &b| scores[a].total_cmp(&scores[b])).unwrap();
                assert_eq!(lattice.viterbi(), paths[best]);
                let marginals = lattice.marginals();
                assert!((marginals.log_partition() - partition.ln()).abs() < 1e-9);
                assert!((composed - partition.ln()).abs() < 1e-5 * partition.ln().abs().max(1.0));
                for t in 0..n {
                    for tag in 0..n_tags as u32 {
                        let expected = probability(&|path| path[t] == tag);
                        assert!((marginals.tag(t, tag) - expected).abs() < 1e-9);
                        for from in 0..n_tags as u32 {
                            if t > 0 {
                                let expected = probability(&|path| path[t - 1] == from && path[t] == tag);
                                assert!((marginals.pair(t, from, tag) - expected).abs() < 1e-9);
                            }
                        }
                    }
                    for end in t + 1..=n {
                        let tags = &paths[best][t..end];
                        let expected =
                            probability(&|path| path[t..end] == *tags && path.get(end).is_none_or(|&tag| tag != 0));
                        assert!((marginals.span(t..end, tags, 0) - expected).abs() < 1e-9);
                    }
                }
            }
        }
    }

    #[test]
    fn the_loss_is_the_probability_of_the_gold_tags_and_its_gradient_marginals_minus_gold() {
        let device = Device::flex().autodiff();
        let Potentials { first, pair, end } = potentials(3, &device);
        let potentials = Potentials { first: first.require_grad(), pair: pair.require_grad(), end: end.require_grad() };
        let gold: Vec<Vec<u32>> = LENGTHS.iter().map(|&n| (0..n).map(|t| (t * t % 3) as u32).collect()).collect();
        let loss = negative_log_likelihood(&potentials, &gold);
        let lattices = potentials.lattices(&LENGTHS);
        let expected: f64 = lattices.iter().zip(&gold).map(|(l, y)| l.marginals().log_partition() - l.score(y)).sum();
        assert!((loss.clone().into_scalar::<f64>() - expected).abs() < 1e-4);
        let gradient = potentials.pair.grad(&loss.backward()).unwrap();
        let gradient: Vec<f64> = gradient.try_into_vec_as().unwrap();
        for (b, (lattice, gold)) in lattices.iter().zip(&gold).enumerate() {
            let marginals = lattice.marginals();
            for t in 0..5 {
                for (from, to) in (0..9).map(|i| (i / 3, i % 3)) {
                    let expected = if t == 0 || t >= gold.len() {
                        0.0
                    } else {
                        let is_gold = gold[t - 1] == from && gold[t] == to;
                        marginals.pair(t, from, to) - f64::from(u8::from(is_gold))
                    };
                    let found = gradient[((b * 5 + t) * 3 + from as usize) * 3 + to as usize];
                    assert!((found - expected).abs() < 1e-5, "sentence {b}, token {t}: {found} for {expected}");
                }
            }
        }
    }
}
