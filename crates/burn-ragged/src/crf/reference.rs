//! The definition of the CRF's log-partition and gold score in burn operations, for every backend.

use burn::tensor::{Tensor, TensorData};

use super::Potentials;

/// `log sum_y' exp(score(y'))` of every sequence, by the forward recursion. `[batch]`
pub fn log_partition(potentials: &Potentials) -> Tensor<1> {
    let [batch, steps, n_tags, _] = potentials.pair.dims();
    let mask = potentials.layout.mask_pad(&potentials.end.device());
    let mut alpha = potentials.first.clone(); // [batch, tags]
    for t in 1..steps {
        let pair = potentials.pair.clone().narrow(1, t, 1).squeeze_dim::<3>(1); // [batch, from, to]
        let next = log_sum_exp(alpha.clone().unsqueeze_dim::<3>(2) + pair, 1).squeeze_dim::<2>(1);
        let ended = mask.clone().narrow(1, t, 1).expand([batch, n_tags]);
        alpha = next.mask_where(ended, alpha);
    }
    log_sum_exp(alpha + potentials.end.clone().unsqueeze(), 1).squeeze_dim(1)
}

/// Score of the given tags of every sequence. `[batch]`
///
/// # Panics
/// If a tag is not below the number of tags.
pub fn gold_score(potentials: &Potentials, tags: &[Vec<u32>]) -> Tensor<1> {
    let [batch, steps, n_tags, _] = potentials.pair.dims();
    let device = potentials.end.device();
    let mut first = vec![0f32; batch * n_tags];
    let mut pair = vec![0f32; batch * steps * n_tags * n_tags];
    let mut end = vec![0f32; batch * n_tags];
    for (b, tags) in tags.iter().enumerate() {
        assert!(tags.iter().all(|&tag| (tag as usize) < n_tags), "tags {tags:?} below {n_tags}");
        first[b * n_tags + tags[0] as usize] = 1.0;
        end[b * n_tags + tags[tags.len() - 1] as usize] = 1.0;
        for t in 1..tags.len() {
            pair[((b * steps + t) * n_tags + tags[t - 1] as usize) * n_tags + tags[t] as usize] = 1.0;
        }
    }
    let first = Tensor::<2>::from_data(TensorData::new(first, [batch, n_tags]), &device);
    let pair = Tensor::<4>::from_data(TensorData::new(pair, [batch, steps, n_tags, n_tags]), &device);
    let end = Tensor::<2>::from_data(TensorData::new(end, [batch, n_tags]), &device);
    let first = (potentials.first.clone() * first).sum_dim(1).reshape([batch]);
    let pair = (potentials.pair.clone() * pair).sum_dims_squeeze::<1, _>(&[1, 2, 3]);
    let end = (potentials.end.clone().unsqueeze::<2>() * end).sum_dim(1).reshape([batch]);
    first + pair + end
}

/// `log sum exp` along one dimension, which keeps size 1.
fn log_sum_exp<const D: usize>(x: Tensor<D>, dim: usize) -> Tensor<D> {
    let max = x.clone().max_dim(dim).detach();
    (x - max.clone()).exp().sum_dim(dim).log() + max
}
