//! A trained model: the network with its configuration, labels, vocabularies and encoder.

mod directory;
mod encoder;
mod files;
mod weights;

use burn::module::Module;
use burn_ragged::Mode;
use cman_core::{
    Cman,
    model::{PredictOptions, Prediction},
};
use cman_data::{DataError, EncodedSentence, Schema, Sentence, Vocabularies};

use crate::{encoder::Encoder, error::ModelError, inference, settings::Config};

/// A network with its configuration, labels and vocabularies.
#[derive(Clone, Debug)]
pub struct Model {
    config: Config,
    schema: Schema,
    vocabularies: Vocabularies,
    network: Cman,
    encoder: Option<Encoder>,
    trained_words: usize,
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
        Self { config, schema, vocabularies, network, encoder, trained_words }
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

    /// Predictions for these sentences. Annotation is ignored.
    ///
    /// # Errors
    /// A sentence without tokens, or one that the encoder cannot read.
    pub fn predict(&self, sentences: &[Sentence], batch_size: usize) -> Result<Vec<Prediction>, ModelError> {
        let encoded: Result<Vec<EncodedSentence>, DataError> =
            sentences.iter().map(|sentence| self.vocabularies.encode_tokens(sentence)).collect();
        self.predict_encoded(sentences, &encoded?, batch_size, false)
    }

    /// Predictions for sentences and their encoding by the vocabularies of the model. `gold_labels`: the relations see
    /// the encoded gold tags instead of the predicted ones (Table 3).
    ///
    /// # Errors
    /// A sentence that the encoder cannot read.
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
        inference::predict(&self.network, encoded, contextual, batch_size, self.options(), gold_labels)
    }

    fn options(&self) -> PredictOptions {
        PredictOptions::from(&self.config.model.relation)
    }
}

fn words(sentence: &Sentence) -> Vec<String> {
    sentence.words().map(str::to_owned).collect()
}
