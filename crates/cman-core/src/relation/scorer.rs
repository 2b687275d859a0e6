//! The relation scorer (eq. 9): `s(x_i, x_j, c_k) = V_k tanh(U_k x_i + W_k x_j + b_k)`.

use burn::{
    module::{Module, Param},
    tensor::{Int, Tensor, TensorData},
};
use serde::{Deserialize, Serialize};

use super::{Ends, composed};
use crate::{
    init::Init,
    kernels::{self, PairSizes},
    linear::Linear,
};

/// Every number of a new b: away from 0, so that V's mean moves the score.
const BIAS: f32 = 1.0;

/// The mean of tanh(BIAS + z) over a normal z of variance 2/3: what an activation of eq. 9 is on average, at first, for
/// layer-normalised features and weights uniform in ±1/sqrt(2d).
const ACTIVATION: f64 = 0.601;

/// Settings of the relation scorer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RelationConfig {
    /// Hidden width (the paper's d~).
    pub hidden: usize,
    /// Whether all relations share U, W and b, as in the multi-head baseline.
    pub shared: bool,
    /// Whether an extra relation `N` marks the tokens that head no relation, as in the multi-head baseline.
    pub none_label: bool,
    /// Which tokens stand for a predicted entity at inference.
    pub ends: Ends,
    /// A relation is predicted above this probability.
    pub threshold: f64,
    /// Probability that new weights give to every pair. Few pairs are related: from 0.5 the first updates would all
    /// push in one direction, so hard that Adam's averages of squared gradients keep the other layers slow for long.
    pub prior: f64,
}

impl Default for RelationConfig {
    fn default() -> Self {
        Self { hidden: 128, shared: false, none_label: false, ends: Ends::Last, threshold: 0.5, prior: 0.001 }
    }
}

/// Scores every ordered pair of tokens for every relation: token i belongs to the first argument (head), j to the
/// second (tail).
#[derive(Module, Debug)]
pub struct RelationScorer {
    /// `U` and `b` of all relations beside each other `[2d, relations * hidden]` (`[2d, hidden]` if shared).
    pub head: Linear,
    /// `W`, likewise.
    pub tail: Linear,
    /// `V` `[relations, hidden]`.
    pub v: Param<Tensor<2>>,
}

/// Both arguments' share of eq. 9, before the pairs are formed.
#[derive(Clone, Debug)]
pub struct Projection {
    /// `U x_i + b` `[batch, steps, relations * hidden]` (`[.., hidden]` if shared).
    pub head: Tensor<3>,
    /// `W x_j`, likewise.
    pub tail: Tensor<3>,
    /// `V` `[relations, hidden]`.
    pub v: Tensor<2>,
}

impl RelationScorer {
    /// New weights for `n_relations` relations (the extra `N` not counted) over features `d_model` wide.
    pub fn new(config: &RelationConfig, d_model: usize, n_relations: usize, init: Init) -> Self {
        let n_outputs = n_relations + usize::from(config.none_label);
        let width = if config.shared { config.hidden } else { n_outputs * config.hidden };
        let bound = 1.0 / (d_model as f64).sqrt();
        let weight = |site| init.at(site).uniform([d_model, width], bound);
        let bias = Param::from_data(TensorData::new(vec![BIAS; width], [width]), init.device);
        // Eq. 9 has no bias behind V: V's mean and b together make the score of an average pair the prior's logit.
        let logit = (config.prior / (1.0 - config.prior)).ln();
        let mean = logit / (config.hidden as f64 * ACTIVATION);
        let mut v = init.at("v").numbers(n_outputs * config.hidden, 1.0 / (config.hidden as f64).sqrt());
        v.iter_mut().for_each(|v| *v += mean as f32);
        let head = Linear::from_weights(weight("head"), Some(bias));
        let tail = Linear::from_weights(weight("tail"), None);
        Self { head, tail, v: Param::from_data(TensorData::new(v, [n_outputs, config.hidden]), init.device) }
    }

    /// # Shapes
    /// - x: `[batch, steps, 2d]`, sentence `b` in its first `lengths[b]` places
    pub fn project(&self, x: Tensor<3>, lengths: &[usize]) -> Projection {
        let head = self.head.forward(x.clone(), lengths);
        Projection { head, tail: self.tail.forward(x, lengths), v: self.v.val() }
    }
}

impl Projection {
    /// Scores of the given pairs (sentence, head token, tail token). `[pairs, relations]`
    ///
    /// # Panics
    /// If there is no pair.
    pub fn scores(&self, pairs: &[(usize, usize, usize)]) -> Tensor<2> {
        let [batch, steps, width] = self.head.dims();
        let [relations, hidden] = self.v.dims();
        let device = self.head.device();
        if kernels::on_host(device.clone(), self.head.dtype()) && !self.head.is_tracked() {
            let [head, tail] = [&self.head, &self.tail].map(|x| numbers(x.clone()));
            let v = numbers(self.v.clone());
            let sizes = PairSizes { steps, width, relations, hidden };
            let rows = pairs.iter().map(|&(sentence, i, j)| (sentence * steps + i, sentence * steps + j));
            let scores = kernels::pair_scores([&head[..], &tail, &v], sizes, rows);
            return Tensor::from_data(TensorData::new(scores, [pairs.len(), relations]), &device);
        }
        let rows = |x: &Tensor<3>, place: fn(&(usize, usize, usize)) -> usize| {
            let rows: Vec<i64> = pairs.iter().map(|pair| (pair.0 * steps + place(pair)) as i64).collect();
            let rows = Tensor::<1, Int>::from_data(TensorData::new(rows, [pairs.len()]), &device);
            x.clone().reshape([batch * steps, width]).select(0, rows).unsqueeze_dims::<4>(&[0, 0])
        };
        let sum = rows(&self.head, |pair| pair.1) + rows(&self.tail, |pair| pair.2); // [1, 1, pairs, width]
        composed::scores(sum, &self.v).reshape([pairs.len(), relations])
    }
}

fn numbers<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    x.into_data().try_into_vec().expect("numbers of f32")
}
