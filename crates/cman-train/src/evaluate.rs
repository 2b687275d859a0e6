//! Evaluation of a model on annotated sentences.

use cman_core::model::{Given, Prediction};
use cman_data::{DataError, EncodedSentence, Schema, Sentence};
use cman_model::{Model, annotate};
use cman_score::{ScoreError, Scores, score};

use crate::error::TrainError;

/// Default batch size of an evaluation.
pub const EVALUATION_BATCH: usize = 32;

/// The scores of a model, and its predictions.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The scores.
    pub scores: Scores,
    /// The sentences with predicted annotation.
    pub predicted: Vec<Sentence>,
}

impl Evaluation {
    /// Scores predictions for annotated sentences.
    pub(crate) fn of(gold: &[Sentence], predictions: &[Prediction], schema: &Schema) -> Result<Self, ScoreError> {
        let predicted: Vec<Sentence> =
            gold.iter().zip(predictions).map(|(sentence, found)| annotate(sentence, found, schema)).collect();
        Ok(Self { scores: score(gold, &predicted, schema)?, predicted })
    }
}

/// Scores a model on annotated sentences, in batches of `batch_size`. `gold_labels`: the relations see the gold tags
/// (Table 3).
///
/// # Errors
/// A sentence without tokens, or of a type that the model does not know.
pub fn evaluate(
    model: &Model,
    gold: &[Sentence],
    batch_size: usize,
    gold_labels: bool,
) -> Result<Evaluation, TrainError> {
    let encoded: Result<Vec<EncodedSentence>, DataError> =
        gold.iter().map(|sentence| model.vocabularies().encode(sentence, model.schema())).collect();
    let encoded = encoded?;
    let tags: Vec<Vec<u32>> = encoded.iter().map(|sentence| sentence.tags.clone()).collect();
    let given = if gold_labels { Given::Tags(&tags) } else { Given::Nothing };
    let predictions = model.predict_encoded(gold, &encoded, batch_size, given, model.predict_options())?;
    Ok(Evaluation::of(gold, &predictions, model.schema())?)
}
