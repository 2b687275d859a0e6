//! The contextual encoder of a model directory: its own where it was fine-tuned, else one that it names by its hash.

use std::path::Path;

use burn::tensor::Device;
use cman_data::EncoderIdentity;
use cman_encoder::Bert;

use super::{
    Model,
    files::{CONFIG, MANIFEST},
};
use crate::{Config, Encoder, EncoderKind, ModelError};

/// The encoder, where it was fine-tuned.
const FOLDER: &str = "encoder";

/// What the manifest says about the encoder; one that was fine-tuned goes into the directory.
pub(super) fn save(model: &Model, folder: &Path) -> Result<Option<EncoderIdentity>, ModelError> {
    let Some(encoder) = &model.encoder else { return Ok(None) };
    let mut identity = encoder.identity().clone();
    if let (true, Some(bert)) = (model.config.encoder.fine_tune, encoder.as_bert()) {
        let place = folder.join(FOLDER);
        bert.save_dir(&place)?;
        identity.hash = Bert::hash_dir(&place)?;
    }
    Ok(Some(identity))
}

/// The encoder that a model directory needs: its own where it was fine-tuned, else the one that the configuration names.
pub(super) fn open(
    folder: &Path,
    config: &Config,
    needed: Option<&EncoderIdentity>,
    device: &Device,
) -> Result<Option<Encoder>, ModelError> {
    let place = folder.join(MANIFEST);
    let Some(needed) = needed else {
        return match config.encoder.kind {
            EncoderKind::None => Ok(None),
            _ => Err(ModelError::directory(place, "no encoder, expected that of config.toml")),
        };
    };
    let opened = if config.encoder.fine_tune {
        Encoder::bert(&folder.join(FOLDER), &config.encoder, device).map(Some)
    } else if config.encoder.kind == EncoderKind::Cache && !Path::new(&config.encoder.path).exists() {
        // Precomputed vectors may go when the training is done: the encoder that made them gives the same.
        Encoder::of_identity(needed, &config.encoder, device).map(Some)
    } else {
        Encoder::open(&config.encoder, device)
    };
    let refuse = |found: &str| ModelError::directory(&place, format!("the model needs the encoder {needed}{found}"));
    let opened = opened.map_err(|error| refuse(&format!(": {error}")))?;
    let encoder = opened.ok_or_else(|| refuse(", config.toml names none"))?;
    if !encoder.identity().gives_the_same(needed) {
        return Err(refuse(&format!(", found {}", encoder.identity())));
    }
    let shape = (config.model.contextual.layers, config.model.contextual.width);
    if shape != (encoder.n_layers(), encoder.width()) {
        let reason =
            format!("{} layers of {}, the encoder has {} of {}", shape.0, shape.1, encoder.n_layers(), encoder.width());
        return Err(ModelError::directory(folder.join(CONFIG), reason));
    }
    Ok(Some(encoder))
}
