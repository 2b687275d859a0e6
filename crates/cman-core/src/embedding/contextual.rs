//! Contextual vectors (ELMo in the paper, section 3.1): a learned mix of an encoder's layers.

use burn::{
    module::{Module, Param},
    tensor::{Tensor, activation::softmax},
};
use serde::{Deserialize, Serialize};

use crate::init::Init;

/// How the layers of a contextual encoder become one vector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LayerMix {
    /// `gamma sum_l softmax(s)_l h_l` (Peters et al. 2018, eq. 1).
    #[default]
    Scalar,
    /// The last layer alone.
    Top,
}

/// Shape of the contextual input; width 0 where there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContextualConfig {
    /// Width of a layer's vector; 0: no contextual input.
    pub width: usize,
    /// Number of layers the provider gives.
    pub layers: usize,
    /// How they become one vector.
    pub mix: LayerMix,
}

/// `gamma sum_l softmax(s)_l h_l`; at the start the plain mean.
#[derive(Module, Debug)]
pub struct ScalarMix {
    /// `s` `[layers]`; without it the last layer is taken.
    pub weights: Option<Param<Tensor<1>>>,
    /// `gamma` `[1]`.
    pub gamma: Option<Param<Tensor<1>>>,
}

impl ScalarMix {
    /// New weights; none if there is no contextual input.
    pub fn new(config: &ContextualConfig, init: Init) -> Option<Self> {
        let learned = config.mix == LayerMix::Scalar;
        (config.width > 0).then(|| Self {
            weights: learned.then(|| init.zeros([config.layers])),
            gamma: learned.then(|| Param::from_tensor(Tensor::ones([1], init.device))),
        })
    }

    /// # Shapes
    /// - layers: `[batch, steps, layers, width]`
    /// - output: `[batch, steps, width]`
    pub fn forward(&self, layers: Tensor<4>) -> Tensor<3> {
        let [batch, steps, n_layers, width] = layers.dims();
        let (Some(weights), Some(gamma)) = (&self.weights, &self.gamma) else {
            return layers.narrow(2, n_layers - 1, 1).reshape([batch, steps, width]);
        };
        let weights = softmax(weights.val(), 0) * gamma.val(); // [layers]
        (layers * weights.reshape([1, 1, n_layers, 1])).sum_dim(2).reshape([batch, steps, width])
    }
}
