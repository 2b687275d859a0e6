//! The Cross-Modal Attention Network (Zhao et al., IJCAI 2020) for joint entity and relation extraction, as burn
//! modules. They run on whichever backend their [`Device`](burn::tensor::Device) names.
//!
//! | paper | here |
//! |---|---|
//! | 3.1 token and label representations | [`embedding`] |
//! | 3.2 BiLSTM, attention, BSA, BLA (eqs. 1-3) | [`attention`] |
//! | 3.3 cross-modal interaction (eqs. 4-7) | [`model`] |
//! | 3.4 tag decoder (eq. 8) | [`crf`] |
//! | 3.4 relation scorer (eqs. 9, 10) | [`relation`] |
//! | 3.5 losses (eqs. 11-13) | [`Losses`] |
//! | 3.5 adversarial training (eq. 14) | [`perturbation`] |

pub mod attention;
pub mod crf;
pub mod embedding;
pub mod model;
pub mod relation;

mod adversarial;
mod batch;
mod losses;

pub use adversarial::perturbation;
pub use batch::{CharacterBatch, Gold, GoldError, TokenBatch};
pub use losses::Losses;
pub use model::{CheckedModelConfig, Cman, ModelConfig};
