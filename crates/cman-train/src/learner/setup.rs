//! From a configuration and data to a learner before its first epoch.

use std::path::Path;

use burn::{module::Module, tensor::Device};
use cman_core::{Cman, model::Sizes};
use cman_data::{DataError, EncodedSentence, Schema, Sentence, Vocabularies};
use cman_model::{Config, Encoder, ModelError};

use super::{EncoderInput, Learner, TrainingData};
use crate::{RunFacts, TrainError, Trainable, WordVectors, checkpoint::Progress, kept_vectors::KeptVectors};

impl Learner {
    /// Makes vocabularies and a new network for these data on `device` (without autodiff; it is added here).
    ///
    /// With word vectors, `model.word.width` becomes theirs; with an encoder, `model.contextual` becomes its shape. A
    /// frozen encoder reads all sentences here, once.
    ///
    /// # Errors
    /// No training sentence, no entity or relation type, a bad vector file or encoder, a sentence that
    /// cannot be encoded, a setting outside of its range.
    pub fn new(
        mut config: Config,
        data: TrainingData,
        vectors: Option<&Path>,
        device: &Device,
    ) -> Result<Self, TrainError> {
        check(data)?;
        config.check()?;
        let encoder = open_encoder(&mut config, device)?;
        let mut vocabularies = Vocabularies::build(data.train, config.model.word.lowercase);
        let trained_words = vocabularies.words.len();
        let vectors = read_vectors(vectors, &mut config, &mut vocabularies)?;
        let network_config = config.check()?;
        let train = encode(data.train, data.schema, &vocabularies)?;
        let dev_encoded = encode(data.dev, data.schema, &vocabularies)?;
        let encoder = encoder.map(|encoder| keep_vectors(encoder, &config, data)).transpose()?;
        let device = device.clone().autodiff();
        let sizes = Sizes {
            words: trained_words,
            characters: vocabularies.chars.len(),
            entities: data.schema.entities.len(),
            relations: data.schema.relations.len(),
        };
        let network = Cman::new(&network_config, sizes, config.seed, &device);
        let parameters = network.num_params();
        let pretrained_words = vectors.as_ref().map_or(0, WordVectors::n_known);
        let weights = weights(network, vectors, encoder.as_ref().filter(|_| config.encoder.fine_tune));
        let facts = RunFacts {
            epochs_done: 0,
            sentences: train.len(),
            dev_sentences: dev_encoded.len(),
            trained_words,
            pretrained_words,
            words: vocabularies.words.len(),
            characters: vocabularies.chars.len(),
            parameters,
            encoder: encoder.as_ref().map(|input| input.encoder.identity().clone()),
            encoder_parameters: weights.n_tuned(),
            unrepresentable_entities: train.iter().map(|sentence| sentence.unrepresentable.entities).sum(),
            unrepresentable_relations: train.iter().map(|sentence| sentence.unrepresentable.relations).sum(),
        };
        Ok(Self {
            schema: data.schema.clone(),
            vocabularies,
            trained_words,
            train,
            train_ids: data.train.iter().map(|sentence| sentence.id.clone()).collect(),
            dev: data.dev.to_vec(),
            dev_encoded,
            encoder,
            weights,
            optimizer: Trainable::optimizer(config.encoder.weight_decay),
            device,
            facts,
            progress: Progress::default(),
            best: None,
            checkpoints: None,
            config,
        })
    }
}

/// Refuses data that nothing can be learned from.
fn check(data: TrainingData) -> Result<(), TrainError> {
    if data.train.is_empty() {
        return Err(TrainError::NoSentences { part: "training data", purpose: "learn from" });
    }
    for (part, types) in [("entity types", &data.schema.entities), ("relation types", &data.schema.relations)] {
        if types.is_empty() {
            return Err(TrainError::NoTypes { part });
        }
    }
    Ok(())
}

/// Opens the encoder, with autodiff if it is fine-tuned, and gives the network its shape.
fn open_encoder(config: &mut Config, device: &Device) -> Result<Option<Encoder>, ModelError> {
    let device = if config.encoder.fine_tune { device.clone().autodiff() } else { device.clone() };
    let encoder = Encoder::open(&config.encoder, &device)?;
    if let Some(encoder) = &encoder {
        config.model.contextual.width = encoder.width();
        config.model.contextual.layers = encoder.n_layers();
    } else if config.model.contextual.width > 0 {
        return Err(ModelError::Setting {
            field: "model.contextual.width",
            expected: "0 without an encoder (encoder.kind)",
            found: config.model.contextual.width.to_string(),
        });
    }
    Ok(encoder)
}

/// Reads the word vectors and gives the network their width; words that training does not hold go to the vocabulary.
fn read_vectors(
    path: Option<&Path>,
    config: &mut Config,
    vocabularies: &mut Vocabularies,
) -> Result<Option<WordVectors>, TrainError> {
    let vectors = path.map(|path| WordVectors::read(path, config.vectors.keep, vocabularies)).transpose()?;
    if let Some(vectors) = &vectors {
        config.model.word.width = vectors.width;
    }
    Ok(vectors)
}

fn encode(
    sentences: &[Sentence],
    schema: &Schema,
    vocabularies: &Vocabularies,
) -> Result<Vec<EncodedSentence>, DataError> {
    sentences.iter().map(|sentence| vocabularies.encode(sentence, schema)).collect()
}

/// The encoder with the vectors of all sentences, as long as it is frozen.
fn keep_vectors(encoder: Encoder, config: &Config, data: TrainingData) -> Result<EncoderInput, ModelError> {
    // Without a graph: nothing of these vectors is trained.
    let plain = encoder.as_bert().filter(|_| config.encoder.fine_tune).map(|bert| bert.network.valid());
    let plain = encoder.clone().with_weights(plain.as_ref());
    let keep = |sentences| KeptVectors::new(&plain, sentences, !config.encoder.is_trained_after(0));
    let (train, dev) = (keep(data.train)?, keep(data.dev)?);
    Ok(EncoderInput { encoder, train, dev })
}

/// What is trained: the network, which starts at the word vectors, and the encoder if it is fine-tuned.
fn weights(network: Cman, vectors: Option<WordVectors>, tuned: Option<&EncoderInput>) -> Trainable {
    let network = match vectors {
        Some(vectors) => vectors.install(network),
        None => network,
    };
    let tuned = tuned.and_then(|input| input.encoder.as_bert());
    Trainable { network, contextual_encoder: tuned.map(|bert| bert.network.clone()) }
}
