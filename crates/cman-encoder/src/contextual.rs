//! What all contextual encoders have in common.

use std::fmt::Debug;

use crate::error::EncoderError;

/// A pretrained encoder that gives every word of a sentence one vector per layer.
///
/// ```no_run
/// use std::sync::Arc;
///
/// use burn::tensor::Device;
/// use cman_encoder::{Bert, ContextualEncoder, Elmo, Pooling};
///
/// let device = Device::default();
/// let encoders: [Arc<dyn ContextualEncoder>; 2] = [
///     Arc::new(Elmo::load_dir("elmo".as_ref(), &device)?),
///     Arc::new(Bert::load_dir("minilm".as_ref(), Pooling::First, &device)?),
/// ];
/// let sentence = ["Ada", "lived", "in", "London", "."].map(String::from);
/// for encoder in encoders {
///     let vectors = encoder.encode(&[&sentence])?;
///     assert_eq!(vectors[0].len(), sentence.len() * encoder.n_layers() * encoder.width());
/// }
/// # Ok::<(), cman_encoder::EncoderError>(())
/// ```
pub trait ContextualEncoder: Debug + Send + Sync {
    /// Number of layers.
    fn n_layers(&self) -> usize;

    /// Width of a layer's vector.
    fn width(&self) -> usize;

    /// The word vectors of every layer, per sentence: `[words, n_layers, width]` in row-major order, the lowest layer
    /// first.
    ///
    /// # Errors
    /// If a sentence cannot be encoded.
    ///
    /// # Panics
    /// A [`Bert`](crate::Bert) panics if a sentence has no words.
    fn encode(&self, sentences: &[&[String]]) -> Result<Vec<Vec<f32>>, EncoderError>;
}
