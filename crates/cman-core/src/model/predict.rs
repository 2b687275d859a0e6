//! Inference (section 3.5): Viterbi tags, then relations between the entities they spell.

use std::ops::Range;

use burn::tensor::{Tensor, TensorData, activation::sigmoid};
use burn_ragged::{
    Layout, Mode, Ragged,
    crf::Lattice,
    gather::{Selection, gather},
    pairs::PairProjection,
    parallel,
};
use cman_data::{Span, Tag};

use super::Cman;
use crate::{
    batch::TokenBatch,
    relation::{Ends, RelationConfig, RelationScorer, ScoredRelation, candidates, decode, head_ranges},
};

/// Up to this many sentences, decoding takes less time than waking other threads.
const FEW: usize = 8;

/// Pairs of tokens that are scored together, unless a single entity has more. It bounds the memory of a long sentence with
/// many entities.
pub(super) const PAIRS: usize = 1 << 20;

/// How entities and relations are read from the scores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PredictOptions {
    /// Which tokens represent an entity.
    pub ends: Ends,
    /// A relation is predicted above this probability.
    pub threshold: f64,
    /// An entity is predicted from this probability on.
    pub entity_threshold: f64,
    /// Whether relations are predicted.
    pub relations: bool,
    /// Number of best tag sequences that are predicted beside the entities.
    pub n_best: usize,
}

/// What is known of the sentences of a batch, beside their tokens.
#[derive(Clone, Copy, Debug)]
pub enum Given<'a> {
    /// Nothing.
    Nothing,
    /// One tag per token, which the relations see in place of the Viterbi tags (Table 3's gold labels). Entities are
    /// predicted.
    Tags(&'a [Vec<u32>]),
    /// The entities, and one tag per token. Only relations are predicted. Entities may overlap; tags spell some of them.
    Entities(&'a [Vec<Span>], &'a [Vec<u32>]),
}

