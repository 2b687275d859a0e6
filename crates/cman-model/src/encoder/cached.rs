//! Vectors from a file, and the encoder that made them.

use std::sync::{Mutex, OnceLock, PoisonError};

use burn::tensor::Device;
use cman_data::FeatureReader;

use super::Encoder;
use crate::{EncoderConfig, ModelError};

/// Vectors from a file. Training reads the file alone; text that nobody has seen before goes to the encoder that made
/// it, which is opened when it is first needed.
#[derive(Debug)]
pub(super) struct Cached {
    pub reader: FeatureReader,
    config: EncoderConfig,
    device: Device,
    behind: OnceLock<Encoder>,
    /// Held while it is opened, so that batches side by side do not open one each.
    opening: Mutex<()>,
}

impl Cached {
    pub fn new(reader: FeatureReader, config: &EncoderConfig, device: &Device) -> Self {
        let (config, device) = (config.clone(), device.clone());
        Self { reader, config, device, behind: OnceLock::new(), opening: Mutex::new(()) }
    }

    /// The encoder that made the vectors.
    pub fn behind(&self) -> Result<&Encoder, ModelError> {
        if let Some(encoder) = self.behind.get() {
            return Ok(encoder);
        }
        let _opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(encoder) = self.behind.get() {
            return Ok(encoder);
        }
        let needed = self.reader.identity();
        let encoder = Encoder::of_identity(needed, &self.config, &self.device)?;
        let found = &encoder.identity;
        if !found.gives_the_same(needed) {
            let (expected, found) = (format!("the encoder {needed}"), format!("the encoder {found}"));
            return Err(ModelError::Encoder { path: self.reader.path().into(), expected, found });
        }
        Ok(self.behind.get_or_init(|| encoder))
    }
}
