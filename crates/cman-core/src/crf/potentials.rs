//! Log-potentials of the CRF: how well a tag fits a token and follows another tag (the phi of eq. 8).

use burn::{
    module::{Module, Param},
    tensor::{Bool, Tensor, TensorData},
};
use cman_data::Tag;
use serde::{Deserialize, Serialize};

use super::Lattice;
use crate::{init::Init, linear::Linear, mask::FORBIDDEN};

/// What the transition score depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CrfScore {
    /// Emissions linear in the token's features plus one learned matrix of transitions (the standard layer).
    #[default]
    Linear,
    /// The transition is scored from the token's features, `exp(W x + b)`: eq. 8 read literally.
    Input,
}

/// Settings of the tag decoder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CrfConfig {
    /// What the transition score depends on.
    pub score: CrfScore,
    /// Whether tags that BIO forbids (`I-t` behind anything but `B-t` or `I-t`) are excluded, in decoding and in the
    /// partition function.
    pub constraints: bool,
    /// Width of a hidden layer (tanh) before the scores; 0: none.
    pub hidden: usize,
}

/// Makes [`Potentials`] from token features.
#[derive(Module, Debug)]
pub struct TagScorer {
    /// Optional hidden layer.
    pub hidden: Option<Linear>,
    /// Scores from features: `[width, tags]`, or `[width, (tags + 1) tags]` where transitions depend on the input,
    /// the last of the tags + 1 rows being the start of the sentence.
    pub emission: Linear,
    /// `transitions[from, to]`, where they do not depend on the input.
    pub transitions: Option<Param<Tensor<2>>>,
    /// Score of the first tag `[tags]`, where it does not depend on the input.
    pub start: Option<Param<Tensor<1>>>,
    /// Score of the last tag `[tags]`.
    pub end: Param<Tensor<1>>,
    n_tags: usize,
    constraints: bool,
}

/// Log-potentials of a batch. The score of a sequence is
/// `first[y_1] + sum_{t > 1} pair[t, y_{t-1}, y_t] + end[y_n]`.
#[derive(Clone, Debug)]
pub struct Potentials {
    /// Scores of the first tag `[batch, tags]`.
    pub first: Tensor<2>,
    /// Scores of each tag given the one before it `[batch, steps, from, to]`; step 0 counts for nothing.
    pub pair: Tensor<4>,
    /// Scores of the last tag `[tags]`.
    pub end: Tensor<1>,
}

impl TagScorer {
    pub(super) fn new(config: &CrfConfig, d_model: usize, n_tags: usize, init: Init) -> Self {
        let linear = config.score == CrfScore::Linear;
        let width = if config.hidden > 0 { config.hidden } else { d_model };
        let n_scores = if linear { n_tags } else { (n_tags + 1) * n_tags };
        Self {
            hidden: (config.hidden > 0).then(|| init.at("hidden").linear(d_model, config.hidden, true)),
            emission: init.at("emission").linear(width, n_scores, true),
            transitions: linear.then(|| init.at("transitions").uniform([n_tags, n_tags], 0.1)),
            start: linear.then(|| init.at("start").uniform([n_tags], 0.1)),
            end: init.at("end").uniform([n_tags], 0.1),
            n_tags,
            constraints: config.constraints,
        }
    }

    /// # Shapes
    /// - x: `[batch, steps, d_model]`
    pub(super) fn forward(&self, x: Tensor<3>, lengths: &[usize]) -> Potentials {
        let [batch, steps, _] = x.dims();
        let n_tags = self.n_tags;
        let x = match &self.hidden {
            Some(hidden) => hidden.forward(x, lengths).tanh(),
            None => x,
        };
        let scores = self.emission.forward(x, lengths);
        let (first, pair) = match (&self.transitions, &self.start) {
            (Some(transitions), Some(start)) => {
                let first = scores.clone().narrow(1, 0, 1).squeeze_dim::<2>(1) + start.val().unsqueeze();
                (first, scores.unsqueeze_dim::<4>(2) + transitions.val().unsqueeze())
            }
            _ => {
                let scores = scores.reshape([batch, steps, n_tags + 1, n_tags]);
                let first = scores.clone().slice([0..batch, 0..1, n_tags..n_tags + 1, 0..n_tags]);
                (first.reshape([batch, n_tags]), scores.narrow(2, 0, n_tags))
            }
        };
        let potentials = Potentials { first, pair, end: self.end.val() };
        if self.constraints { potentials.constrained() } else { potentials }
    }
}

impl Potentials {
    /// Forbids what BIO forbids.
    fn constrained(self) -> Self {
        let n_tags = self.end.dims()[0];
        let device = self.end.device();
        let forbidden =
            |previous: Option<usize>, next: usize| !Tag::allows(previous.map(Tag::from_id), Tag::from_id(next));
        let first: Vec<bool> = (0..n_tags).map(|to| forbidden(None, to)).collect();
        let first = Tensor::<2, Bool>::from_data(TensorData::new(first, [1, n_tags]), &device);
        let pair: Vec<bool> =
            (0..n_tags).flat_map(|from| (0..n_tags).map(move |to| forbidden(Some(from), to))).collect();
        let pair = Tensor::<4, Bool>::from_data(TensorData::new(pair, [1, 1, n_tags, n_tags]), &device);
        Self {
            first: self.first.clone().mask_fill(first.expand(self.first.dims()), FORBIDDEN),
            pair: self.pair.clone().mask_fill(pair.expand(self.pair.dims()), FORBIDDEN),
            end: self.end,
        }
    }

    /// The potentials of each sentence as plain numbers, for decoding.
    pub fn lattices(&self, lengths: &[usize]) -> Vec<Lattice> {
        let [_, steps, n_tags, _] = self.pair.dims();
        let first = to_vec(&self.first);
        let pair = to_vec(&self.pair);
        let end = to_vec(&self.end);
        let sentence = |(b, &length): (usize, &usize)| {
            let pair = &pair[b * steps * n_tags * n_tags..][..length * n_tags * n_tags];
            Lattice::new(&first[b * n_tags..][..n_tags], pair, &end)
        };
        lengths.iter().enumerate().map(sentence).collect()
    }
}

fn to_vec<const D: usize>(x: &Tensor<D>) -> Vec<f64> {
    x.try_to_vec_as().expect("the device gives its numbers back")
}
