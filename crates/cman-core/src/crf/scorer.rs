//! Log-potentials of the CRF: how well a tag fits a token and follows another tag (phi of eq. 8).

use burn::{
    module::{Module, Param},
    tensor::{Bool, Tensor, TensorData},
};
use burn_ragged::{FORBIDDEN, Init, Layout, Linear, Ragged, crf::Potentials};
use cman_data::Tag;
use serde::{Deserialize, Serialize};

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
    /// Whether tags that BIO forbids (`I-t` after anything but `B-t` or `I-t`) are excluded, in decoding and in the
    /// partition function.
    pub constraints: bool,
    /// Width of a hidden layer (tanh) before the scores; 0: none.
    pub hidden: usize,
}

/// Makes [`Potentials`] from token features.
#[derive(Module, Debug)]
pub enum TagScorer {
    /// Emissions and a transition matrix.
    Linear(LinearScorer),
    /// Transitions scored from the input.
    Input(InputScorer),
}

/// `phi(y', y, x_t) = exp(W_y x_t + b_y + transitions[y', y])`.
#[derive(Module, Debug)]
pub struct LinearScorer {
    /// Optional hidden layer.
    pub hidden: Option<Linear>,
    /// Scores of the tags from features `[width, tags]`.
    pub emission: Linear,
    /// `transitions[from, to]`.
    pub transitions: Param<Tensor<2>>,
    /// Score of the first tag `[tags]`.
    pub start: Param<Tensor<1>>,
    /// Score of the last tag `[tags]`.
    pub end: Param<Tensor<1>>,
    constraints: bool,
}

/// `phi(y', y, x_t) = exp(W_{y',y} x_t + b_{y',y})`.
#[derive(Module, Debug)]
pub struct InputScorer {
    /// Optional hidden layer.
    pub hidden: Option<Linear>,
    /// Scores of the transitions from features `[width, (tags + 1) tags]`. The last of the tags + 1 rows is the start of
    /// the sentence.
    pub emission: Linear,
    /// Score of the last tag `[tags]`.
    pub end: Param<Tensor<1>>,
    constraints: bool,
}

impl TagScorer {
    pub(super) fn new(config: &CrfConfig, d_model: usize, n_tags: usize, init: Init) -> Self {
        let width = if config.hidden > 0 { config.hidden } else { d_model };
        let hidden = (config.hidden > 0).then(|| init.at("hidden").linear(d_model, config.hidden, true));
        let emission = |n_scores| init.at("emission").linear(width, n_scores, true);
        let end = init.at("end").uniform([n_tags], 0.1);
        let constraints = config.constraints;
        match config.score {
            CrfScore::Linear => Self::Linear(LinearScorer {
                hidden,
                emission: emission(n_tags),
                transitions: init.at("transitions").uniform([n_tags, n_tags], 0.1),
                start: init.at("start").uniform([n_tags], 0.1),
                end,
                constraints,
            }),
            CrfScore::Input => {
                Self::Input(InputScorer { hidden, emission: emission((n_tags + 1) * n_tags), end, constraints })
            }
        }
    }

    /// The layer that scores tags from features.
    pub fn emission_mut(&mut self) -> &mut Linear {
        match self {
            Self::Linear(LinearScorer { emission, .. }) | Self::Input(InputScorer { emission, .. }) => emission,
        }
    }

    /// # Shapes
    /// - x: `[batch, steps, d_model]`
    pub(super) fn forward(&self, x: Ragged) -> Potentials {
        let layout = x.layout().clone();
        match self {
            Self::Linear(LinearScorer { hidden, emission, transitions, start, end, constraints }) => {
                let scores = scores(hidden.as_ref(), emission, x);
                let first = scores.clone().narrow(1, 0, 1).squeeze_dim::<2>(1) + start.val().unsqueeze();
                let pair = scores.unsqueeze_dim::<4>(2) + transitions.val().unsqueeze();
                potentials(first, pair, end.val(), layout, *constraints)
            }
            Self::Input(InputScorer { hidden, emission, end, constraints }) => {
                let [n_tags] = end.dims();
                let (batch, steps) = (layout.batch_size(), layout.steps());
                let scores = scores(hidden.as_ref(), emission, x).reshape([batch, steps, n_tags + 1, n_tags]);
                let first = scores.clone().slice([0..batch, 0..1, n_tags..n_tags + 1, 0..n_tags]);
                let (first, pair) = (first.reshape([batch, n_tags]), scores.narrow(2, 0, n_tags));
                potentials(first, pair, end.val(), layout, *constraints)
            }
        }
    }
}

/// `[batch, steps, scores]`
fn scores(hidden: Option<&Linear>, emission: &Linear, x: Ragged) -> Tensor<3> {
    let x = match hidden {
        Some(hidden) => hidden.forward(x).map(|x| x.tanh()),
        None => x,
    };
    emission.forward(x).into_values()
}

/// The potentials, without the tags that BIO forbids if there are constraints.
fn potentials(first: Tensor<2>, pair: Tensor<4>, end: Tensor<1>, layout: Layout, constraints: bool) -> Potentials {
    if !constraints {
        return Potentials::new(first, pair, end, layout);
    }
    let ([n_tags], device) = (end.dims(), end.device());
    let forbidden = |previous: Option<usize>, next: usize| !Tag::allows(previous.map(Tag::from_id), Tag::from_id(next));
    let of_first: Vec<bool> = (0..n_tags).map(|to| forbidden(None, to)).collect();
    let of_first = Tensor::<2, Bool>::from_data(TensorData::new(of_first, [1, n_tags]), &device);
    let of_pair: Vec<bool> =
        (0..n_tags).flat_map(|from| (0..n_tags).map(move |to| forbidden(Some(from), to))).collect();
    let of_pair = Tensor::<4, Bool>::from_data(TensorData::new(of_pair, [1, 1, n_tags, n_tags]), &device);
    let (of_first, of_pair) = (of_first.expand(first.dims()), of_pair.expand(pair.dims()));
    Potentials::new(first.mask_fill(of_first, FORBIDDEN), pair.mask_fill(of_pair, FORBIDDEN), end, layout)
}
