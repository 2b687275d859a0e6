//! The contextual encoder of a model directory. A fine-tuned encoder is part of the directory; another one is referred
//! to by its path and hash.

use std::{fs, path::Path};

use burn::tensor::Device;
use cman_data::EncoderIdentity;
use cman_encoder::{Bert, Elmo};

use super::{
    Model,
    files::{CONFIG, MANIFEST},
};
use crate::{
    encoder::{Encoder, SearchPath, relative_to},
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

/// Copies the encoder to `folder`, the place where a package has it. Returns its identity there, and the configuration that
/// refers to it. `round` may change its weights. `given`: its folder, if it is not where the configuration says.
pub(super) fn copy(
    model: &Model,
    folder: &Path,
    given: Option<&Path>,
    round: &dyn Fn(&Path) -> Result<(), ModelError>,
) -> Result<(Option<EncoderIdentity>, Config), ModelError> {
    let mut config = model.config.clone();
    let Some(encoder) = &model.encoder else { return Ok((None, config)) };
    let place = folder.join(FOLDER);
    let from = given.unwrap_or(Path::new(&config.encoder.path));
    let mut identity = EncoderIdentity { name: FOLDER.into(), ..encoder.identity().clone() };
    if let Some(bert) = encoder.as_bert() {
        bert.save_dir(&place)?;
        round(&place.join(Bert::WEIGHTS))?;
        identity.hash = Bert::hash_dir(&place)?;
    } else if encoder.is_file() {
        let expected = "the encoder that computed the contextual vectors: its folder must be given".into();
        return Err(ModelError::Encoder { path: from.into(), expected, found: "a file of vectors".into() });
    } else {
        fs::create_dir_all(&place).map_err(|source| ModelError::io(&place, source))?;
        for file in Elmo::files(from)? {
            let to = place.join(file.file_name().unwrap_or_default());
            fs::copy(&file, &to).map_err(|source| ModelError::io(&file, source))?;
        }
        identity.hash = Elmo::hash_dir(&place)?;
    }
    config.encoder.kind = EncoderKind::of_name(&identity.kind).unwrap_or_default();
    config.encoder.path = FOLDER.into();
    Ok((Some(identity), config))
}

/// The configuration as it is written to `folder`.
pub(super) fn saved_config(config: &Config, folder: &Path) -> Config {
    let mut config = config.clone();
    config.encoder.path = relative_to(folder, &config.encoder.path);
    config
}

/// Opens the encoder of a model directory: `given`, else the fine-tuned one of the directory, else that of the
/// configuration, whose path is then the place where it was found.
pub(super) fn open(
    folder: &Path,
    config: &mut Config,
    needed: Option<&EncoderIdentity>,
    given: Option<&Path>,
    device: &Device,
) -> Result<Option<Encoder>, ModelError> {
    let place = folder.join(MANIFEST);
    let Some(needed) = needed else {
        return match (config.encoder.kind, given) {
            (EncoderKind::None, None) => Ok(None),
            (EncoderKind::None, Some(given)) => {
                Err(ModelError::directory(place, format!("the model needs no encoder, found {}", given.display())))
            }
            _ => Err(ModelError::directory(place, "no encoder, expected the one of config.toml")),
        };
    };
    let places = SearchPath::of_model(folder);
    let found = places.find(&config.encoder.path).ok().filter(|_| !config.encoder.fine_tune);
    let opened = match (given, config.encoder.kind) {
        (Some(given), _) => {
            let name = given.to_string_lossy().into_owned();
            let identity = EncoderIdentity { name, ..needed.clone() };
            Encoder::of_identity(&SearchPath::default(), &identity, &config.encoder, device).map(Some)
        }
        // The file of contextual vectors may be deleted after training. The encoder that computed it gives the same
        // vectors.
        (None, EncoderKind::Cache) if found.is_none() => {
            Encoder::of_identity(&places, needed, &config.encoder, device).map(Some)
        }
        (None, EncoderKind::Bert) if config.encoder.fine_tune => {
            Encoder::bert(&folder.join(FOLDER), &config.encoder, device).map(Some)
        }
        (None, _) => Encoder::open_in(&places, &config.encoder, device),
    };
    if let Some(found) = found {
        config.encoder.path = found.to_string_lossy().into_owned();
    }
    let refuse = |found: String| ModelError::ModelEncoder { path: place.clone(), needed: needed.to_string(), found };
    let opened = opened.map_err(|error| refuse(format!(": {error}")))?;
    let encoder = opened.ok_or_else(|| refuse(", but config.toml names none".into()))?;
    if !encoder.identity().gives_the_same(needed) {
        return Err(refuse(format!(", found {}", encoder.identity())));
    }
    let shape = (config.model.contextual.layers, config.model.contextual.width);
    if shape != (encoder.n_layers(), encoder.width()) {
        let reason =
            format!("{} layers of {}, the encoder has {} of {}", shape.0, shape.1, encoder.n_layers(), encoder.width());
        return Err(ModelError::directory(folder.join(CONFIG), reason));
    }
    Ok(Some(encoder))
}
