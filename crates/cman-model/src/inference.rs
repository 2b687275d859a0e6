//! Prediction in batches of sentences of similar length.

use burn::tensor::Tensor;
use burn_ragged::is_cpu;
use cman_core::{
    Cman, TokenBatch,
    model::{Given, PredictOptions, Prediction},
};
use cman_data::{EncodedSentence, Entity, Relation, Schema, Sentence};
use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};

use crate::{
    batches::{self, Limits},
    error::ModelError,
};

/// Returns the contextual vectors of the sentences with these indices. `[batch, steps, layers, width]`
pub type ContextualVectors<'a> = &'a (dyn Fn(&[usize]) -> Result<Tensor<4>, ModelError> + Sync);

/// Most tokens per batch, padding included. The memory of attention grows with the square of the sentence length.
const BATCH_TOKENS: usize = 8192;

/// Most sentences per batch on the CPU: enough for efficient products, few enough to keep all cores busy with a few
/// dozen sentences.
const CPU_BATCH: usize = 8;

/// The batches of a prediction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batching {
    /// Most sentences per batch. A batch has fewer on the CPU or if they are long.
    pub size: usize,
    /// Whether batches run in parallel on the CPU. If not, each has the memory to itself.
    pub parallel: bool,
}

impl Batching {
    /// Batches of at most `size` sentences, in parallel.
    pub fn new(size: usize) -> Self {
        Self { size, parallel: true }
    }
}

/// Cuts sentences of these lengths into batches, from the shortest to the longest.
pub(crate) fn batches(lengths: &[usize], size: usize, is_cpu: bool) -> Vec<Vec<usize>> {
    let sentences = if is_cpu { size.min(CPU_BATCH) } else { size };
    batches::sorted(lengths, Limits { sentences, tokens: BATCH_TOKENS })
}

/// Predictions for these sentences, in their order. The network must not be on an autodiff device.
///
/// `contextual` is required if the network takes contextual vectors. `given` is what is known of all the sentences.
///
/// # Errors
/// Those of `contextual`.
pub fn predict(
    network: &Cman,
    sentences: &[EncodedSentence],
    contextual: Option<ContextualVectors>,
    batching: Batching,
    given: Given,
    options: PredictOptions,
) -> Result<Vec<Prediction>, ModelError> {
    let Some(device) = burn::module::Module::devices(network).first().cloned() else { return Ok(Vec::new()) };
    let lengths: Vec<usize> = sentences.iter().map(|sentence| sentence.words.len()).collect();
    let run = |batch: &Vec<usize>| {
        let members: Vec<&EncodedSentence> = batch.iter().map(|&i| &sentences[i]).collect();
        let mut tokens = TokenBatch::new(&members, &device);
        if let Some(contextual) = contextual {
            tokens = tokens.with_contextual(contextual(batch)?);
        }
        Ok(match given {
            Given::Nothing => network.predict(&tokens, Given::Nothing, options),
            Given::Tags(tags) => network.predict(&tokens, Given::Tags(&select(tags, batch)), options),
            Given::Entities(spans, tags) => {
                let (spans, tags) = (select(spans, batch), select(tags, batch));
                network.predict(&tokens, Given::Entities(&spans, &tags), options)
            }
        })
    };
    let is_cpu = is_cpu(&device);
    let batches = batches(&lengths, batching.size, is_cpu);
    let found: Vec<Vec<Prediction>> = if is_cpu && batching.parallel {
        batches.par_iter().with_max_len(1).map(run).collect::<Result<_, ModelError>>()?
    } else {
        batches.iter().map(run).collect::<Result<_, ModelError>>()?
    };
    let mut predictions: Vec<Option<Prediction>> = vec![None; sentences.len()];
    for (i, prediction) in batches.into_iter().flatten().zip(found.into_iter().flatten()) {
        predictions[i] = Some(prediction);
    }
    Ok(predictions.into_iter().map(|prediction| prediction.expect("every sentence is in a batch")).collect())
}

/// What is given of the sentences of a batch.
fn select<T: Clone>(all: &[T], batch: &[usize]) -> Vec<T> {
    batch.iter().map(|&i| all[i].clone()).collect()
}

/// The sentence with the prediction as its annotation.
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
