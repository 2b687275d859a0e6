//! The data of a run: given as sentences, then encoded for the network.

use burn::module::Module;
use cman_data::{DataError, EncodedSentence, Schema, Sentence, Vocabularies};
use cman_model::{Config, Encoder, ModelError, Signatures};

use crate::{contextual_cache::ContextualCache, error::TrainError};

/// The data of a run.
#[derive(Clone, Copy, Debug)]
pub struct TrainingData<'a> {
    /// The entity and relation types of all sentences.
    pub schema: &'a Schema,
    /// Training sentences.
    pub train: &'a [Sentence],
    /// Sentences for choosing the epoch. If empty, the last epoch is kept.
    pub dev: &'a [Sentence],
}

impl TrainingData<'_> {
    /// Refuses data without training sentences or entity types.
    pub(super) fn check(&self) -> Result<(), TrainError> {
        if self.train.is_empty() {
            return Err(TrainError::NoSentences { part: "training data", purpose: "learn from" });
        }
        if self.schema.entities.is_empty() {
            return Err(TrainError::NoTypes);
        }
        Ok(())
    }
}

/// The data of a run, encoded by its vocabularies.
pub(super) struct EncodedData {
    pub schema: Schema,
    pub vocabularies: Vocabularies,
    /// Number of words with a trained vector.
    pub trained_words: usize,
    pub train: Vec<EncodedSentence>,
    pub train_ids: Vec<String>,
    pub signatures: Signatures,
    pub dev: Vec<Sentence>,
    pub dev_encoded: Vec<EncodedSentence>,
}

impl EncodedData {
    pub fn new(data: TrainingData, vocabularies: Vocabularies, trained_words: usize) -> Result<Self, DataError> {
        let encode = |sentences: &[Sentence]| {
            sentences.iter().map(|sentence| vocabularies.encode(sentence, data.schema)).collect::<Result<Vec<_>, _>>()
        };
        Ok(Self {
            train: encode(data.train)?,
            train_ids: data.train.iter().map(|sentence| sentence.id.to_string()).collect(),
            signatures: Signatures::of(data.train),
            dev: data.dev.to_vec(),
            dev_encoded: encode(data.dev)?,
            schema: data.schema.clone(),
            vocabularies,
            trained_words,
        })
    }
}

/// The encoder of a run with its contextual vectors of the training and dev sentences.
pub(super) struct EncoderInput {
    pub encoder: Encoder,
    pub train: ContextualCache,
    pub dev: ContextualCache,
}

impl EncoderInput {
    /// Computes the contextual vectors of all sentences if the encoder is frozen in the first epoch.
    pub fn new(encoder: Encoder, config: &Config, data: TrainingData) -> Result<Self, ModelError> {
        // Cached vectors need no autodiff graph.
        let plain = encoder.as_bert().filter(|_| config.encoder.fine_tune).map(|bert| bert.network.valid());
        let plain = encoder.clone().with_weights(plain.as_ref());
        let cache = |sentences| ContextualCache::new(&plain, sentences, !config.encoder.is_trained_after(0));
        let (train, dev) = (cache(data.train)?, cache(data.dev)?);
        Ok(Self { encoder, train, dev })
    }
}
