//! Inference (section 3.5): Viterbi tags, then relations between the entities they spell.

use burn::tensor::{Tensor, TensorData, activation::sigmoid};
use burn_ragged::{
    Layout, Mode, Ragged,
    crf::Lattice,
    gather::{Selection, gather},
    parallel,
};
use cman_data::{Span, Tag};

use super::Cman;
use crate::{
    batch::TokenBatch,
    relation::{Ends, RelationConfig, RelationScorer, ScoredRelation, candidates, decode},
};

/// Up to this many sentences, decoding takes less time than waking other threads.
const FEW: usize = 8;

/// How entities and relations are read from the scores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PredictOptions {
    /// Which tokens represent an entity.
    pub ends: Ends,
    /// A relation is predicted above this probability.
    pub threshold: f64,
}

impl From<&RelationConfig> for PredictOptions {
    fn from(config: &RelationConfig) -> Self {
        Self { ends: config.ends, threshold: config.threshold }
    }
}

/// An entity with its probability.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredEntity {
    /// Tokens and type.
    pub span: Span,
    /// Marginal probability under the CRF that these tokens have these tags and that the entity ends there.
    pub probability: f64,
}

/// Entities and relations of one sentence.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// The Viterbi tags.
    pub tags: Vec<u32>,
    /// Entities from left to right.
    pub entities: Vec<ScoredEntity>,
    /// Relations between them.
    pub relations: Vec<ScoredRelation>,
}

/// The tags of a sentence and the entities that they spell.
fn entities(lattice: &Lattice) -> Prediction {
    let tags = lattice.viterbi();
    let typed: Vec<Tag> = tags.iter().map(|&tag| Tag::from_id(tag as usize)).collect();
    let spans = cman_data::decode(&typed);
    let mut entities = Vec::with_capacity(spans.len());
    if !spans.is_empty() {
        let marginals = lattice.marginals();
        entities.extend(spans.into_iter().map(|span| {
            let inside = Tag::Inside(span.kind).id() as u32;
            let probability = marginals.span(span.tokens(), &tags[span.tokens()], inside);
            ScoredEntity { span, probability }
        }));
    }
    Prediction { entities, tags, relations: Vec::new() }
}

/// The tokens that are in these pairs, in order.
fn tokens_of(pairs: &[(usize, usize)]) -> Vec<usize> {
    let mut tokens: Vec<usize> = pairs.iter().flat_map(|&(i, j)| [i, j]).collect();
    tokens.sort_unstable();
    tokens.dedup();
    tokens
}

impl Cman {
    /// Entities and relations of every sentence. `labels` are the tags that the relations see: the Viterbi tags if `None`,
    /// or given tags (Table 3's gold labels). The network must not be on an autodiff device.
    ///
    /// # Panics
    /// If given labels are not one tag per token.
    pub fn predict(&self, batch: &TokenBatch, labels: Option<&[Vec<u32>]>, options: PredictOptions) -> Vec<Prediction> {
        let x = self.encode(self.embed(batch), Mode::Evaluate);
        let lattices = self.crf.potentials(x.clone()).lattices();
        let mut predictions = decode_tags(&lattices);
        let Some(scorer) = &self.relation else { return predictions };

        let spans = |p: &Prediction| p.entities.iter().map(|entity| entity.span.clone()).collect::<Vec<Span>>();
        let pairs: Vec<Vec<(usize, usize)>> = predictions.iter().map(|p| candidates(&spans(p), options.ends)).collect();
        if pairs.iter().all(Vec::is_empty) {
            return predictions;
        }
        let viterbi: Vec<Vec<u32>> = predictions.iter().map(|p| p.tags.clone()).collect();
        let scores = sigmoid(self.pair_scores(scorer, x, labels.unwrap_or(&viterbi), &pairs));
        let n_outputs = scores.dims()[1];
        let probabilities: Vec<f64> = scores.try_into_vec_as().expect("the device returns the values");
        let mut rest = probabilities.as_slice();
        for (prediction, pairs) in predictions.iter_mut().zip(&pairs) {
            let (own, others) = rest.split_at(pairs.len() * n_outputs);
            rest = others;
            let spans = spans(prediction);
            prediction.relations = decode(&spans, options.ends, own, n_outputs, self.n_relations(), options.threshold);
        }
        predictions
    }

    /// The scores of these pairs (head token, tail token) of every sentence, pair after pair, given its tags. Sentences
    /// without a pair are left out, and the last attention is computed for the tokens of pairs alone.
    ///
    /// # Shapes
    /// - x: `[batch, steps, 2d]`
    /// - output: `[pairs, relations]`
    ///
    /// # Panics
    /// If there is no pair.
    fn pair_scores(
        &self,
        scorer: &RelationScorer,
        x: Ragged,
        tags: &[Vec<u32>],
        pairs: &[Vec<(usize, usize)>],
    ) -> Tensor<2> {
        let device = x.device();
        let sentences: Vec<usize> = (0..pairs.len()).filter(|&s| !pairs[s].is_empty()).collect();
        let x = select_sentences(x, &sentences);
        let layout = x.layout().clone();
        let tags = layout.pad(sentences.iter().map(|&s| &tags[s][..]), &device);
        let tokens: Vec<Vec<usize>> = sentences.iter().map(|&s| tokens_of(&pairs[s])).collect();
        let mut places = Vec::new();
        for (b, (&s, tokens)) in sentences.iter().zip(&tokens).enumerate() {
            let place = |token| tokens.binary_search(&token).expect("a token of a pair");
            places.extend(pairs[s].iter().map(|&(head, tail)| (b, place(head), place(tail))));
        }
        let tokens = Selection::new(&tokens, &layout, &device);
        let x = match &self.labels {
            Some(labels) => labels.of_tokens(x, tags, &tokens),
            None => tokens.of(x),
        };
        scorer.project(x).scores(&places)
    }
}

/// Viterbi tags and entities of every sentence.
fn decode_tags(lattices: &[Lattice]) -> Vec<Prediction> {
    let mut predictions = vec![None; lattices.len()];
    let tasks = lattices.iter().zip(&mut predictions).collect();
    parallel::for_each(lattices.len() > FEW, tasks, |(lattice, to): (&Lattice, &mut Option<Prediction>)| {
        *to = Some(entities(lattice));
    });
    predictions.into_iter().map(|prediction| prediction.expect("every sentence is decoded")).collect()
}

/// These sentences of a batch.
fn select_sentences(x: Ragged, sentences: &[usize]) -> Ragged {
    let layout = x.layout().clone();
    if sentences.len() == layout.batch_size() {
        return x;
    }
    let (steps, width, device) = (layout.steps(), x.width(), x.device());
    let rows: Vec<i64> = sentences.iter().map(|&s| s as i64).collect();
    let rows = Tensor::from_data(TensorData::new(rows, [sentences.len()]), &device);
    let selected = gather(x.into_values().reshape([layout.batch_size(), steps * width]), rows);
    let lengths = sentences.iter().map(|&s| layout.lengths()[s]).collect();
    Ragged::new(selected.reshape([sentences.len(), steps, width]), Layout::with_steps(lengths, steps))
}