impl From<&RelationConfig> for PredictOptions {
    fn from(config: &RelationConfig) -> Self {
        let &RelationConfig { ends, threshold, .. } = config;
        Self { ends, threshold, entity_threshold: 0.0, relations: true, n_best: 0 }
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

/// A sequence of tags with its probability under the CRF.
#[derive(Clone, Debug, PartialEq)]
pub struct TagSequence {
    /// The entities that the tags spell.
    pub entities: Vec<Span>,
    /// The probability of the whole sequence.
    pub probability: f64,
}

/// Entities and relations of one sentence.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// The Viterbi tags, or the given ones.
    pub tags: Vec<u32>,
    /// Entities from left to right.
    pub entities: Vec<ScoredEntity>,
    /// Relations between them.
    pub relations: Vec<ScoredRelation>,
    /// The best sequences of tags ([`PredictOptions::n_best`]).
    pub n_best: Vec<TagSequence>,
}

/// The entities that tags spell.
fn decode_spans(tags: &[u32]) -> Vec<Span> {
    let typed: Vec<Tag> = tags.iter().map(|&tag| Tag::from_id(tag as usize)).collect();
    cman_data::decode(&typed)
}

/// The tags and entities of a sentence, given or decoded.
fn entities(lattice: &Lattice, given: Option<(&[Span], &[u32])>, options: &PredictOptions) -> Prediction {
    let (spans, tags) = match given {
        Some((spans, tags)) => (spans.to_vec(), tags.to_vec()),
        None => {
            let tags = lattice.viterbi();
            (decode_spans(&tags), tags)
        }
    };
    if spans.is_empty() && options.n_best == 0 {
        return Prediction { tags, entities: Vec::new(), relations: Vec::new(), n_best: Vec::new() };
    }
    let marginals = lattice.marginals();
    let scored = spans.into_iter().map(|span| {
        let inside = Tag::Inside(span.kind).id() as u32;
        let mut own = vec![inside; span.tokens().len()];
        own[0] = if given.is_none() { tags[span.start] } else { Tag::Begin(span.kind).id() as u32 };
        let probability = marginals.span(span.tokens(), &own, inside);
        ScoredEntity { span, probability }
    });
    let entities = scored.filter(|entity| given.is_some() || entity.probability >= options.entity_threshold).collect();
    let sequence = |tags: Vec<u32>| TagSequence {
        entities: decode_spans(&tags),
        probability: (lattice.score(&tags) - marginals.log_partition()).exp().min(1.0),
    };
    let n_best = lattice.n_best(options.n_best).into_iter().map(sequence).collect();
    Prediction { tags, entities, relations: Vec::new(), n_best }
}

impl Cman {
    /// Entities and relations of every sentence. The network must not be on an autodiff device.
    ///
    /// # Panics
    /// If what is given does not fit the sentences.
    pub fn predict(&self, batch: &TokenBatch, given: Given, options: PredictOptions) -> Vec<Prediction> {
        let x = self.encode(self.embed(batch), Mode::Evaluate);
        let lattices = self.crf.potentials(x.clone()).lattices();
        let mut predictions = decode_tags(&lattices, given, &options);
        let Some(scorer) = self.relation.as_ref().filter(|_| options.relations) else { return predictions };

        let spans: Vec<Vec<Span>> = predictions.iter().map(spans).collect();
        let blocks = blocks(&spans, options.ends);
        if blocks.is_empty() {
            return predictions;
        }
        let decoded: Vec<Vec<u32>> = predictions.iter().map(|p| p.tags.clone()).collect();
        let labels = if let Given::Tags(tags) = given { tags } else { &decoded };
        let tokens = PairTokens::new(&spans, options.ends);
        let projection = self.project_tokens(scorer, x, labels, &tokens);
        for block in blocks {
            let pairs: Vec<Vec<(usize, usize)>> = block
                .iter()
                .map(|(sentence, heads)| candidates(&spans[*sentence], heads.clone(), options.ends))
                .collect();
            let places = block.iter().zip(&pairs).flat_map(|((sentence, _), pairs)| tokens.places(*sentence, pairs));
            let scores = sigmoid(projection.scores(&places.collect::<Vec<_>>()));
            let n_outputs = scores.dims()[1];
            let probabilities: Vec<f64> = scores.try_into_vec_as().expect("the device returns the values");
            let mut rest = probabilities.as_slice();
            for ((sentence, heads), pairs) in block.into_iter().zip(&pairs) {
                let (own, others) = rest.split_at(pairs.len() * n_outputs);
                rest = others;
                let (n_relations, threshold) = (self.n_relations(), options.threshold);
                let found = decode(&spans[sentence], heads, options.ends, own, n_outputs, n_relations, threshold);
                predictions[sentence].relations.extend(found);
            }
        }
        predictions
    }

    /// The projections of the tokens of pairs, given the tags of every sentence. Sentences without a pair are left out, and
    /// the last attention is computed for the tokens of pairs alone.
    ///
    /// # Shapes
    /// - x: `[batch, steps, 2d]`
    fn project_tokens(
        &self,
        scorer: &RelationScorer,
        x: Ragged,
        tags: &[Vec<u32>],
        tokens: &PairTokens,
    ) -> PairProjection {
        let device = x.device();
        let x = select_sentences(x, &tokens.sentences);
        let layout = x.layout().clone();
        let tags = layout.pad(tokens.sentences.iter().map(|&s| &tags[s][..]), &device);
        let tokens = Selection::new(&tokens.tokens, &layout, &device);
        let x = match &self.labels {
            Some(labels) => labels.of_tokens(x, tags, &tokens),
            None => tokens.of(x),
        };
        scorer.project(x)
    }
}

/// The tokens that occur in pairs.
struct PairTokens {
    /// The sentences with pairs.
    sentences: Vec<usize>,
    /// The tokens of each of them, in order.
    tokens: Vec<Vec<usize>>,
}

impl PairTokens {
    fn new(spans: &[Vec<Span>], ends: Ends) -> Self {
        let sentences: Vec<usize> = (0..spans.len()).filter(|&s| spans[s].len() > 1).collect();
        let tokens = |&s: &usize| {
            let mut tokens: Vec<usize> = spans[s].iter().flat_map(|span| ends.tokens(span)).collect();
            tokens.sort_unstable();
            tokens.dedup();
            tokens
        };
        Self { tokens: sentences.iter().map(tokens).collect(), sentences }
    }

