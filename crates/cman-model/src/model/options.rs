//! Options for loading a model.

use std::path::PathBuf;

use crate::memory::MemoryLimit;

/// How a model is loaded. The defaults fit a model whose encoder is where its configuration says.
///
/// ```no_run
/// use burn_ragged::DeviceKind;
/// use cman_model::{Extractor, LoadOptions, MemoryLimit};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let options = LoadOptions {
///     encoder: Some("encoders/minilm".into()),
///     max_memory: MemoryLimit::Most(4_000_000_000),
/// };
/// let extractor = Extractor::load_with("model".as_ref(), &DeviceKind::Flex.device()?, &options)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// The folder of the encoder, in place of the one that the configuration names. Its files must have the hash that the
    /// model was trained with.
    pub encoder: Option<PathBuf>,
    /// How much memory predictions may take. Sentences that need more are errors.
    pub max_memory: MemoryLimit,
}
