//! Inference (section 3.5): Viterbi tags, then relations between the entities they spell.

use burn::tensor::{Tensor, TensorData, activation::sigmoid};
use cman_data::{Span, Tag};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::Cman;
use crate::{
    batch::TokenBatch,
    crf::Lattice,
    gather::gather,
    mode::Mode,
    relation::{Ends, RelationConfig, ScoredRelation, candidates, decode},
};

/// Sentences that are decoded sooner than other threads are awake. On the CPU no batch is larger.
const FEW: usize = 8;

/// How predictions are read off the network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PredictOptions {
    /// Which tokens stand for an entity.
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
    /// Marginal probability that the CRF gives to these tags on these tokens, the entity ending there.
    pub probability: f64,
}

/// What the network finds in one sentence.
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
    let marginals = lattice.marginals();
    let typed: Vec<Tag> = tags.iter().map(|&tag| Tag::from_id(tag as usize)).collect();
    let entities = cman_data::decode(&typed).into_iter().map(|span| {
        let inside = Tag::Inside(span.kind).id() as u32;
        let probability = marginals.span(span.tokens(), &tags[span.tokens()], inside);
        ScoredEntity { span, probability }
    });
    Prediction { entities: entities.collect(), tags, relations: Vec::new() }
}

/// Of `x` `[batch, steps, 2d]` the tokens that are in pairs `(sentence, head, tail)`, side by side like one sentence
/// `[1, tokens, 2d]`, and the pairs there.
fn ends_alone(x: Tensor<3>, pairs: &[(usize, usize, usize)]) -> (Tensor<3>, Vec<(usize, usize, usize)>) {
    let [batch, steps, width] = x.dims();
    let mut tokens: Vec<usize> = pairs.iter().flat_map(|&(s, i, j)| [s * steps + i, s * steps + j]).collect();
    tokens.sort_unstable();
    tokens.dedup();
    let place = |token: usize| tokens.binary_search(&token).expect("a token of a pair");
    let pairs = pairs.iter().map(|&(s, i, j)| (0, place(s * steps + i), place(s * steps + j))).collect();
    let rows: Vec<i64> = tokens.iter().map(|&token| token as i64).collect();
    let rows = Tensor::from_data(TensorData::new(rows, [tokens.len()]), &x.device());
    (gather(x.reshape([batch * steps, width]), rows).unsqueeze(), pairs)
}

impl Cman {
    /// Entities and relations of every sentence. `labels` are the tags that the relation part reads: the Viterbi tags
    /// where `None`, or given ones (Table 3's gold labels). The model must not be on an autodiff device.
    pub fn predict(&self, batch: &TokenBatch, labels: Option<&[Vec<u32>]>, options: PredictOptions) -> Vec<Prediction> {
        let x = self.encode(self.embed(batch), batch, Mode::Evaluate);
        let lattices = self.crf.potentials(x.clone(), batch.lengths()).lattices(batch.lengths());
        let mut predictions: Vec<Prediction> = if lattices.len() > FEW {
            lattices.par_iter().map(entities).collect()
        } else {
            lattices.iter().map(entities).collect()
        };

        let spans = |p: &Prediction| p.entities.iter().map(|entity| entity.span.clone()).collect::<Vec<Span>>();
        let pairs: Vec<Vec<(usize, usize)>> = predictions.iter().map(|p| candidates(&spans(p), options.ends)).collect();
        let flat: Vec<(usize, usize, usize)> =
            pairs.iter().enumerate().flat_map(|(s, pairs)| pairs.iter().map(move |&(i, j)| (s, i, j))).collect();
        if flat.is_empty() {
            return predictions;
        }
        let viterbi: Vec<Vec<u32>> = predictions.iter().map(|p| p.tags.clone()).collect();
        let x = self.interact(x, labels.unwrap_or(&viterbi), batch, Mode::Evaluate);
        let (x, flat) = ends_alone(x, &flat);
        let n_tokens = x.dims()[1];
        let scores = sigmoid(self.relation.project(x, &[n_tokens]).scores(&flat));
        let n_outputs = scores.dims()[1];
        let probabilities: Vec<f64> = scores.try_into_vec_as().expect("the device gives its numbers back");
        let mut rest = probabilities.as_slice();
        for (prediction, pairs) in predictions.iter_mut().zip(&pairs) {
            let (own, others) = rest.split_at(pairs.len() * n_outputs);
            rest = others;
            let spans = spans(prediction);
            prediction.relations = decode(&spans, options.ends, own, n_outputs, self.n_relations(), options.threshold);
        }
        predictions
    }
}