    /// The places (sentence, head, tail) of a sentence's pairs among these tokens.
    fn places(&self, sentence: usize, pairs: &[(usize, usize)]) -> impl Iterator<Item = (usize, usize, usize)> {
        let row = self.sentences.binary_search(&sentence).expect("a sentence with pairs");
        let place = move |token| self.tokens[row].binary_search(&token).expect("a token of a pair");
        pairs.iter().map(move |&(head, tail)| (row, place(head), place(tail)))
    }
}

/// The entities of a prediction.
fn spans(prediction: &Prediction) -> Vec<Span> {
    prediction.entities.iter().map(|entity| entity.span.clone()).collect()
}

/// Sentences, and ranges of their entities, whose pairs are scored together.
fn blocks(spans: &[Vec<Span>], ends: Ends) -> Vec<Vec<(usize, Range<usize>)>> {
    let mut blocks: Vec<Vec<(usize, Range<usize>)>> = Vec::new();
    let mut total = 0;
    for (sentence, spans) in spans.iter().enumerate() {
        for (heads, n_pairs) in head_ranges(spans, ends, PAIRS) {
            total += n_pairs;
            match blocks.last_mut() {
                Some(block) if total <= PAIRS => block.push((sentence, heads)),
                _ => {
                    blocks.push(vec![(sentence, heads)]);
                    total = n_pairs;
                }
            }
        }
    }
    blocks
}

/// Tags and entities of every sentence.
fn decode_tags(lattices: &[Lattice], given: Given, options: &PredictOptions) -> Vec<Prediction> {
    let of_sentence = |i: usize| match given {
        Given::Entities(spans, tags) => Some((&spans[i][..], &tags[i][..])),
        Given::Nothing | Given::Tags(_) => None,
    };
    let mut predictions = vec![None; lattices.len()];
    let tasks = lattices.iter().zip(&mut predictions).enumerate().collect();
    parallel::for_each(lattices.len() > FEW, tasks, |(i, (lattice, to)): (usize, (&Lattice, &mut Option<_>))| {
        *to = Some(entities(lattice, of_sentence(i), options));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_pairs_are_bounded_and_cover_every_head() {
        let spans = |n: usize| (0..n).map(|start| Span { start, end: start + 1, kind: 0 }).collect::<Vec<_>>();
        let few = [spans(3), spans(1), spans(2)];
        assert_eq!(blocks(&few, Ends::Last), [[(0, 0..3), (2, 0..2)]]);
        assert!(blocks(&few[1..2], Ends::Last).is_empty());
        let many = [spans(3), spans(1500), spans(2)];
        let blocks = blocks(&many, Ends::Last);
        assert_eq!(blocks.len(), 3);
        let n_pairs = |(sentence, heads): &(usize, Range<usize>)| heads.len() * (many[*sentence].len() - 1);
        assert!(blocks.iter().all(|block| block.iter().map(n_pairs).sum::<usize>() <= PAIRS));
        let heads =
            blocks.iter().flatten().flat_map(|(sentence, heads)| heads.clone().map(move |head| (*sentence, head)));
        let expected = [(0, 3), (1, 1500), (2, 2)].into_iter().flat_map(|(s, n)| (0..n).map(move |head| (s, head)));
        assert!(heads.eq(expected));
    }
}
