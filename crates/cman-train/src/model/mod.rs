//! A trained model: the network with all it needs to read text, and its directory.

mod encoder;
mod weights;

use std::{fs, io::Write, path::Path};

use burn::{module::Module, tensor::Device};
use cman_core::{
    Cman, Mode,
    model::{PredictOptions, Prediction, Sizes},
};
use cman_data::{DataError, EncodedSentence, EncoderIdentity, Schema, Sentence, Vocabularies};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{Config, Encoder, TrainError, encoder::words, inference, scoring};

/// Version of the layout of a model directory.
const FORMAT: u32 = 1;
/// Format version, sizes and library version.
const MANIFEST: &str = "model.json";
/// The configuration of the run that made the model.
const CONFIG: &str = "config.toml";
/// Entity and relation types.
const LABELS: &str = "labels.json";
/// Words and characters.
const VOCABULARIES: &str = "vocabularies.json";
/// The weights.
const WEIGHTS: &str = "model.safetensors";
/// The scores of the kept epoch.
const SCORES: &str = "scores.json";

/// A network with its configuration, labels and vocabularies.
#[derive(Clone, Debug)]
pub struct Model {
    /// The configuration of the run that made it.
    pub config: Config,
    /// Entity and relation types.
    pub schema: Schema,
    /// Words and characters.
    pub vocabularies: Vocabularies,
    /// The network, without autodiff.
    pub network: Cman,
    /// The contextual encoder, where the network wants one.
    pub encoder: Option<Encoder>,
    /// How many of the words have a trained vector.
    pub trained_words: usize,
}

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
    /// Predictions for these sentences, whose annotation is not looked at.
    ///
    /// # Errors
    /// A sentence without tokens; an encoder that cannot read it.
    pub fn predict(&self, sentences: &[Sentence], batch_size: usize) -> Result<Vec<Prediction>, TrainError> {
        let encoded: Result<Vec<EncodedSentence>, DataError> =
            sentences.iter().map(|sentence| self.vocabularies.encode_tokens(sentence)).collect();
        self.infer(sentences, &encoded?, batch_size, false)
    }

    /// Scores on annotated sentences, and the sentences as predicted. `gold_labels`: the relations see the gold tags
    /// (Table 3).
    ///
    /// # Errors
    /// A sentence without tokens, or of a type that the model does not know.
    pub fn evaluate(
        &self,
        gold: &[Sentence],
        batch_size: usize,
        gold_labels: bool,
    ) -> Result<(scoring::Scores, Vec<Sentence>), TrainError> {
        let encoded: Result<Vec<EncodedSentence>, DataError> =
            gold.iter().map(|sentence| self.vocabularies.encode(sentence, &self.schema)).collect();
        let found = self.infer(gold, &encoded?, batch_size, gold_labels)?;
        Ok(inference::score_found(gold, &found, &self.schema)?)
    }

    fn infer(
        &self,
        sentences: &[Sentence],
        encoded: &[EncodedSentence],
        batch_size: usize,
        gold_labels: bool,
    ) -> Result<Vec<Prediction>, TrainError> {
        let devices = self.network.devices();
        let vectors = self.encoder.as_ref().zip(devices.first()).map(|(encoder, device)| {
            move |members: &[usize]| {
                let words: Vec<Vec<String>> = members.iter().map(|&i| words(&sentences[i])).collect();
                encoder.batch(&words.iter().map(Vec::as_slice).collect::<Vec<_>>(), Mode::Evaluate, device)
            }
        });
        let contextual = vectors.as_ref().map(|vectors| vectors as inference::Contextual);
        inference::predict(&self.network, encoded, contextual, batch_size, self.options(), gold_labels)
    }

    fn options(&self) -> PredictOptions {
        PredictOptions::from(&self.config.model.relation)
    }

    /// Writes the model directory; `scores` are anything worth keeping beside it.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn save(&self, folder: &Path, scores: &impl Serialize) -> Result<(), TrainError> {
        fs::create_dir_all(folder).map_err(|source| TrainError::io(folder, source))?;
        // Without its manifest a folder is no model: it never looks whole while it holds parts of two.
        let place = folder.join(MANIFEST);
        if place.exists() {
            fs::remove_file(&place).map_err(|source| TrainError::io(&place, source))?;
        }
        let manifest = Manifest {
            encoder: encoder::save(self, folder)?,
            format: FORMAT,
            library: format!("cman {}", env!("CARGO_PKG_VERSION")),
            trained_words: self.trained_words,
            words: self.vocabularies.words.len(),
            characters: self.vocabularies.chars.len(),
            entity_types: self.schema.entities.len(),
            relation_types: self.schema.relations.len(),
        };
        write(&folder.join(CONFIG), self.config.to_toml().as_bytes())?;
        write_json(&folder.join(LABELS), &self.schema)?;
        self.vocabularies.save(folder.join(VOCABULARIES))?;
        write_json(&folder.join(SCORES), scores)?;
        let weights = folder.join(WEIGHTS);
        weights::save(&self.network, &weights)?;
        // The store lets only the owner read the file; it is as open as the others.
        fs::metadata(folder.join(CONFIG))
            .and_then(|others| fs::set_permissions(&weights, others.permissions()))
            .map_err(|source| TrainError::io(&weights, source))?;
        write_json(&place, &manifest)
    }

    /// Reads a model directory onto `device`.
    ///
    /// # Errors
    /// A file that is missing, truncated, of another format, or does not fit the others.
    pub fn load(folder: &Path, device: &Device) -> Result<Self, TrainError> {
        let manifest: Manifest = read_json(&folder.join(MANIFEST))?;
        if manifest.format != FORMAT {
            let reason = format!("format {}, this library reads format {FORMAT}", manifest.format);
            return Err(TrainError::directory(folder.join(MANIFEST), reason));
        }
        let config = Config::load(Some(&folder.join(CONFIG)), &[])?;
        let schema: Schema = read_json(&folder.join(LABELS))?;
        let vocabularies = Vocabularies::load(folder.join(VOCABULARIES))?;
        let counts = [
            (LABELS, "entity types", schema.entities.len(), manifest.entity_types),
            (LABELS, "relation types", schema.relations.len(), manifest.relation_types),
            (VOCABULARIES, "words", vocabularies.words.len(), manifest.words),
            (VOCABULARIES, "characters", vocabularies.chars.len(), manifest.characters),
        ];
        for (file, what, found, expected) in counts {
            if found != expected || expected == 0 {
                let reason = format!("{found} {what}, expected the {expected} of {MANIFEST}");
                return Err(TrainError::directory(folder.join(file), reason));
            }
        }
        if !(2..=manifest.words).contains(&manifest.trained_words) {
            let reason = format!("{} trained words of {}", manifest.trained_words, manifest.words);
            return Err(TrainError::directory(folder.join(MANIFEST), reason));
        }
        let sizes = Sizes {
            words: manifest.trained_words,
            characters: manifest.characters,
            entities: manifest.entity_types,
            relations: manifest.relation_types,
        };
        let encoder = encoder::open(folder, &config, manifest.encoder.as_ref(), device)?;
        let others = manifest.words - manifest.trained_words;
        let weights = folder.join(WEIGHTS);
        weights::check_size(
            &weights,
            config.model.least_parameters(sizes) + (others * config.model.word.width) as f64,
        )?;
        let mut network = Cman::new(&config.model, sizes, config.seed, device)?;
        network.embedding.word =
            network.embedding.word.with_pretrained(&[], vec![0.0; others * config.model.word.width]);
        weights::load(&mut network, &weights)?;
        let network = network.valid();
        Ok(Self { config, schema, vocabularies, network, encoder, trained_words: manifest.trained_words })
    }
}

fn write(path: &Path, content: &[u8]) -> Result<(), TrainError> {
    let sync = |mut file: fs::File| file.write_all(content).and_then(|()| file.sync_all());
    fs::File::create(path).and_then(sync).map_err(|source| TrainError::io(path, source))
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), TrainError> {
    let mut text = serde_json::to_vec_pretty(value).map_err(|error| TrainError::io(path, error.into()))?;
    text.push(b'\n');
    write(path, &text)
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, TrainError> {
    let text = fs::read(path).map_err(|source| TrainError::io(path, source))?;
    serde_json::from_slice(&text).map_err(|error| TrainError::directory(path, error.to_string()))
}
