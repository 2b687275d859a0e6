//! What the service needs of a model.

use cman_model::{Document, ExtractOptions, Extractor, GivenEntity, ModelError, TokenizedText};
use serde::Serialize;
use utoipa::ToSchema;

/// A model that the service runs. [`Extractor`] is one.
///
/// [`prepare`](Self::prepare) runs in many threads at once, [`read`](Self::read) in the thread of the queue alone.
pub trait Engine: Send + Sync + 'static {
    /// What `/info` says about the model.
    fn info(&self) -> ModelInfo;

    /// Checks a text and its options, and cuts it into tokens. `entities`: those whose relations are wanted.
    ///
    /// # Errors
    /// Options, entities or a text that the model cannot read.
    fn prepare(
        &self,
        text: String,
        options: &ExtractOptions,
        entities: Option<&[GivenEntity]>,
    ) -> Result<TokenizedText, ModelError>;

    /// Reads prepared texts with the options with which they were prepared.
    ///
    /// # Errors
    /// Texts that cannot be read together, such as for lack of memory. They are then read one by one.
    fn read(&self, options: &ExtractOptions, texts: &[&TokenizedText]) -> Result<Vec<Document>, ModelError>;
}

/// What a model can extract.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ModelInfo {
    /// Entity types.
    pub entities: Vec<String>,
    /// Relation types.
    pub relations: Vec<String>,
    /// How texts are cut into tokens.
    pub tokenizer: String,
    /// The threshold of relations if a request gives none.
    pub relation_threshold: f64,
    /// Whether requests can ask for the signatures of the training data (`"signatures": "trained"`).
    pub signatures: bool,
}

impl Engine for Extractor {
    fn info(&self) -> ModelInfo {
        let model = self.model();
        ModelInfo {
            entities: model.schema().entities.names().to_vec(),
            relations: model.schema().relations.names().to_vec(),
            tokenizer: model.config().data.tokenizer.to_string(),
            relation_threshold: model.calibration().relation(model.config().model.relation.threshold),
            signatures: model.signatures().is_some(),
        }
    }

    fn prepare(
        &self,
        text: String,
        options: &ExtractOptions,
        entities: Option<&[GivenEntity]>,
    ) -> Result<TokenizedText, ModelError> {
        let extractor = self.with_options(options.clone())?;
        match entities {
            None => extractor.tokenize(text),
            Some(entities) => extractor.tokenize_with(text, entities),
        }
    }

    fn read(&self, options: &ExtractOptions, texts: &[&TokenizedText]) -> Result<Vec<Document>, ModelError> {
        self.with_options(options.clone())?.extract_tokenized(texts)
    }
}
