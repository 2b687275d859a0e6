//! From scores of token pairs to relations between predicted entities.

use std::ops::Range;

use cman_data::Span;
use serde::{Deserialize, Serialize};

/// Which tokens represent a predicted entity when its relations are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ends {
    /// Its last token.
    #[default]
    Last,
    /// Every token of it. One pair above the threshold is enough, as in the multi-head scorer.
    Any,
}

/// A relation between two entities of a sentence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoredRelation {
    /// First argument: index in the list of entities.
    pub head: usize,
    /// Second argument: index in the list of entities.
    pub tail: usize,
    /// Relation type.
    pub kind: usize,
    /// Probability (eq. 10); with [`Ends::Any`] the highest of the arguments' token pairs.
    pub probability: f64,
}

/// The pairs of tokens (head token, tail token) whose scores [`decode`] needs, for the entities `spans` of a sentence.
/// The first argument is one of the entities `heads`. An entity is never related to itself.
pub fn candidates(spans: &[Span], heads: Range<usize>, ends: Ends) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    for_each_pair(spans, heads, ends, |_, _, head, tail| pairs.push((head, tail)));
    pairs
}

/// The entities `0..spans.len()` in ranges of heads. The [`candidates`] of a range are at most `most`, unless its only
/// head has more. A single entity has none.
pub(crate) fn head_ranges(spans: &[Span], ends: Ends, most: usize) -> Vec<(Range<usize>, usize)> {
    let n_tokens: usize = spans.iter().map(|span| ends.tokens(span).len()).sum();
    let mut ranges: Vec<(Range<usize>, usize)> = Vec::new();
    for (head, span) in spans.iter().enumerate().filter(|_| spans.len() > 1) {
        let n_own = ends.tokens(span).len();
        let n_pairs = n_own * (n_tokens - n_own);
        match ranges.last_mut() {
            Some((heads, total)) if *total + n_pairs <= most => (heads.end, *total) = (head + 1, *total + n_pairs),
            _ => ranges.push((head..head + 1, n_pairs)),
        }
    }
    ranges
}

/// The relations of the entities `heads` whose probability exceeds `threshold`, ordered by head, tail and type.
///
/// `probabilities` holds those of the [`candidates`], pair after pair, with `n_outputs` values per pair. The first
/// `n_relations` of them are relations.
pub fn decode(
    spans: &[Span],
    heads: Range<usize>,
    ends: Ends,
    probabilities: &[f64],
    n_outputs: usize,
    n_relations: usize,
    threshold: f64,
) -> Vec<ScoredRelation> {
    let mut relations: Vec<ScoredRelation> = Vec::new();
    let mut rows = probabilities.chunks(n_outputs);
    for_each_pair(spans, heads, ends, |head, tail, _, _| {
        let row = rows.next().expect("a row of probabilities per candidate");
        for (kind, &probability) in row[..n_relations].iter().enumerate() {
            if probability <= threshold {
                continue;
            }
            // The token pairs of two entities follow each other.
            let mut of_pair = relations.iter_mut().rev().take_while(|r| (r.head, r.tail) == (head, tail));
            match of_pair.find(|r| r.kind == kind) {
                Some(relation) => relation.probability = relation.probability.max(probability),
                None => relations.push(ScoredRelation { head, tail, kind, probability }),
            }
        }
    });
    relations.sort_by_key(|r| (r.head, r.tail, r.kind));
    relations
}

impl Ends {
    /// The tokens that represent an entity.
    pub(crate) fn tokens(self, span: &Span) -> Range<usize> {
        match self {
            Self::Last => span.end - 1..span.end,
            Self::Any => span.tokens(),
        }
    }
}

/// Calls `f(head entity, tail entity, head token, tail token)` for every candidate, in a fixed order.
fn for_each_pair(spans: &[Span], heads: Range<usize>, ends: Ends, mut f: impl FnMut(usize, usize, usize, usize)) {
    for (head, head_span) in spans.iter().enumerate().take(heads.end).skip(heads.start) {
        for (tail, tail_span) in spans.iter().enumerate().filter(|&(tail, _)| tail != head) {
            for i in ends.tokens(head_span) {
                for j in ends.tokens(tail_span) {
                    f(head, tail, i, j);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans() -> [Span; 3] {
        [Span { start: 0, end: 2, kind: 0 }, Span { start: 3, end: 4, kind: 1 }, Span { start: 5, end: 7, kind: 1 }]
    }

    /// Probabilities that tell every (head token, tail token, relation) apart.
    fn probability(head: usize, tail: usize, kind: usize) -> f64 {
        ((head * 31 + tail * 17 + kind * 7) % 23) as f64 / 23.0
    }

    #[test]
    fn relations_of_the_candidates_equal_those_of_the_full_table() {
        for ends in [Ends::Last, Ends::Any] {
            let spans = spans();
            let rows: Vec<f64> = candidates(&spans, 0..3, ends)
                .into_iter()
                .flat_map(|(i, j)| (0..2).map(move |k| probability(i, j, k)))
                .collect();
            let found = decode(&spans, 0..3, ends, &rows, 2, 2, 0.5);
            let mut expected = Vec::new();
            for (a, head) in spans.iter().enumerate() {
                for (b, tail) in spans.iter().enumerate() {
                    for kind in 0..2 {
                        let inside = |span: &Span, t: usize| match ends {
                            Ends::Last => t + 1 == span.end,
                            Ends::Any => span.tokens().contains(&t),
                        };
                        let best = (0..7)
                            .flat_map(|i| (0..7).map(move |j| (i, j)))
                            .filter(|&(i, j)| a != b && inside(head, i) && inside(tail, j))
                            .map(|(i, j)| probability(i, j, kind))
                            .fold(0.0, f64::max);
                        if best > 0.5 {
                            expected.push(ScoredRelation { head: a, tail: b, kind, probability: best });
                        }
                    }
                }
            }
            assert_eq!(found, expected, "{ends:?}");
        }
    }

    #[test]
    fn ranges_of_heads_cover_all_candidates() {
        assert_eq!(head_ranges(&spans()[..1], Ends::Last, 9), []);
        for ends in [Ends::Last, Ends::Any] {
            let (spans, all) = (spans(), candidates(&spans(), 0..3, ends));
            for most in 1..=all.len() {
                let ranges = head_ranges(&spans, ends, most);
                let parts = ranges.iter().map(|(heads, n)| (candidates(&spans, heads.clone(), ends), *n));
                let parts: Vec<_> = parts.collect();
                assert!(
                    parts
                        .iter()
                        .zip(&ranges)
                        .all(|((part, n), (heads, _))| { part.len() == *n && (*n <= most || heads.len() == 1) })
                );
                assert_eq!(parts.into_iter().flat_map(|(part, _)| part).collect::<Vec<_>>(), all);
            }
            assert_eq!(head_ranges(&spans, ends, all.len()), [(0..3, all.len())]);
        }
    }
}
