//! The relation scorer (eq. 9): `s(x_i, x_j, c_k) = V_k tanh(U_k x_i + W_k x_j + b_k)`.

use burn::{
    module::{Module, Param},
    tensor::{Device, Tensor, TensorData},
};
use burn_ragged::{Init, Linear, Ragged, pairs::PairProjection};
use serde::{Deserialize, Serialize};

use super::Ends;

/// Every value of a new b. It is not 0, so that the mean of V moves the score.
const BIAS: f32 = 1.0;

/// The mean of tanh(BIAS + z) over a normal z of variance 2/3: the mean activation of eq. 9 with new weights, for
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
    /// Probability that new weights give to every pair. Few pairs are related. Starting from 0.5, the first updates would
    /// all push in one direction, and Adam's averages of squared gradients would slow the other layers for a long time.
    pub prior: f64,
}

impl Default for RelationConfig {
    fn default() -> Self {
        Self { hidden: 128, shared: false, none_label: false, ends: Ends::Last, threshold: 0.5, prior: 0.001 }
    }
}

/// Scores every ordered pair of tokens for every relation. Token i belongs to the first argument (head), token j to the
/// second (tail). The probability is the sigmoid of the score (eq. 10).
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use burn_ragged::{Layout, Ragged};
/// use cman_core::relation::RelationConfig;
///
/// let device = Device::flex();
/// let scorer = RelationConfig::default().init(256, 5, &device);
/// let x = Ragged::new(Tensor::zeros([1, 9, 256], &device), Layout::new(vec![9]));
/// let scores = scorer.project(x).scores(&[(0, 2, 7)]); // sentence 0, tokens 2 and 7
/// assert_eq!(scores.dims(), [1, 5]);
/// ```
#[derive(Module, Debug)]
pub struct RelationScorer {
    /// `U` and `b` of all relations, concatenated: `[2d, relations * hidden]` (`[2d, hidden]` if shared).
    pub head: Linear,
    /// `W`, likewise.
    pub tail: Linear,
    /// `V` `[relations, hidden]`.
    pub v: Param<Tensor<2>>,
}

impl RelationConfig {
    /// New weights for `n_relations` relations (the extra `N` not counted) over features `d_model` wide, drawn from seed 0.
    pub fn init(&self, d_model: usize, n_relations: usize, device: &Device) -> RelationScorer {
        self.init_with(d_model, n_relations, Init::new(0, device))
    }

    /// New weights for `n_relations` relations (the extra `N` not counted) over features `d_model` wide.
    pub fn init_with(&self, d_model: usize, n_relations: usize, init: Init) -> RelationScorer {
        let n_outputs = n_relations + usize::from(self.none_label);
        let width = if self.shared { self.hidden } else { n_outputs * self.hidden };
        let bound = 1.0 / (d_model as f64).sqrt();
        let weight = |site| init.at(site).uniform([d_model, width], bound);
        let bias = Param::from_data(TensorData::new(vec![BIAS; width], [width]), init.device);
        // Eq. 9 adds no bias after V. The mean of V and b together make the score of an average pair the logit of the prior.
        let logit = (self.prior / (1.0 - self.prior)).ln();
        let mean = logit / (self.hidden as f64 * ACTIVATION);
        let mut v = init.at("v").values(n_outputs * self.hidden, 1.0 / (self.hidden as f64).sqrt());
        v.iter_mut().for_each(|v| *v += mean as f32);
        let head = Linear::from_weights(weight("head"), Some(bias));
        let tail = Linear::from_weights(weight("tail"), None);
        RelationScorer { head, tail, v: Param::from_data(TensorData::new(v, [n_outputs, self.hidden]), init.device) }
    }
}

impl RelationScorer {
    /// The projections of all tokens, before the pairs are formed.
    ///
    /// # Shapes
    /// - x: `[batch, steps, 2d]`
    pub fn project(&self, x: Ragged) -> PairProjection {
        PairProjection::new(self.head.forward(x.clone()), self.tail.forward(x), self.v.val())
    }
}
