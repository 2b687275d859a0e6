//! Predictions for many sentences, in batches of like length.

use cman_core::{
    Cman, TokenBatch,
    model::{PredictOptions, Prediction},
};
use cman_data::{EncodedSentence, Entity, Relation, Schema, Sentence};

use crate::{
    batches,
    scoring::{self, ScoreError, Scores},
};

/// What the network finds in each sentence, in their order. The network must not be on an autodiff device.
///
/// `gold_labels`: the relations see the sentences' own tags instead of the predicted ones (Table 3).
pub fn predict(
    network: &Cman,
    sentences: &[EncodedSentence],
    batch_size: usize,
    options: PredictOptions,
    gold_labels: bool,
) -> Vec<Prediction> {
    let Some(device) = burn::module::Module::devices(network).first().cloned() else { return Vec::new() };
    let lengths: Vec<usize> = sentences.iter().map(|sentence| sentence.words.len()).collect();
    let mut predictions: Vec<Option<Prediction>> = vec![None; sentences.len()];
    for batch in batches::sorted(&lengths, batch_size) {
        let members: Vec<&EncodedSentence> = batch.iter().map(|&i| &sentences[i]).collect();
        let tags: Vec<Vec<u32>> = members.iter().map(|sentence| sentence.tags.clone()).collect();
        let labels = gold_labels.then_some(tags.as_slice());
        let found = network.predict(&TokenBatch::new(&members, &device), labels, options);
        for (i, prediction) in batch.into_iter().zip(found) {
            predictions[i] = Some(prediction);
        }
    }
    predictions.into_iter().map(|prediction| prediction.expect("every sentence is in a batch")).collect()
}

/// The sentence with what was predicted in place of its annotation.
pub fn annotate(sentence: &Sentence, prediction: &Prediction, schema: &Schema) -> Sentence {
    let entity = |entity: &cman_core::model::ScoredEntity| {
        Entity::new(schema.entities.name(entity.span.kind), entity.span.tokens())
    };
    let relation = |relation: &cman_core::relation::ScoredRelation| {
        Relation::new(schema.relations.name(relation.kind), relation.head, relation.tail)
    };
    Sentence {
        entities: prediction.entities.iter().map(entity).collect(),
        relations: prediction.relations.iter().map(relation).collect(),
        ..sentence.clone()
    }
}

/// The scores of the network on annotated sentences, which stand encoded beside them, and the sentences as predicted.
pub(crate) fn evaluate(
    network: &Cman,
    (gold, encoded): (&[Sentence], &[EncodedSentence]),
    schema: &Schema,
    batch_size: usize,
    options: PredictOptions,
    gold_labels: bool,
) -> Result<(Scores, Vec<Sentence>), ScoreError> {
    let found = predict(network, encoded, batch_size, options, gold_labels);
    let predicted: Vec<Sentence> =
        gold.iter().zip(&found).map(|(sentence, found)| annotate(sentence, found, schema)).collect();
    Ok((scoring::score(gold, &predicted, schema)?, predicted))
}
