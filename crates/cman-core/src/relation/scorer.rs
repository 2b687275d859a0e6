//! The relation scorer (eq. 9): `s(x_i, x_j, c_k) = V_k tanh(U_k x_i + W_k x_j + b_k)`.

use burn::{
    module::{Module, Param},
    nn::Linear,
    tensor::{Int, Tensor, TensorData},
};
use serde::{Deserialize, Serialize};

use super::{Ends, composed};
use crate::init::Init;

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
}

impl Default for RelationConfig {
    fn default() -> Self {
        Self { hidden: 128, shared: false, none_label: false, ends: Ends::Last, threshold: 0.5 }
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
        let bound = (6.0 / (d_model + config.hidden) as f64).sqrt();
        let mut head = init.at("head").linear(d_model, width, true);
        let mut tail = init.at("tail").linear(d_model, width, false);
        head.weight = init.at("head").uniform([d_model, width], bound);
        tail.weight = init.at("tail").uniform([d_model, width], bound);
        let bound = (6.0 / (1 + config.hidden) as f64).sqrt();
        Self { head, tail, v: init.at("v").uniform([n_outputs, config.hidden], bound) }
    }

    /// # Shapes
    /// - x: `[batch, steps, 2d]`
    pub fn project(&self, x: Tensor<3>) -> Projection {
        Projection { head: self.head.forward(x.clone()), tail: self.tail.forward(x), v: self.v.val() }
    }
}

impl Projection {
    /// Scores of the given pairs (sentence, head token, tail token). `[pairs, relations]`
    ///
    /// # Panics
    /// If there is no pair.
    pub fn scores(&self, pairs: &[(usize, usize, usize)]) -> Tensor<2> {
        let [batch, steps, width] = self.head.dims();
        let device = self.head.device();
        let rows = |x: &Tensor<3>, place: fn(&(usize, usize, usize)) -> usize| {
            let rows: Vec<i64> = pairs.iter().map(|pair| (pair.0 * steps + place(pair)) as i64).collect();
            let rows = Tensor::<1, Int>::from_data(TensorData::new(rows, [pairs.len()]), &device);
            x.clone().reshape([batch * steps, width]).select(0, rows).unsqueeze_dims::<4>(&[0, 0])
        };
        let sum = rows(&self.head, |pair| pair.1) + rows(&self.tail, |pair| pair.2); // [1, 1, pairs, width]
        composed::scores(sum, &self.v).reshape([pairs.len(), self.v.dims()[0]])
    }
}
