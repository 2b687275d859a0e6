//! Sentences that are too long to be read as a whole are read in overlapping windows.

use std::{collections::HashMap, ops::Range};

use cman_core::{
    model::{Prediction, ScoredEntity},
    relation::ScoredRelation,
};
use cman_data::{Entity, Sentence, Span};

/// A part of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// Its tokens.
    pub tokens: Range<usize>,
    /// Those that lie farther from its cut edges than from those of the windows beside it. Every token is in one such range.
    own: Range<usize>,
}

/// The windows of a sentence of `n` tokens: evenly spaced, of at most `most` tokens, overlapping by a quarter or more.
pub(super) fn windows(n: usize, most: usize) -> Vec<Window> {
    if n <= most {
        return vec![Window { tokens: 0..n, own: 0..n }];
    }
    let overlap = most / 4;
    let count = (n - overlap).div_ceil(most - overlap);
    let start = |i: usize| i * (n - most) / (count - 1);
    // Half way through the overlap of the windows i and i + 1.
    let border = |i: usize| (start(i) + most + start(i + 1)) / 2;
    let window = |i| {
        let own = (if i == 0 { 0 } else { border(i - 1) })..(if i + 1 == count { n } else { border(i) });
        Window { tokens: start(i)..start(i) + most, own }
    };
    (0..count).map(window).collect()
}

impl Window {
    /// The part of the sentence in this window, with the entities that lie in it.
    pub(super) fn of(&self, sentence: &Sentence) -> Sentence {
        let Range { start, end } = self.tokens;
        let inside = sentence.entities.iter().filter(|entity| self.contains(entity.start, entity.end));
        let shifted = |entity: &Entity| Entity::new(&entity.kind, entity.start - start..entity.end - start);
        Sentence {
            id: sentence.id.clone(),
            text: None,
            tokens: sentence.tokens[start..end].to_vec(),
            entities: inside.map(shifted).collect(),
            relations: Vec::new(),
        }
    }

    fn contains(&self, start: usize, end: usize) -> bool {
        self.tokens.start <= start && end <= self.tokens.end
    }
}

/// Whether an entity lies in none of the windows.
pub(super) fn is_cut(entity: &Entity, windows: &[Window]) -> bool {
    !windows.iter().any(|window| window.contains(entity.start, entity.end))
}

