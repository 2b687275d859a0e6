//! The paired bootstrap on cases with a known distribution.

use cman_data::{Entity, Sentence};
use cman_score::{Bootstrap, Comparison, ScoreError};

/// Sentences of one token, with an entity where the value is true.
fn sentences(entities: &[bool]) -> Vec<Sentence> {
    let sentence = |&there: &bool| Sentence {
        entities: there.then(|| Entity::new("Loc", 0..1)).into_iter().collect(),
        ..Sentence::from_tokens("s", ["Oslo"])
    };
    entities.iter().map(sentence).collect()
}

fn compare(bootstrap: Bootstrap, a: &[bool], b: &[bool]) -> Comparison {
    bootstrap.compare(&sentences(&vec![true; a.len()]), &sentences(a), &sentences(b)).unwrap()
}

#[test]
fn two_sentences_have_three_outcomes() {
    // The first system predicts one of the two entities. Its F1 is 1, 2/3 or 0, with probability 1/4, 1/2 and 1/4; the
    // F1 of the second system is always 1. The observed difference is 1/3; 0 and 1 deviate from it by at least 1/3.
    let comparison = compare(Bootstrap::default(), &[true, false], &[true, true]);
    let strict = comparison.entities.strict;
    let third = 1.0 - 2.0 / 3.0;
    assert_eq!((strict.a.estimate, strict.a.low, strict.a.high), (2.0 / 3.0, 0.0, 1.0));
    assert_eq!((strict.b.estimate, strict.b.low, strict.b.high), (1.0, 1.0, 1.0));
    assert_eq!((strict.difference.estimate, strict.difference.low, strict.difference.high), (third, 0.0, 1.0));
    assert!((strict.p_value - 0.5).abs() < 0.02, "{}", strict.p_value);
    assert_eq!(comparison.entities.boundaries, strict);

    let narrow = compare(Bootstrap { confidence: 0.4, ..Bootstrap::default() }, &[true, false], &[true, true]);
    let difference = narrow.entities.strict.difference;
    assert_eq!((difference.low, difference.high), (third, third));
}

#[test]
fn equal_systems_do_not_differ() {
    let a: Vec<bool> = (0..50).map(|i| i % 3 == 0).collect();
    let comparison = compare(Bootstrap { resamples: 500, ..Bootstrap::default() }, &a, &a);
    let strict = comparison.entities.strict;
    assert_eq!((strict.difference.low, strict.difference.high, strict.p_value), (0.0, 0.0, 1.0));
    assert!(strict.a.low < strict.a.estimate && strict.a.estimate < strict.a.high);
    assert_eq!(strict.a, strict.b);
    assert_eq!(comparison.relations.strict.a.estimate, 0.0);
}

#[test]
fn a_clear_difference_is_significant() {
    let (a, b): (Vec<bool>, Vec<bool>) = (0..200).map(|i| (i % 2 == 0, i % 10 != 0)).unzip();
    let comparison = compare(Bootstrap { resamples: 1_000, ..Bootstrap::default() }, &a, &b);
    let difference = comparison.entities.strict.difference;
    assert!(difference.low > 0.0 && difference.high < 0.5, "{difference}");
    assert_eq!(comparison.entities.strict.p_value, 1.0 / 1_001.0);
}

#[test]
fn the_result_depends_on_the_seed() {
    let (a, b): (Vec<bool>, Vec<bool>) = (0..60).map(|i| (i % 2 == 0, i % 3 == 0)).unzip();
    let with = |seed| compare(Bootstrap { resamples: 200, seed, ..Bootstrap::default() }, &a, &b);
    assert_eq!(with(1), with(1));
    assert_ne!(with(1).entities, with(2).entities);
}

#[test]
fn settings_and_sentences_are_checked() {
    let gold = sentences(&[true]);
    let fails = |bootstrap: Bootstrap| bootstrap.compare(&gold, &gold, &gold).unwrap_err();
    let none = fails(Bootstrap { resamples: 0, ..Bootstrap::default() });
    assert_eq!(none.to_string(), "bootstrap: resamples: expected at least 1, found 0");
    for confidence in [0.0, 1.0, 95.0, f64::NAN] {
        let error = fails(Bootstrap { confidence, ..Bootstrap::default() });
        assert!(matches!(error, ScoreError::Bootstrap { field: "confidence", .. }), "{error}");
    }
    let error = Bootstrap::default().compare(&gold, &gold, &[]).unwrap_err();
    assert_eq!(error, ScoreError::SentenceCount { gold: 1, predicted: 0 });
}

#[test]
fn the_table_has_one_line_per_metric() {
    let comparison = compare(Bootstrap { resamples: 100, ..Bootstrap::default() }, &[false, false], &[true, true]);
    let text = comparison.to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "micro F1, 95% intervals from 100 resamples of 2 sentences (seed 0)");
    assert_eq!(lines.len(), 6);
    let words: Vec<&str> = lines[2].split_whitespace().collect();
    assert_eq!(words[..5], ["entities,", "strict", "0.00", "[0.00,", "0.00]"]);
    assert!(lines[5].starts_with("relations, boundaries"));
}
