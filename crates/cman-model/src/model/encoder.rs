//! The contextual encoder of a model directory. A fine-tuned encoder is part of the directory; another one is referred
//! to by its path and hash.

use std::path::Path;

use burn::tensor::Device;
use cman_data::EncoderIdentity;
use cman_encoder::Bert;

use super::{
    Model,
    files::{CONFIG, MANIFEST},
};
use crate::{
    encoder::Encoder,
    error::ModelError,
    settings::{Config, EncoderKind},
};

/// Folder of a fine-tuned encoder.
const FOLDER: &str = "encoder";

/// The manifest's entry for the encoder. A fine-tuned encoder is written to the directory.
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

/// Opens the encoder of a model directory: the fine-tuned one of the directory, else that of the configuration.
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
            _ => Err(ModelError::directory(place, "no encoder, expected the one of config.toml")),
        };
    };
    let opened = if config.encoder.fine_tune {
        Encoder::bert(&folder.join(FOLDER), &config.encoder, device).map(Some)
    } else if config.encoder.kind == EncoderKind::Cache && !Path::new(&config.encoder.path).exists() {
        // The file of contextual vectors may be deleted after training. The encoder that computed it gives the same
        // vectors.
        Encoder::of_identity(needed, &config.encoder, device).map(Some)
    } else {
        Encoder::open(&config.encoder, device)
    };
    let refuse = |found: &str| ModelError::directory(&place, format!("the model needs the encoder {needed}{found}"));
    let opened = opened.map_err(|error| refuse(&format!(": {error}")))?;
    let encoder = opened.ok_or_else(|| refuse(", but config.toml names none"))?;
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
