//! The tag decoder (section 3.4): scores of BIO tags and transitions (eq. 8). Its loss (eq. 11), Viterbi decoding and
//! marginals are [`burn_ragged::crf`].

mod scorer;

pub use scorer::{CrfConfig, CrfScore, InputScorer, LinearScorer, TagScorer};

use burn::{module::Module, tensor::Device};
use burn_ragged::{Init, Ragged, crf::Potentials};

/// Makes the log-potentials of the tags from token features.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use burn_ragged::{Layout, Ragged};
/// use cman_core::crf::CrfConfig;
///
/// let device = Device::flex();
/// let crf = CrfConfig::default().init(256, 9, &device); // 4 entity types
/// let x = Ragged::new(Tensor::zeros([2, 5, 256], &device), Layout::new(vec![5, 3]));
/// let tags = crf.potentials(x).lattices()[1].viterbi();
/// assert_eq!(tags.len(), 3);
/// ```
#[derive(Module, Debug)]
pub struct Crf {
    /// Makes the potentials.
    pub scorer: TagScorer,
}

impl CrfConfig {
    /// New weights for `n_tags` tags over features `d_model` wide, drawn from seed 0.
    pub fn init(&self, d_model: usize, n_tags: usize, device: &Device) -> Crf {
        self.init_with(d_model, n_tags, Init::new(0, device))
    }

    /// New weights for `n_tags` tags over features `d_model` wide.
    pub fn init_with(&self, d_model: usize, n_tags: usize, init: Init) -> Crf {
        Crf { scorer: TagScorer::new(self, d_model, n_tags, init) }
    }
}

impl Crf {
    /// The log-potentials of every sentence.
    ///
    /// # Shapes
    /// - x: `[batch, steps, d_model]`
    pub fn potentials(&self, x: Ragged) -> Potentials {
        self.scorer.forward(x)
    }
}
