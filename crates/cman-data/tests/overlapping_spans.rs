//! Which of several overlapping spans become tags: longer ones first, then earlier ones, then lower types.

use cman_data::{
    EncodedRelation, Entity, LabelSet, Relation, Schema, Sentence, Span, Tag, Unrepresentable, Vocabularies, decode,
    encode,
};
use proptest::prelude::*;

fn span(start: usize, end: usize, kind: usize) -> Span {
    Span { start, end, kind }
}

/// The spans that are written, whichever way the list is ordered.
fn kept(mut spans: Vec<Span>) -> Vec<Span> {
    let (tags, written) = encode(&spans, 6);
    let flagged: Vec<Span> =
        spans.iter().zip(&written).filter(|(_, written)| **written).map(|(s, _)| s.clone()).collect();
    spans.reverse();
    let (reversed_tags, mut reversed_written) = encode(&spans, 6);
    reversed_written.reverse();
    assert_eq!((&tags, &written), (&reversed_tags, &reversed_written), "the order of the list decides nothing");
    let mut in_order = flagged;
    in_order.sort();
    assert_eq!(decode(&tags), in_order, "the flags say what the tags hold");
    in_order
}

#[test]
fn of_two_overlapping_spans_the_longer_one_is_written() {
    assert_eq!(kept(vec![span(0, 2, 0), span(1, 4, 0)]), [span(1, 4, 0)], "the longer one starts later");
    assert_eq!(kept(vec![span(0, 3, 1), span(2, 4, 0)]), [span(0, 3, 1)], "the longer one has the higher type");
    assert_eq!(kept(vec![span(2, 3, 0), span(1, 4, 1)]), [span(1, 4, 1)], "the longer one contains the other");
}

#[test]
fn of_two_spans_of_one_length_the_earlier_one_is_written() {
    assert_eq!(kept(vec![span(0, 2, 1), span(1, 3, 0)]), [span(0, 2, 1)]);
    assert_eq!(kept(vec![span(0, 2, 0), span(1, 3, 0), span(2, 4, 0)]), [span(0, 2, 0), span(2, 4, 0)]);
}

#[test]
fn of_two_types_of_one_span_the_lower_one_is_written() {
    assert_eq!(kept(vec![span(1, 3, 0), span(1, 3, 1)]), [span(1, 3, 0)]);
    assert_eq!(kept(vec![span(5, 6, 2), span(5, 6, 1)]), [span(5, 6, 1)]);
}

#[test]
fn a_span_that_was_left_out_blocks_no_other() {
    // 1..3 overlaps 2..5 and is left out, so 0..2 is free.
    assert_eq!(kept(vec![span(0, 2, 0), span(1, 3, 0), span(2, 5, 0)]), [span(0, 2, 0), span(2, 5, 0)]);
}

#[test]
fn spans_that_touch_are_both_written() {
    assert_eq!(kept(vec![span(0, 2, 0), span(2, 5, 0)]), [span(0, 2, 0), span(2, 5, 0)]);
    let (tags, _) = encode(&[span(0, 1, 0), span(1, 2, 0)], 3);
    assert_eq!(tags, [Tag::Begin(0), Tag::Begin(0), Tag::Outside]);
}

#[test]
#[should_panic(expected = "span 2..2 of type 0 in a sentence of 3 tokens")]
fn an_empty_span_is_a_mistake_of_the_caller() {
    encode(&[span(2, 2, 0)], 3);
}

#[test]
#[should_panic(expected = "span 2..4 of type 0 in a sentence of 3 tokens")]
fn a_span_beyond_the_sentence_is_a_mistake_of_the_caller() {
    encode(&[span(2, 4, 0)], 3);
}

#[test]
fn a_sentence_keeps_the_relations_of_the_spans_that_are_written() {
    let schema = Schema { entities: LabelSet::from_iter(["A", "B"]), relations: LabelSet::from_iter(["R"]) };
    let mut sentence = Sentence::from_tokens("1", ["a", "b", "c", "d", "e"]);
    // Equal lengths: 0..2 comes before 1..3. Equal places: A comes before B.
    sentence.entities =
        vec![Entity::new("A", 1..3), Entity::new("B", 0..2), Entity::new("B", 4..5), Entity::new("A", 4..5)];
    sentence.relations = vec![Relation::new("R", 3, 1), Relation::new("R", 0, 3), Relation::new("R", 1, 2)];
    let encoded = Vocabularies::build(&[sentence.clone()], true).encode(&sentence, &schema).unwrap();
    let ids = [Tag::Begin(1), Tag::Inside(1), Tag::Outside, Tag::Outside, Tag::Begin(0)].map(|tag| tag.id() as u32);
    assert_eq!(encoded.tags, ids);
    assert_eq!(encoded.relations, [EncodedRelation { head: 4, tail: 1, kind: 0 }]);
    assert_eq!(encoded.unrepresentable, Unrepresentable { entities: 2, relations: 2 });
}

proptest! {
    /// These two rules allow one result only.
    #[test]
    fn a_span_is_left_out_exactly_if_one_that_comes_first_takes_a_token_of_it(
        parts in prop::collection::vec((0usize..8, 1usize..5, 0usize..3), 0..8)
    ) {
        let spans: Vec<Span> = parts.into_iter().map(|(start, length, kind)| span(start, start + length, kind)).collect();
        let (_, written) = encode(&spans, 12);
        let overlaps = |a: &Span, b: &Span| a.start < b.end && b.start < a.end;
        let is_first = |i: usize, j: usize| {
            let (a, b) = (&spans[i], &spans[j]);
            let (a_length, b_length) = (a.end - a.start, b.end - b.start);
            if a_length != b_length { a_length > b_length } else { (a.start, a.kind, i) < (b.start, b.kind, j) }
        };
        for j in 0..spans.len() {
            let blocked = (0..spans.len()).any(|i| i != j && written[i] && is_first(i, j) && overlaps(&spans[i], &spans[j]));
            prop_assert_eq!(written[j], !blocked, "span {} of {:?}", j, &spans);
        }
    }
}
