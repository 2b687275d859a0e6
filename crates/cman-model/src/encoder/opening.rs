//! Opens an encoder from its configuration.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use burn::tensor::Device;
use cman_data::{ContextualVectorReader, EncoderIdentity};
use cman_encoder::{Bert, Elmo, Pooling};

use super::{Encoder, SearchPath, Source, contextual_file::ContextualFile, name::is_hub_name};
use crate::{
    error::ModelError,
    settings::{EncoderConfig, EncoderKind},
};

impl Encoder {
    /// Opens the encoder of this configuration on `device`; `None` for the kind `none`. Fine-tuning needs an autodiff
    /// device.
    ///
    /// # Errors
    /// Files that are missing, damaged or inconsistent; a setting out of range; layers that the encoder does not have;
    /// a name that is neither in the cache nor on the hub.
    pub fn open(config: &EncoderConfig, device: &Device) -> Result<Option<Self>, ModelError> {
        Self::open_in(&SearchPath::default(), config, device)
    }

    /// [`open`](Self::open), with more places for a relative path.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_in(places: &SearchPath, config: &EncoderConfig, device: &Device) -> Result<Option<Self>, ModelError> {
        config.validate()?;
        match config.kind {
            EncoderKind::None => Ok(None),
            EncoderKind::Bert => Self::bert(&locate(places, &config.path)?, config, device).map(Some),
            EncoderKind::Elmo => Self::elmo(&places.find(&config.path)?, config, device).map(Some),
            EncoderKind::Cache => Self::file(places, &places.find(&config.path)?, config, device).map(Some),
        }
    }

    /// Opens the encoder that this identity names. Its files may have changed, so the caller compares the hash.
    pub(crate) fn of_identity(
        places: &SearchPath,
        identity: &EncoderIdentity,
        config: &EncoderConfig,
        device: &Device,
    ) -> Result<Self, ModelError> {
        let kind = EncoderKind::of_name(&identity.kind).unwrap_or_default();
        let config = EncoderConfig { kind, path: identity.name.clone(), ..config.clone() };
        Self::open_in(places, &config, device)?.ok_or_else(|| ModelError::Encoder {
            path: identity.name.clone().into(),
            expected: "an encoder of kind bert or elmo".into(),
            found: format!("kind '{}'", identity.kind),
        })
    }

    /// Opens the BERT in `folder` instead of the path of the configuration.
    pub(crate) fn bert(folder: &Path, config: &EncoderConfig, device: &Device) -> Result<Self, ModelError> {
        let mut bert = Bert::load_dir(folder, config.pooling, device)?;
        if config.frozen_layers >= bert.n_layers() {
            return Err(ModelError::Setting {
                field: "encoder.frozen_layers",
                expected: "fewer layers than the encoder has",
                found: format!("{} (it has {})", config.frozen_layers, bert.n_layers()),
            });
        }
        bert.network = bert.network.freeze_lowest(config.frozen_layers);
        let identity = EncoderIdentity {
            kind: EncoderKind::Bert.name().into(),
            name: config.path.clone(),
            hash: Bert::hash_dir(folder)?,
            pooling: config.pooling.name().into(),
        };
        let (n_layers, width) = (bert.n_layers(), bert.width());
        Self::new(identity, Source::Bert(Box::new(bert)), n_layers, width, config)
    }

    fn elmo(folder: &Path, config: &EncoderConfig, device: &Device) -> Result<Self, ModelError> {
        let elmo = Elmo::load_dir(folder, device)?;
        let identity = EncoderIdentity {
            kind: EncoderKind::Elmo.name().into(),
            name: config.path.clone(),
            hash: Elmo::hash_dir(folder)?,
            pooling: String::new(),
        };
        let (n_layers, width) = (elmo.n_layers(), elmo.width());
        Self::new(identity, Source::Elmo(Arc::new(elmo)), n_layers, width, config)
    }

    fn file(places: &SearchPath, path: &Path, config: &EncoderConfig, device: &Device) -> Result<Self, ModelError> {
        let reader = ContextualVectorReader::open(path)?;
        let identity = reader.identity().clone();
        let reads_whole_words = identity.pooling.is_empty();
        let needed = if reads_whole_words { Pooling::default().name() } else { &identity.pooling };
        if config.pooling.name() != needed {
            let found = if reads_whole_words { "vectors of whole words".into() } else { format!("'{needed}'") };
            return Err(ModelError::Encoder {
                path: path.into(),
                expected: format!("vectors pooled by '{}' (encoder.pooling)", config.pooling.name()),
                found,
            });
        }
        let (n_layers, width) = (reader.layers(), reader.width());
        let places = path.parent().map_or_else(|| places.clone(), |folder| places.after(folder));
        let file = ContextualFile::new(reader, places, config, device);
        Self::new(identity, Source::File(Arc::new(file)), n_layers, width, config)
    }
}

/// The folder of a BERT: a place of `path`, else the download from the hub.
fn locate(places: &SearchPath, path: &str) -> Result<PathBuf, ModelError> {
    match places.find(path) {
        Err(_) if is_hub_name(path) => fetch(path),
        found => found,
    }
}

#[cfg(feature = "hub")]
fn fetch(name: &str) -> Result<PathBuf, ModelError> {
    Ok(cman_encoder::Hub::from_env().fetch(name, &Bert::FILES)?)
}

#[cfg(not(feature = "hub"))]
fn fetch(name: &str) -> Result<PathBuf, ModelError> {
    Err(ModelError::NoHub { name: name.into() })
}

#[cfg(all(test, not(feature = "hub")))]
mod tests {
    use super::*;

    #[test]
    fn without_the_hub_a_name_is_refused_with_a_hint() {
        let config = EncoderConfig { kind: EncoderKind::Bert, path: "org/no-such".into(), ..EncoderConfig::default() };
        let error = Encoder::open(&config, &Device::default()).unwrap_err().to_string();
        assert_eq!(
            error,
            "org/no-such: no such folder: give a folder, or build with `--features hub` to fetch this name"
        );
    }
}
