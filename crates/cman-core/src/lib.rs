//! The Cross-Modal Attention Network (Zhao et al., IJCAI 2020) for joint entity and relation extraction, as burn
//! modules that run on whichever backend their [`Device`](burn::tensor::Device) names.
//!
//! | paper | here |
//! |---|---|
//! | 3.1 token and label representations | [`embedding`] |
//! | 3.1 contextual vectors | [`encoder`] |
//! | 3.2 BiLSTM (eq. 1) | [`lstm`] |
//! | 3.2 attention, BSA, BLA (eqs. 2-3) | [`attention`] |
//! | 3.3 dense cross-modal interaction (eqs. 4-7) | [`model`] |
//! | 3.4 tag decoder (eqs. 8, 11) | [`crf`] |
//! | 3.4 relation scorer (eqs. 9, 10, 12) | [`relation`] |

pub mod attention;
pub mod crf;
pub mod embedding;
pub mod encoder;
pub mod linear;
pub mod lstm;
pub mod model;
pub mod norm;
pub mod random;
pub mod relation;

mod batch;
mod device;
mod gather;
#[cfg(feature = "wgpu")]
mod gpu;
mod init;
mod kernels;
mod mask;
mod mode;

pub use batch::{CharacterBatch, Gold, Share, TokenBatch};
pub use device::{Backend, DeviceError};
pub use init::Init;
pub use kernels::{on_host, with_numbers};
pub use mode::{Masks, Mode};
pub use model::{Cman, ModelConfig};
