//! Contextual vectors from a file, and the encoder that computed them.

use std::sync::{Mutex, OnceLock, PoisonError};

use burn::tensor::Device;
use cman_data::ContextualVectorReader;

use super::{Encoder, SearchPath};
use crate::{error::ModelError, settings::EncoderConfig};

/// A file of contextual vectors. Training reads the file alone. Sentences that it does not contain go to the encoder
/// that computed it, which is opened when it is first needed.
#[derive(Debug)]
pub(super) struct ContextualFile {
    pub reader: ContextualVectorReader,
    /// Where that encoder is looked for.
    places: SearchPath,
    config: EncoderConfig,
    device: Device,
    encoder: OnceLock<Encoder>,
    /// Held while the encoder is opened, so that concurrent batches open it once.
    opening: Mutex<()>,
}

impl ContextualFile {
    pub fn new(reader: ContextualVectorReader, places: SearchPath, config: &EncoderConfig, device: &Device) -> Self {
        let (config, device) = (config.clone(), device.clone());
        Self { reader, places, config, device, encoder: OnceLock::new(), opening: Mutex::new(()) }
    }

    /// The encoder that computed the vectors.
    pub fn encoder(&self) -> Result<&Encoder, ModelError> {
        if let Some(encoder) = self.encoder.get() {
            return Ok(encoder);
        }
        let _opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(encoder) = self.encoder.get() {
            return Ok(encoder);
        }
        let needed = self.reader.identity();
        let encoder = Encoder::of_identity(&self.places, needed, &self.config, &self.device)?;
        let found = &encoder.identity;
        if !found.gives_the_same(needed) {
            let (expected, found) = (format!("the encoder {needed}"), format!("the encoder {found}"));
            return Err(ModelError::Encoder { path: self.reader.path().into(), expected, found });
        }
        Ok(self.encoder.get_or_init(|| encoder))
    }
}
