//! A trained model: the network with its configuration, labels, vocabularies and encoder.

mod directory;
mod encoder;
mod files;
mod options;
mod weights;

pub use options::LoadOptions;

use burn::module::Module;
use burn_ragged::{Mode, is_cpu};
use cman_core::{
    Cman,
    model::{Given, PredictOptions, Prediction, Sizes},
};
use cman_data::{DataError, EncodedSentence, Schema, Sentence, Vocabularies};

use crate::{
    calibration::Calibration,
    encoder::Encoder,
    error::ModelError,
    inference::{self, Batching},
    memory::{MemoryLimit, PredictionMemory},
    settings::Config,
    signatures::Signatures,
};

/// A network with its configuration, labels and vocabularies.
#[derive(Clone, Debug)]
pub struct Model {
    config: Config,
    schema: Schema,
    vocabularies: Vocabularies,
    network: Cman,
    encoder: Option<Encoder>,
    trained_words: usize,
    signatures: Option<Signatures>,
    calibration: Calibration,
    max_memory: MemoryLimit,
}

impl Model {
    /// Makes a model of a network without autodiff that was made for these types and vocabularies. `trained_words` is
    /// the number of words with a trained vector.
    pub fn new(
        config: Config,
        schema: Schema,
        vocabularies: Vocabularies,
        network: Cman,
        encoder: Option<Encoder>,
        trained_words: usize,
    ) -> Self {
        Self {
            config,
            schema,
            vocabularies,
            network,
            encoder,
            trained_words,
            signatures: None,
            calibration: Calibration::default(),
            max_memory: MemoryLimit::default(),
        }
    }

    /// The same model with the signatures of its training data.
    pub fn with_signatures(self, signatures: Signatures) -> Self {
        Self { signatures: Some(signatures), ..self }
    }

    /// The same model with other temperatures of its confidences.
    pub fn with_calibration(self, calibration: Calibration) -> Self {
        Self { calibration, ..self }
    }

    /// The same model with another limit for the memory of predictions.
    pub fn with_memory_limit(self, max_memory: MemoryLimit) -> Self {
        Self { max_memory, ..self }
    }

    /// The same model with another network of the same shape.
    pub fn with_network(self, network: Cman) -> Self {
        Self { network, ..self }
    }

    /// The configuration of the training run.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Entity and relation types.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Words and characters.
    pub fn vocabularies(&self) -> &Vocabularies {
        &self.vocabularies
    }

    /// The network, without autodiff.
    pub fn network(&self) -> &Cman {
        &self.network
    }

    /// The contextual encoder, if the network takes contextual vectors.
    pub fn encoder(&self) -> Option<&Encoder> {
        self.encoder.as_ref()
    }

    /// Number of words with a trained vector.
    pub fn trained_words(&self) -> usize {
        self.trained_words
    }

    /// The signatures of the training data; `None` if the model was saved without them.
    pub fn signatures(&self) -> Option<&Signatures> {
        self.signatures.as_ref()
    }

    /// The temperatures of confidences.
    pub fn calibration(&self) -> Calibration {
        self.calibration
    }

    /// The limit for the memory of predictions.
    pub fn max_memory(&self) -> MemoryLimit {
        self.max_memory
    }

    /// Estimates the memory of predictions.
    pub fn prediction_memory(&self) -> PredictionMemory<'_> {
        let sizes = Sizes {
            words: self.trained_words,
            characters: self.vocabularies.chars.len(),
            entities: self.schema.entities.len(),
            relations: self.schema.relations.len(),
        };
        PredictionMemory { config: &self.config.model, sizes, encoder: self.encoder.as_ref() }
    }

    /// Checks that the prediction of a sentence fits into memory. On a GPU every sentence passes.
    ///
    /// # Errors
    /// [`ModelError::Memory`] if it does not fit; a sentence that the encoder refuses.
    pub fn check_memory(&self, sentence: &Sentence) -> Result<(), ModelError> {
        if self.is_on_cpu() {
            let sentences = std::slice::from_ref(sentence);
            self.prediction_memory().batching("input", sentences, 1, self.max_memory)?;
        }
        Ok(())
    }

    fn is_on_cpu(&self) -> bool {
        self.network.devices().first().is_some_and(is_cpu)
    }

    /// How the configuration reads entities and relations from the scores.
    pub fn predict_options(&self) -> PredictOptions {
        PredictOptions::from(&self.config.model.relation)
    }

    /// Predictions for these sentences. Annotation is ignored.
    ///
    /// # Errors
    /// A sentence without tokens, one that the encoder cannot read, or one that needs more memory than the limit allows.
    pub fn predict(&self, sentences: &[Sentence], batch_size: usize) -> Result<Vec<Prediction>, ModelError> {
        let encoded: Result<Vec<EncodedSentence>, DataError> =
            sentences.iter().map(|sentence| self.vocabularies.encode_tokens(sentence)).collect();
        self.predict_encoded(sentences, &encoded?, batch_size, Given::Nothing, self.predict_options())
    }

    /// Predictions for sentences and their encoding by the vocabularies of the model. `given` is what is known of the
    /// sentences.
    ///
    /// # Errors
    /// A sentence that the encoder cannot read, or that needs more memory than the limit allows.
    pub fn predict_encoded(
        &self,
        sentences: &[Sentence],
        encoded: &[EncodedSentence],
        batch_size: usize,
        given: Given,
        options: PredictOptions,
    ) -> Result<Vec<Prediction>, ModelError> {
        let devices = self.network.devices();
        let vectors = self.encoder.as_ref().zip(devices.first()).map(|(encoder, device)| {
            move |members: &[usize]| {
                let words: Vec<Vec<String>> = members.iter().map(|&i| words(&sentences[i])).collect();
                encoder.batch(&words.iter().map(Vec::as_slice).collect::<Vec<_>>(), Mode::Evaluate, device)
            }
        });
        let contextual = vectors.as_ref().map(|vectors| vectors as inference::ContextualVectors);
        let batching = if self.is_on_cpu() {
            self.prediction_memory().batching("input", sentences, batch_size, self.max_memory)?
        } else {
            Batching::new(batch_size)
        };
        inference::predict(&self.network, encoded, contextual, batching, given, options)
    }
}

fn words(sentence: &Sentence) -> Vec<String> {
    sentence.words().map(str::to_owned).collect()
}
