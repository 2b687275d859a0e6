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
    /// Whether each layer's vector is normalised before the mix.
    pub layer_norm: bool,
}

/// `gamma sum_l softmax(s)_l h_l`; at the start the plain mean.
#[derive(Module, Debug)]
pub struct ScalarMix {
    /// `s` `[layers]`; without it the last layer is taken.
    pub weights: Option<Param<Tensor<1>>>,
    /// `gamma` `[1]`.
    pub gamma: Option<Param<Tensor<1>>>,
    layer_norm: bool,
}

impl ScalarMix {
    /// New weights; none if there is no contextual input.
    pub fn new(config: &ContextualConfig, init: Init) -> Option<Self> {
        let learned = config.mix == LayerMix::Scalar;
        (config.width > 0).then(|| Self {
            weights: learned.then(|| init.zeros([config.layers])),
            gamma: learned.then(|| Param::from_tensor(Tensor::ones([1], init.device))),
            layer_norm: config.layer_norm,
        })
    }

    /// # Shapes
    /// - layers: `[batch, steps, layers, width]`
    /// - output: `[batch, steps, width]`
    pub fn forward(&self, layers: Tensor<4>) -> Tensor<3> {
        let [batch, steps, n_layers, width] = layers.dims();
        let layers = if self.layer_norm { normalise(layers) } else { layers };
        let (Some(weights), Some(gamma)) = (&self.weights, &self.gamma) else {
            return layers.narrow(2, n_layers - 1, 1).reshape([batch, steps, width]);
        };
        let weights = softmax(weights.val(), 0) * gamma.val(); // [layers]
        (layers * weights.reshape([1, 1, n_layers, 1])).sum_dim(2).reshape([batch, steps, width])
    }
}

/// Every vector with mean 0 and variance 1, by itself, so that a token's input does not depend on its batch.
fn normalise(layers: Tensor<4>) -> Tensor<4> {
    let centred = layers.clone() - layers.mean_dim(3);
    let variance = centred.clone().square().mean_dim(3);
    centred / (variance + 1e-5).sqrt()
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tolerance};

    use super::*;

    #[test]
    fn layers_are_normalised_before_the_mix() {
        let device = Device::default();
        let mix = |layer_norm: bool| {
            let config = ContextualConfig { width: 2, layers: 2, mix: LayerMix::Scalar, layer_norm };
            let mix = ScalarMix::new(&config, Init::new(1, &device)).unwrap();
            mix.forward(Tensor::from_data([[[[3.0, 5.0], [40.0, -40.0]], [[0.0, 0.0], [0.0, 0.0]]]], &device))
        };
        let expect = |found: Tensor<3>, expected: [[[f32; 2]; 2]; 1]| {
            found.into_data().assert_approx_eq::<f32>(&expected.into(), Tolerance::absolute(1e-4));
        };
        expect(mix(false), [[[21.5, -17.5], [0.0, 0.0]]]);
        expect(mix(true), [[[0.0, 0.0], [0.0, 0.0]]]);
    }
}
