//! Reads and writes model directories. The manifest is written last; reading checks that the files are consistent.

use std::{fs, path::Path};

use burn::{module::Module, tensor::Device};
use burn_ragged::Init;
use cman_core::{Cman, model::Sizes};
use cman_data::{EncoderIdentity, Schema, Vocabularies, file, plain_types};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    LoadOptions, Model, encoder,
    files::{CALIBRATION, CONFIG, LABELS, MANIFEST, SCORES, SIGNATURES, VOCABULARIES, WEIGHTS},
    weights,
};
use crate::{calibration::Calibration, error::ModelError, package, settings::Config};

/// Version of the layout of a model directory.
const FORMAT: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    format: u32,
    library: String,
    trained_words: usize,
    words: usize,
    characters: usize,
    entity_types: usize,
    relation_types: usize,
    /// The encoder that the weights were trained with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    encoder: Option<EncoderIdentity>,
}

impl Model {
    /// Writes the model directory. `scores` is written beside the model, as JSON.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn save(&self, folder: &Path, scores: &impl Serialize) -> Result<(), ModelError> {
        fs::create_dir_all(folder).map_err(|source| ModelError::io(folder, source))?;
        let encoder = || encoder::save(self, folder);
        self.write(folder, scores, encoder, &encoder::saved_config(&self.config, folder), &|_| Ok(()))
    }

    /// Writes the model directory with its encoder, whether it was fine-tuned or not. `given` is the folder of the encoder
    /// that was given when the model was loaded. `round` may change the weights at a path. Returns the identity of the encoder.
    pub(crate) fn save_with_encoder(
        &self,
        folder: &Path,
        scores: &impl Serialize,
        given: Option<&Path>,
        round: &dyn Fn(&Path) -> Result<(), ModelError>,
    ) -> Result<Option<EncoderIdentity>, ModelError> {
        let (identity, config) = encoder::copy(self, folder, given, round)?;
        self.write(folder, scores, || Ok(identity.clone()), &config, round)?;
        Ok(identity)
    }

    fn write(
        &self,
        folder: &Path,
        scores: &impl Serialize,
        encoder: impl FnOnce() -> Result<Option<EncoderIdentity>, ModelError>,
        config: &Config,
        round: &dyn Fn(&Path) -> Result<(), ModelError>,
    ) -> Result<(), ModelError> {
        // Without a manifest the folder is not a model, so a partly replaced model cannot be loaded.
        let place = folder.join(MANIFEST);
        if place.exists() {
            fs::remove_file(&place).map_err(|source| ModelError::io(&place, source))?;
        }
        let manifest = Manifest {
            encoder: encoder()?,
            format: FORMAT,
            library: format!("cman {}", env!("CARGO_PKG_VERSION")),
            trained_words: self.trained_words,
            words: self.vocabularies.words.len(),
            characters: self.vocabularies.chars.len(),
            entity_types: self.schema.entities.len(),
            relation_types: self.schema.relations.len(),
        };
        write(&folder.join(CONFIG), config.to_toml().as_bytes())?;
        write_json(&folder.join(LABELS), &self.schema)?;
        self.vocabularies.save(folder.join(VOCABULARIES))?;
        write_json(&folder.join(SCORES), scores)?;
        write_or_remove(&folder.join(SIGNATURES), self.signatures.as_ref())?;
        let calibration = Some(self.calibration).filter(|&calibration| calibration != Calibration::default());
        write_or_remove(&folder.join(CALIBRATION), calibration.as_ref())?;
        let weights = folder.join(WEIGHTS);
        weights::save(&self.network, &weights)?;
        round(&weights)?;
        // The store makes the file readable by its owner alone. It gets the permissions of the other files.
        fs::metadata(folder.join(CONFIG))
            .and_then(|others| fs::set_permissions(&weights, others.permissions()))
            .map_err(|source| ModelError::io(&weights, source))?;
        write_json(&place, &manifest)
    }

    /// Reads a model directory or a package on `device`.
    ///
    /// An encoder that is not part of the directory is looked for relative to the directory, inside of it as `encoder` or
    /// under its own name, and relative to the working directory.
    ///
    /// # Errors
    /// A file that is missing, truncated, of another format or inconsistent with the others.
    pub fn load(folder: &Path, device: &Device) -> Result<Self, ModelError> {
        Self::load_with(folder, device, &LoadOptions::default())
    }

    /// Reads a model directory or a package on `device`, with options.
    ///
    /// # Errors
    /// As [`load`](Self::load); an encoder of the options that is not the one that the model needs.
    pub fn load_with(path: &Path, device: &Device, options: &LoadOptions) -> Result<Self, ModelError> {
        if path.is_file() {
            let unpacked = package::unpack(path)?;
            return Self::read(unpacked.path(), device, options);
        }
        Self::read(path, device, options)
    }

    /// Reads a package from its bytes.
    ///
    /// # Errors
    /// As [`load_with`](Self::load_with).
    pub fn from_package(bytes: &[u8], device: &Device, options: &LoadOptions) -> Result<Self, ModelError> {
        let unpacked = package::unpack_from(bytes, Path::new("package"))?;
        Self::read(unpacked.path(), device, options)
    }

    fn read(folder: &Path, device: &Device, options: &LoadOptions) -> Result<Self, ModelError> {
        let manifest: Manifest = read_json(&folder.join(MANIFEST))?;
        if manifest.format != FORMAT {
            let reason = format!("format {}, this library reads format {FORMAT}", manifest.format);
            return Err(ModelError::directory(folder.join(MANIFEST), reason));
        }
        let mut config = Config::load(Some(&folder.join(CONFIG)), &[])?;
        let schema: Schema = read_json(&folder.join(LABELS))?;
        let vocabularies = Vocabularies::load(folder.join(VOCABULARIES))?;
        let counts = [
            (LABELS, "entity types", schema.entities.len(), manifest.entity_types),
            (LABELS, "relation types", schema.relations.len(), manifest.relation_types),
            (VOCABULARIES, "words", vocabularies.words.len(), manifest.words),
            (VOCABULARIES, "characters", vocabularies.chars.len(), manifest.characters),
        ];
        for (file, what, found, expected) in counts {
            if found != expected || (expected == 0 && what != "relation types") {
                let reason = format!("{found} {what}, expected {expected} as in {MANIFEST}");
                return Err(ModelError::directory(folder.join(file), reason));
            }
        }
        if !(2..=manifest.words).contains(&manifest.trained_words) {
            let reason = format!("{} trained words, expected 2 to {}", manifest.trained_words, manifest.words);
            return Err(ModelError::directory(folder.join(MANIFEST), reason));
        }
        let sizes = Sizes {
            words: manifest.trained_words,
            characters: manifest.characters,
            entities: manifest.entity_types,
            relations: manifest.relation_types,
        };
        let encoder =
            encoder::open(folder, &mut config, manifest.encoder.as_ref(), options.encoder.as_deref(), device)?;
        let others = manifest.words - manifest.trained_words;
        let weights = folder.join(WEIGHTS);
        weights::check_size(
            &weights,
            config.model.least_parameters(sizes) + (others * config.model.word.width) as f64,
        )?;
        let mut network = Cman::init_with(&config.model.check()?, sizes, Init::blank(device));
        network.embedding.word =
            network.embedding.word.with_pretrained(&[], vec![0.0; others * config.model.word.width]);
        let network = weights::load(network, &weights)?.valid();
        let model = Self::new(config, schema, vocabularies, network, encoder, manifest.trained_words);
        let calibration: Option<Calibration> = read_if_there(&folder.join(CALIBRATION))?;
        let calibration = calibration.unwrap_or_default().check();
        let place = || folder.join(CALIBRATION);
        Ok(Self {
            signatures: read_if_there(&folder.join(SIGNATURES))?,
            calibration: calibration.map_err(|error| ModelError::directory(place(), error.to_string()))?,
            max_memory: options.max_memory,
            ..model
        })
    }

    /// Adds temperatures of confidences to a model directory, in place of those it has.
    ///
    /// # Errors
    /// A temperature that is not positive; a file that cannot be written.
    pub fn save_calibration(folder: &Path, calibration: Calibration) -> Result<(), ModelError> {
        write_json(&folder.join(CALIBRATION), &calibration.check()?)
    }
}

fn write(path: &Path, content: &[u8]) -> Result<(), ModelError> {
    file::replace(path, content).map_err(|source| ModelError::io(path, source))
}

/// Writes an optional file, or removes the one that is there.
fn write_or_remove(path: &Path, value: Option<&impl Serialize>) -> Result<(), ModelError> {
    match value {
        Some(value) => write_json(path, value),
        None if path.exists() => fs::remove_file(path).map_err(|source| ModelError::io(path, source)),
        None => Ok(()),
    }
}

/// Reads an optional file.
fn read_if_there<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, ModelError> {
    if path.exists() { read_json(path).map(Some) } else { Ok(None) }
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), ModelError> {
    let mut text = serde_json::to_vec_pretty(value).map_err(|error| ModelError::io(path, error.into()))?;
    text.push(b'\n');
    write(path, &text)
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, ModelError> {
    let text = fs::read(path).map_err(|source| ModelError::io(path, source))?;
    serde_json::from_slice(&text).map_err(|error| ModelError::directory(path, plain_types(&error.to_string())))
}
