//! Contextual vectors (ELMo in the paper, section 3.1): a learned mix of an encoder's layers.

use burn::{
    module::{Module, Param},
    tensor::{Tensor, activation::softmax},
};
use burn_ragged::Init;
use serde::{Deserialize, Serialize};

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

/// Settings of the contextual input.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContextualConfig {
    /// Width of a layer's vector; 0: no contextual input.
    pub width: usize,
    /// Number of layers of the encoder.
    pub layers: usize,
    /// How the layers become one vector.
    pub mix: LayerMix,
    /// Whether each layer's vector is normalised before the mix.
    pub layer_norm: bool,
}

/// The layers of a contextual encoder as one vector per token.
#[derive(Module, Debug)]
pub enum LayerMixer {
    /// A learned mix.
    Scalar(ScalarMix),
    /// The last layer.
    Top(TopLayer),
}

/// `gamma sum_l softmax(s)_l h_l`; the mean of the layers for new weights.
#[derive(Module, Debug)]
pub struct ScalarMix {
    /// `s` `[layers]`.
    pub weights: Param<Tensor<1>>,
    /// `gamma` `[1]`.
    pub gamma: Param<Tensor<1>>,
    layer_norm: bool,
}

/// The last layer.
#[derive(Module, Debug)]
pub struct TopLayer {
    layer_norm: bool,
}

impl ContextualConfig {
    /// New weights; `None` if there is no contextual input.
    pub fn init_with(&self, init: Init) -> Option<LayerMixer> {
        let layer_norm = self.layer_norm;
        if self.width == 0 {
            return None;
        }
        Some(match self.mix {
            LayerMix::Scalar => LayerMixer::Scalar(ScalarMix {
                weights: init.zeros([self.layers]),
                gamma: Param::from_tensor(Tensor::ones([1], init.device)),
                layer_norm,
            }),
            LayerMix::Top => LayerMixer::Top(TopLayer { layer_norm }),
        })
    }
}

impl LayerMixer {
    /// # Shapes
    /// - layers: `[batch, steps, layers, width]`
    /// - output: `[batch, steps, width]`
    pub fn forward(&self, layers: Tensor<4>) -> Tensor<3> {
        let [batch, steps, n_layers, width] = layers.dims();
        match self {
            Self::Scalar(ScalarMix { weights, gamma, layer_norm }) => {
                let layers = if *layer_norm { normalise(layers) } else { layers };
                let weights = softmax(weights.val(), 0) * gamma.val(); // [layers]
                (layers * weights.reshape([1, 1, n_layers, 1])).sum_dim(2).reshape([batch, steps, width])
            }
            Self::Top(TopLayer { layer_norm }) => {
                let layers = if *layer_norm { normalise(layers) } else { layers };
                layers.narrow(2, n_layers - 1, 1).reshape([batch, steps, width])
            }
        }
    }
}

/// Every vector normalised by itself to mean 0 and variance 1, so that the input of a token does not depend on its batch.
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
            let mix = config.init_with(Init::new(1, &device)).unwrap();
            mix.forward(Tensor::from_data([[[[3.0, 5.0], [40.0, -40.0]], [[0.0, 0.0], [0.0, 0.0]]]], &device))
        };
        let expect = |found: Tensor<3>, expected: [[[f32; 2]; 2]; 1]| {
            found.into_data().assert_approx_eq::<f32>(&expected.into(), Tolerance::absolute(1e-4));
        };
        expect(mix(false), [[[21.5, -17.5], [0.0, 0.0]]]);
        expect(mix(true), [[[0.0, 0.0], [0.0, 0.0]]]);
    }
}
