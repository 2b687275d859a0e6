//! Makes a learner of a configuration and data.

use std::path::Path;

use burn::{module::Module, tensor::Device};
use burn_ragged::is_cpu;
use cman_core::{Cman, model::Sizes};
use cman_data::{TokenizerAgreement, Vocabularies};
use cman_model::{Batching, Config, Encoder, MemoryLimit, ModelError};

use super::{
    Learner,
    data::{EncodedData, EncoderInput, TrainingData},
    identity,
};
use crate::{
    checkpoint::Progress,
    error::TrainError,
    identity::{CurrentRun, RunIdentity, tied_to_epochs},
    memory::{TrainingMemory, dev_batch_size},
    observer::RunFacts,
    trainable::Trainable,
    word_vectors::WordVectors,
};

/// What a learner is made of: the data as they were read, and the settings that follow from them.
struct Prepared {
    config: Config,
    encoder: Option<Encoder>,
    vectors: Option<WordVectors>,
    encoded: EncodedData,
}

impl Prepared {
    fn new(
        mut config: Config,
        data: TrainingData,
        vectors: Option<&Path>,
        device: &Device,
    ) -> Result<Self, TrainError> {
        data.check()?;
        config.check()?;
        let encoder = open_encoder(&mut config, device)?;
        let mut vocabularies = Vocabularies::build(data.train, config.model.word.lowercase);
        let trained_words = vocabularies.words.len();
        let vectors = read_vectors(vectors, &mut config, &mut vocabularies)?;
        config.check()?;
        let encoded = EncodedData::new(data, vocabularies, trained_words)?;
        Ok(Self { config, encoder, vectors, encoded })
    }

    fn run(&self, data: TrainingData) -> CurrentRun {
        let encoder = self.encoder.as_ref().map(Encoder::identity);
        CurrentRun {
            identity: identity::of(&self.config, encoder, self.vectors.as_ref(), data, &self.encoded),
            hash: identity::hash(&self.config, encoder, &self.encoded),
            tied_to_epochs: tied_to_epochs(&self.config),
        }
    }
}

impl RunIdentity {
    /// The identity of the run of a [`Learner`] with these settings and data, found without making its network.
    ///
    /// # Errors
    /// As [`Learner::new`].
    pub fn of(config: Config, data: TrainingData, vectors: Option<&Path>, device: &Device) -> Result<Self, TrainError> {
        Ok(Prepared::new(config, data, vectors, device)?.run(data).identity)
    }
}

impl Learner {
    /// Builds the vocabularies and a new network for these data. `device` is without autodiff, which is added here.
    ///
    /// Word vectors determine `model.word.width`, an encoder determines `model.contextual`. A frozen encoder reads all
    /// sentences here, once.
    ///
    /// # Errors
    /// Data without training sentences or entity types; an invalid vector file or encoder; a sentence
    /// that cannot be encoded, or whose batch needs more memory than the system has left; a setting that is out of range.
    pub fn new(
        config: Config,
        data: TrainingData,
        vectors: Option<&Path>,
        device: &Device,
    ) -> Result<Self, TrainError> {
        Self::within(config, data, vectors, device, MemoryLimit::default())
    }

    /// [`new`](Self::new) with another limit of memory.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn within(
        config: Config,
        data: TrainingData,
        vectors: Option<&Path>,
        device: &Device,
        max_memory: MemoryLimit,
    ) -> Result<Self, TrainError> {
        let prepared = Prepared::new(config, data, vectors, device)?;
        let run = prepared.run(data);
        let Prepared { config, encoder, vectors, encoded } = prepared;
        let network_config = config.check()?;
        let sizes = Sizes {
            words: encoded.trained_words,
            characters: encoded.vocabularies.chars.len(),
            entities: data.schema.entities.len(),
            relations: data.schema.relations.len(),
        };
        let dev_batching = if is_cpu(device) {
            TrainingMemory { config: &config, sizes, encoder: encoder.as_ref() }.check(data, max_memory)?
        } else {
            Batching::new(dev_batch_size(&config))
        };
        let encoder = encoder.map(|encoder| EncoderInput::new(encoder, &config, data)).transpose()?;
        let device = device.clone().autodiff();
        let network = Cman::new(&network_config, sizes, config.seed, &device);
        let parameters = network.num_params();
        let pretrained_words = vectors.as_ref().map_or(0, WordVectors::n_pretrained);
        let weights = weights(network, vectors, encoder.as_ref().filter(|_| config.encoder.fine_tune));
        let facts = RunFacts {
            epochs_done: 0,
            sentences: encoded.train.len(),
            dev_sentences: encoded.dev.len(),
            tokenizer: TokenizerAgreement::of(config.data.tokenizer, data.train),
            trained_words: encoded.trained_words,
            pretrained_words,
            words: encoded.vocabularies.words.len(),
            characters: encoded.vocabularies.chars.len(),
            parameters,
            encoder: encoder.as_ref().map(|input| input.encoder.identity().clone()),
            encoder_parameters: weights.n_trained_encoder_parameters(),
            unrepresentable_entities: encoded.train.iter().map(|sentence| sentence.unrepresentable.entities).sum(),
            unrepresentable_relations: encoded.train.iter().map(|sentence| sentence.unrepresentable.relations).sum(),
        };
        Ok(Self {
            data: encoded,
            sizes,
            max_memory,
            dev_batching,
            encoder,
            weights,
            optimizer: Trainable::optimizer(config.encoder.weight_decay),
            device,
            facts,
            progress: Progress::default(),
            best: None,
            checkpoints: None,
            run,
            config,
        })
    }
}

/// Opens the encoder, with autodiff if it is fine-tuned, and sets the shape of the contextual input.
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

/// Reads the word vectors, sets the width of the word embeddings and adds words outside of the training data to the
/// vocabulary.
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

/// The weights to train: the network with its word vectors, and the encoder if it is fine-tuned.
fn weights(network: Cman, vectors: Option<WordVectors>, fine_tuned: Option<&EncoderInput>) -> Trainable {
    let network = match vectors {
        Some(vectors) => vectors.install(network),
        None => network,
    };
    let fine_tuned = fine_tuned.and_then(|input| input.encoder.as_bert());
    Trainable { network, contextual_encoder: fine_tuned.map(|bert| bert.network.clone()) }
}
