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
    model::{PredictOptions, Prediction, Sizes},
};
use cman_data::{DataError, EncodedSentence, Schema, Sentence, Vocabularies};

use crate::{
    encoder::Encoder,
    error::ModelError,
    inference::{self, Batching},
    memory::{MemoryLimit, PredictionMemory},
    settings::Config,
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
        let max_memory = MemoryLimit::default();
        Self { config, schema, vocabularies, network, encoder, trained_words, max_memory }
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

    /// Predictions for these sentences. Annotation is ignored.
    ///
    /// # Errors
    /// A sentence without tokens, one that the encoder cannot read, or one that needs more memory than the limit allows.
    pub fn predict(&self, sentences: &[Sentence], batch_size: usize) -> Result<Vec<Prediction>, ModelError> {
        let encoded: Result<Vec<EncodedSentence>, DataError> =
            sentences.iter().map(|sentence| self.vocabularies.encode_tokens(sentence)).collect();
        self.predict_encoded(sentences, &encoded?, batch_size, false)
    }

    /// Predictions for sentences and their encoding by the vocabularies of the model. `gold_labels`: the relations see
    /// the encoded gold tags instead of the predicted ones (Table 3).
    ///
    /// # Errors
    /// A sentence that the encoder cannot read, or that needs more memory than the limit allows.
    pub fn predict_encoded(
        &self,
        sentences: &[Sentence],
        encoded: &[EncodedSentence],
        batch_size: usize,
        gold_labels: bool,
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
        inference::predict(&self.network, encoded, contextual, batching, self.options(), gold_labels)
    }

    fn options(&self) -> PredictOptions {
        PredictOptions::from(&self.config.model.relation)
    }
}

fn words(sentence: &Sentence) -> Vec<String> {
    sentence.words().map(str::to_owned).collect()
}
