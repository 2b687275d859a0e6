//! Linear-chain conditional random field (Lafferty et al. 2001): loss, Viterbi decoding and marginals.

mod autodiff;
mod cpu;
#[cfg(feature = "gpu")]
mod gpu;
mod lattice;
mod reference;

use burn::tensor::Tensor;

use crate::{ragged::Layout, runtime::cpu_backend::has_kernels};

pub use lattice::{Lattice, Marginals};
pub use reference::{gold_score, log_partition};

/// Log-potentials of a batch. The score of a sequence of tags is
/// `first[y_1] + sum_{t > 1} pair[t, y_{t-1}, y_t] + end[y_n]`.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use burn_ragged::{Layout, crf::{Potentials, negative_log_likelihood}};
///
/// let device = Device::flex();
/// // Two sequences of at most 3 elements, 2 tags.
/// let potentials = Potentials::new(
///     Tensor::zeros([2, 2], &device),
///     Tensor::zeros([2, 3, 2, 2], &device),
///     Tensor::zeros([2], &device),
///     Layout::new(vec![3, 1]),
/// );
/// let loss = negative_log_likelihood(&potentials, &[vec![0, 1, 1], vec![1]]);
/// assert!((loss.into_scalar::<f32>() - 4.0 * 2f32.ln()).abs() < 1e-6); // 2^3 and 2^1 equally likely sequences of tags
/// assert_eq!(potentials.lattices()[0].viterbi().len(), 3);
/// ```
#[derive(Clone, Debug)]
pub struct Potentials {
    first: Tensor<2>,
    pair: Tensor<4>,
    end: Tensor<1>,
    layout: Layout,
}

impl Potentials {
    /// The potentials of the sequences of `layout`.
    ///
    /// # Shapes
    /// - first: `[batch, tags]`, scores of the first tag
    /// - pair: `[batch, steps, from, to]`, scores of each tag given the tag before it; step 0 is ignored
    /// - end: `[tags]`, scores of the last tag
    ///
    /// # Panics
    /// If the shapes do not fit each other and the layout.
    pub fn new(first: Tensor<2>, pair: Tensor<4>, end: Tensor<1>, layout: Layout) -> Self {
        let [n_tags] = end.dims();
        let (batch, steps) = (layout.batch_size(), layout.steps());
        assert_eq!(first.dims(), [batch, n_tags], "a score of the first tag per sequence and tag");
        assert_eq!(pair.dims(), [batch, steps, n_tags, n_tags], "a score per place and pair of tags");
        Self { first, pair, end, layout }
    }

    /// Scores of the first tag. `[batch, tags]`
    pub fn first(&self) -> &Tensor<2> {
        &self.first
    }

    /// Scores of each tag given the tag before it. `[batch, steps, from, to]`
    pub fn pair(&self) -> &Tensor<4> {
        &self.pair
    }

    /// Scores of the last tag. `[tags]`
    pub fn end(&self) -> &Tensor<1> {
        &self.end
    }

    /// The sequences.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Number of tags.
    pub fn n_tags(&self) -> usize {
        self.end.dims()[0]
    }

    /// The potentials of each sequence on the CPU, for decoding.
    pub fn lattices(&self) -> Vec<Lattice> {
        let (steps, n_tags) = (self.layout.steps(), self.n_tags());
        let (first, pair, end) = (to_vec(&self.first), to_vec(&self.pair), to_vec(&self.end));
        let sequence = |(b, &length): (usize, &usize)| {
            let pair = &pair[b * steps * n_tags * n_tags..][..length * n_tags * n_tags];
            Lattice::new(&first[b * n_tags..][..n_tags], pair, &end)
        };
        self.layout.lengths().iter().enumerate().map(sequence).collect()
    }
}

fn to_vec<const D: usize>(x: &Tensor<D>) -> Vec<f64> {
    x.try_to_vec_as().expect("the device returns the values")
}

/// `-log Pr(tags)`, summed over the sequences. `[1]`
///
/// # Panics
/// If there is not one tag per element of every sequence, or a tag is not below the number of tags.
pub fn negative_log_likelihood(potentials: &Potentials, tags: &[Vec<u32>]) -> Tensor<1> {
    let n_tags = potentials.n_tags();
    assert_eq!(tags.len(), potentials.layout.batch_size(), "tags for every sequence");
    for (i, (tags, &n)) in tags.iter().zip(potentials.layout.lengths()).enumerate() {
        assert_eq!(tags.len(), n, "one tag per element of sequence {i}");
        assert!(tags.iter().all(|&tag| (tag as usize) < n_tags), "tags {tags:?} below {n_tags}");
    }
    let (device, dtype) = (potentials.pair.device(), potentials.pair.dtype());
    if has_kernels(&device, dtype) {
        return autodiff::negative_log_likelihood(potentials, tags);
    }
    #[cfg(feature = "gpu")]
    if crate::runtime::gpu::has_kernels(&device, dtype, n_tags) {
        return gpu::negative_log_likelihood(potentials, tags);
    }
    (log_partition(potentials) - gold_score(potentials, tags)).sum()
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tensor, TensorData};

    use super::*;
    use crate::random::Key;

    const LENGTHS: [usize; 5] = [5, 1, 3, 2, 4];

    /// Random potentials of a ragged batch; the padding is random too.
    fn potentials(n_tags: usize, device: &Device) -> Potentials {
        let (batch, steps) = (LENGTHS.len(), 5);
        let draw = |site: &str, n: usize| Key::new(11).at(site).with(n_tags as u64).uniform(n, 3.0);
        let first = TensorData::new(draw("first", batch * n_tags), [batch, n_tags]);
        let pair = TensorData::new(draw("pair", batch * steps * n_tags * n_tags), [batch, steps, n_tags, n_tags]);
        let end = TensorData::new(draw("end", n_tags), [n_tags]);
        Potentials::new(
            Tensor::from_data(first, device),
            Tensor::from_data(pair, device),
            Tensor::from_data(end, device),
            Layout::new(LENGTHS.to_vec()),
        )
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
            let reference: Vec<f64> = log_partition(&potentials).try_into_vec_as().unwrap();
            for ((lattice, &n), reference) in potentials.lattices().iter().zip(&LENGTHS).zip(reference) {
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
                assert!((reference - partition.ln()).abs() < 1e-5 * partition.ln().abs().max(1.0));
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
        let Potentials { first, pair, end, layout } = potentials(3, &device);
        let potentials = Potentials::new(first.require_grad(), pair.require_grad(), end.require_grad(), layout);
        let gold: Vec<Vec<u32>> = LENGTHS.iter().map(|&n| (0..n).map(|t| (t * t % 3) as u32).collect()).collect();
        let loss = negative_log_likelihood(&potentials, &gold);
        let lattices = potentials.lattices();
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
                    assert!((found - expected).abs() < 1e-5, "sequence {b}, element {t}: {found} for {expected}");
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "one tag per element of sequence 2")]
    fn tags_of_another_length_are_refused() {
        let mut tags: Vec<Vec<u32>> = LENGTHS.iter().map(|&n| vec![0; n]).collect();
        tags[2].pop();
        let _ = negative_log_likelihood(&potentials(2, &Device::flex()), &tags);
    }
}
