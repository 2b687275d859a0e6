//! Predictions for many sentences, in batches of like length.

use burn::tensor::DType;
use cman_core::{
    Cman, TokenBatch,
    model::{PredictOptions, Prediction},
    on_host,
};
use cman_data::{EncodedSentence, Entity, Relation, Schema, Sentence};
use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};

use crate::batches;

/// What the network finds in each sentence, in their order; on the CPU, batches run side by side. The network must not
/// be on an autodiff device.
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
    let run = |batch: &Vec<usize>| {
        let members: Vec<&EncodedSentence> = batch.iter().map(|&i| &sentences[i]).collect();
        let tags: Vec<Vec<u32>> = members.iter().map(|sentence| sentence.tags.clone()).collect();
        let labels = gold_labels.then_some(tags.as_slice());
        network.predict(&TokenBatch::new(&members, &device), labels, options)
    };
    let batches = batches::sorted(&lengths, batch_size);
    let found: Vec<Vec<Prediction>> = if on_host(device.clone(), DType::F32) {
        batches.par_iter().with_max_len(1).map(run).collect()
    } else {
        batches.iter().map(run).collect()
    };
    let mut predictions: Vec<Option<Prediction>> = vec![None; sentences.len()];
    for (i, prediction) in batches.into_iter().flatten().zip(found.into_iter().flatten()) {
        predictions[i] = Some(prediction);
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