/// Puts the predictions for the windows of a sentence together. Each window gives the entities that start among its own
/// tokens, unless they share a token with one of an earlier window. `given`: the entities of the sentence, in their order, if
/// they were given.
pub(super) fn merge(windows: &[Window], predictions: Vec<Prediction>, given: Option<&[Span]>) -> Prediction {
    let of_sentence = |window: &Window, span: &Span| {
        let shift = window.tokens.start;
        Span { start: span.start + shift, end: span.end + shift, kind: span.kind }
    };
    let mut tags = Vec::new();
    let mut entities: Vec<ScoredEntity> = Vec::new();
    // The entity in the window where it starts among its own tokens; else in the first that contains it.
    let mut found: HashMap<Span, (bool, f64)> = HashMap::new();
    for (window, prediction) in windows.iter().zip(&predictions) {
        let shift = window.tokens.start;
        tags.extend_from_slice(&prediction.tags[window.own.start - shift..window.own.end - shift]);
        for entity in &prediction.entities {
            let span = of_sentence(window, &entity.span);
            let is_own = window.own.contains(&span.start);
            let best = found.entry(span.clone()).or_insert((is_own, entity.probability));
            if is_own && !best.0 {
                *best = (true, entity.probability);
            }
            let is_free = |entities: &[ScoredEntity]| entities.last().is_none_or(|last| last.span.end <= span.start);
            if given.is_none() && is_own && is_free(&entities) {
                entities.push(ScoredEntity { span, probability: entity.probability });
            }
        }
    }
    if let Some(given) = given {
        let scored = |span: &Span| ScoredEntity { span: span.clone(), probability: found[span].1 };
        entities = given.iter().map(scored).collect();
    }
    let places: HashMap<Span, usize> =
        entities.iter().enumerate().map(|(i, entity)| (entity.span.clone(), i)).collect();
    let mut relations: HashMap<(usize, usize, usize), f64> = HashMap::new();
    for (window, prediction) in windows.iter().zip(&predictions) {
        let place = |entity: usize| places.get(&of_sentence(window, &prediction.entities[entity].span));
        for relation in &prediction.relations {
            if let (Some(&head), Some(&tail)) = (place(relation.head), place(relation.tail)) {
                let probability = relations.entry((head, tail, relation.kind)).or_default();
                *probability = probability.max(relation.probability);
            }
        }
    }
    let scored = |((head, tail, kind), probability)| ScoredRelation { head, tail, kind, probability };
    let mut relations: Vec<ScoredRelation> = relations.into_iter().map(scored).collect();
    relations.sort_by_key(|relation| (relation.head, relation.tail, relation.kind));
    Prediction { tags, entities, relations, n_best: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn windows_cover_the_sentence_and_share_its_tokens(n in 1usize..3000, most in 1usize..600) {
            let windows = windows(n, most);
            let mut next = 0;
            for window in &windows {
                prop_assert_eq!(window.own.start, next);
                prop_assert!(window.tokens.len() <= most && window.tokens.end <= n);
                prop_assert!(window.tokens.start <= window.own.start && window.own.end <= window.tokens.end);
                next = window.own.end;
            }
            prop_assert_eq!(next, n);
            for pair in windows.windows(2) {
                let overlap = pair[0].tokens.end.saturating_sub(pair[1].tokens.start);
                prop_assert!(overlap >= most / 4, "{pair:?}");
            }
        }
    }

    fn span(start: usize, end: usize) -> Span {
        Span { start, end, kind: 0 }
    }

    fn prediction(n: usize, spans: &[Span], relations: &[(usize, usize, f64)]) -> Prediction {
        let entity = |span: &Span| ScoredEntity { span: span.clone(), probability: 0.5 };
        let relation = |&(head, tail, probability): &_| ScoredRelation { head, tail, kind: 1, probability };
        Prediction {
            tags: vec![0; n],
            entities: spans.iter().map(entity).collect(),
            relations: relations.iter().map(relation).collect(),
            n_best: Vec::new(),
        }
    }

    #[test]
    fn each_window_gives_the_entities_that_start_among_its_own_tokens() {
        let windows = windows(12, 8);
        assert_eq!(
            windows.iter().map(|w| (w.tokens.clone(), w.own.clone())).collect::<Vec<_>>(),
            [(0..8, 0..6), (4..12, 6..12)]
        );
        // Token 5 is read by both; each gives what starts on its side of token 6.
        let first = prediction(8, &[span(1, 2), span(5, 7)], &[(0, 1, 0.6)]);
        let second = prediction(8, &[span(1, 3), span(2, 3), span(5, 6)], &[(0, 2, 0.7), (2, 0, 0.8)]);
        let merged = merge(&windows, vec![first, second], None);
        assert_eq!(
            merged.entities.iter().map(|e| e.span.clone()).collect::<Vec<_>>(),
            [span(1, 2), span(5, 7), span(9, 10)]
        );
        let relations: Vec<_> = merged.relations.iter().map(|r| (r.head, r.tail, r.probability)).collect();
        assert_eq!(relations, [(0, 1, 0.6), (1, 2, 0.7), (2, 1, 0.8)]);
        assert_eq!(merged.tags.len(), 12);
    }

    #[test]
    fn given_entities_keep_their_order() {
        let windows = windows(12, 8);
        let given = [span(9, 10), span(1, 2), span(5, 6)];
        let first = prediction(8, &[span(1, 2), span(5, 6)], &[]);
        let second = prediction(8, &[span(5, 6), span(1, 2)], &[(0, 1, 0.9)]);
        let merged = merge(&windows, vec![first, second], Some(&given));
        assert_eq!(merged.entities.iter().map(|e| e.span.clone()).collect::<Vec<_>>(), given);
        assert_eq!((merged.relations[0].head, merged.relations[0].tail), (0, 2));
        assert!(is_cut(&Entity::new("A", 2..10), &windows) && !is_cut(&Entity::new("A", 5..10), &windows));
    }
}
