//! From a configuration to an open encoder.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use burn::tensor::Device;
use cman_data::{EncoderIdentity, FeatureReader};
use cman_encoder::{Bert, Elmo, Pooling};

use super::{Encoder, Source, cached::Cached, name::is_hub_name};
use crate::{EncoderConfig, EncoderKind, ModelError};

impl Encoder {
    /// Opens the encoder of this configuration on `device`; none if it wants none. A fine-tuned one wants a device with
    /// autodiff for training.
    ///
    /// # Errors
    /// Files that are missing, damaged or do not fit each other; a setting outside of its range, or layers that it does
    /// not have; a name that can be found neither in the cache of the hub nor there.
    pub fn open(config: &EncoderConfig, device: &Device) -> Result<Option<Self>, ModelError> {
        config.validate()?;
        let path = Path::new(&config.path);
        match config.kind {
            EncoderKind::None => Ok(None),
            EncoderKind::Bert => Self::bert(&locate(&config.path)?, config, device).map(Some),
            EncoderKind::Elmo => Self::elmo(path, config, device).map(Some),
            EncoderKind::Cache => Self::cache(path, config, device).map(Some),
        }
    }

    /// Opens the encoder that has, or had, this identity; its files may have changed since.
    pub(crate) fn of_identity(
        identity: &EncoderIdentity,
        config: &EncoderConfig,
        device: &Device,
    ) -> Result<Self, ModelError> {
        let kind = EncoderKind::of_name(&identity.kind).unwrap_or_default();
        let config = EncoderConfig { kind, path: identity.name.clone(), ..config.clone() };
        Self::open(&config, device)?.ok_or_else(|| ModelError::Encoder {
            path: identity.name.clone().into(),
            expected: "an encoder of kind bert or elmo".into(),
            found: format!("one of kind '{}'", identity.kind),
        })
    }

    /// Opens the BERT in `folder`, whatever the configuration says about where it lies.
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

    fn cache(path: &Path, config: &EncoderConfig, device: &Device) -> Result<Self, ModelError> {
        let reader = FeatureReader::open(path)?;
        let identity = reader.identity().clone();
        let is_whole = identity.pooling.is_empty();
        let needed = if is_whole { Pooling::default().name() } else { &identity.pooling };
        if config.pooling.name() != needed {
            let found = if is_whole { "those of whole words".into() } else { format!("'{needed}'") };
            return Err(ModelError::Encoder {
                path: path.into(),
                expected: format!("vectors pooled by '{}' (encoder.pooling)", config.pooling.name()),
                found,
            });
        }
        let (n_layers, width) = (reader.layers(), reader.width());
        let cached = Cached::new(reader, config, device);
        Self::new(identity, Source::Cache(Arc::new(cached)), n_layers, width, config)
    }
}

/// The folder of an encoder: a folder if there is one of this name, else what the hub has under it.
fn locate(path: &str) -> Result<PathBuf, ModelError> {
    let folder = Path::new(path);
    if folder.is_dir() || !is_hub_name(path) {
        return Ok(folder.into());
    }
    fetch(path)
}

#[cfg(feature = "hub")]
fn fetch(name: &str) -> Result<PathBuf, ModelError> {
    Ok(super::Hub::from_env().fetch(name, &Bert::FILES)?)
}

#[cfg(not(feature = "hub"))]
fn fetch(name: &str) -> Result<PathBuf, ModelError> {
    Err(ModelError::NoHub { name: name.into() })
}

#[cfg(all(test, not(feature = "hub")))]
mod tests {
    use super::*;

    #[test]
    fn a_name_on_the_hub_says_what_to_do_without_it() {
        let config = EncoderConfig { kind: EncoderKind::Bert, path: "org/no-such".into(), ..EncoderConfig::default() };
        let error = Encoder::open(&config, &Device::default()).unwrap_err().to_string();
        assert_eq!(
            error,
            "org/no-such: no such folder: give a folder, or build with `--features hub` to fetch this name"
        );
    }
}
