//! The scorers against a second implementation in Python (`scoring/reference.py`) on 10,000 random sentences.

use std::path::Path;

use cman_data::{Entity, Relation, Schema, Sentence, Tag, decode};
use cman_score::{Bootstrap, Definition, Difference, Prf, Section, chunk_relations, score_as};
use serde_json::Value;

const ENTITIES: [&str; 4] = ["Loc", "Peop", "Other", "Undeclared"];
const RELATIONS: [&str; 3] = ["Kill", "Live_In", "Met"];

fn schema() -> Schema {
    Schema { entities: ENTITIES[..3].iter().copied().collect(), relations: RELATIONS[..2].iter().copied().collect() }
}

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scoring").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-12
}

fn triples(value: &Value) -> impl Iterator<Item = [usize; 3]> {
    serde_json::from_value::<Vec<_>>(value.clone()).unwrap().into_iter()
}

fn annotate(n: usize, entities: &Value, relations: &Value) -> Sentence {
    let tokens = (0..n).map(|i| i.to_string());
    Sentence {
        entities: triples(entities).map(|[kind, start, end]| Entity::new(ENTITIES[kind], start..end)).collect(),
        relations: triples(relations).map(|[label, head, tail]| Relation::new(RELATIONS[label], head, tail)).collect(),
        ..Sentence::from_tokens("random", tokens)
    }
}

/// The prediction of a tagger: tags, and labelled pairs of tokens.
fn from_tags(n: usize, tags: &Value, pairs: &Value) -> Sentence {
    let ids: Vec<usize> = serde_json::from_value(tags.clone()).unwrap();
    let tags: Vec<Tag> = ids.into_iter().map(Tag::from_id).collect();
    let entities: Vec<Entity> =
        decode(&tags).into_iter().map(|span| Entity::new(ENTITIES[span.kind], span.tokens())).collect();
    let pairs = triples(pairs).map(|[head, label, tail]| (head, RELATIONS[label], tail));
    let none = Value::Array(Vec::new());
    Sentence { relations: chunk_relations(&entities, pairs), entities, ..annotate(n, &none, &none) }
}

/// Gold and predicted sentences of one stored corpus.
fn corpus(case: &Value) -> (Vec<Sentence>, Vec<Sentence>) {
    let sentences = case["s"].as_array().unwrap().iter().map(|sentence| {
        let n = sentence[0].as_u64().unwrap() as usize;
        let (gold, predicted) = (annotate(n, &sentence[1], &sentence[2]), &sentence[3]);
        let predicted = match predicted.get("t") {
            Some(tags) => from_tags(n, tags, &predicted["p"]),
            None => annotate(n, &predicted[0], &predicted[1]),
        };
        (gold, predicted)
    });
    sentences.unzip()
}

fn check_counts(prf: &Prf, expected: &Value) {
    let counts: [usize; 3] = serde_json::from_value(expected.as_array().unwrap()[..3].into()).unwrap();
    assert_eq!([prf.tp, prf.fp, prf.fn_, prf.support], [counts[0], counts[1], counts[2], counts[0] + counts[2]]);
}

fn check_fractions(prf: &Prf, expected: &[Value]) {
    let fractions = [prf.precision, prf.recall, prf.f1];
    assert!(fractions.iter().zip(expected).all(|(a, b)| close(*a, b.as_f64().unwrap())), "{prf:?}: {expected:?}");
}

/// Checks one section. Returns the number of rows compared.
fn check_section(section: &Section, expected: &Value) -> usize {
    let micro = &expected["m"];
    check_counts(&section.micro, micro);
    check_fractions(&section.micro, &micro.as_array().unwrap()[3..]);
    let mut rows = 1;
    if let Some(macro_) = expected.get("M") {
        check_fractions(&section.macro_, macro_.as_array().unwrap());
        rows += 1;
    }
    if let Some(types) = expected.get("t").and_then(Value::as_object) {
        for (name, counts) in types {
            check_counts(&section.types[name], counts);
            rows += 1;
        }
        for (name, prf) in &section.types {
            assert!(types.contains_key(name) || *prf == Prf::default(), "{name} is not in the reference");
        }
    }
    rows
}

#[test]
fn all_scores_of_all_definitions_match_the_reference() {
    let (mut sentences, mut rows) = (0, 0);
    for line in read("cases.jsonl").lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let (gold, predicted) = corpus(&case);
        sentences += gold.len();
        for (definition, tasks) in case["e"].as_object().unwrap() {
            let definition: Definition = definition.parse().unwrap();
            let scores = score_as(definition, &gold, &predicted, &schema()).unwrap();
            for (task, sections) in tasks.as_object().unwrap() {
                let ours = if task == "entities" { &scores.entities } else { &scores.relations };
                for (mode, expected) in sections.as_object().unwrap() {
                    let section = match mode.as_str() {
                        "strict" => &ours.strict,
                        "boundaries" => &ours.boundaries,
                        _ => ours.relaxed.as_ref().unwrap(),
                    };
                    rows += check_section(section, expected);
                }
            }
        }
    }
    assert_eq!(sentences, 10_000);
    assert!(rows > 7_000, "only {rows} rows were compared");
}

#[test]
fn the_bootstrap_matches_the_reference() {
    let case: Value = serde_json::from_str(&read("bootstrap.json")).unwrap();
    let (gold, a) = corpus(&case);
    let second = |i: usize| if i.is_multiple_of(4) { gold[i].clone() } else { a[i].clone() };
    let b: Vec<Sentence> = (0..gold.len()).map(second).collect();
    let bootstrap: Bootstrap = serde_json::from_value(case.clone()).unwrap();
    let comparison = bootstrap.compare(&gold, &a, &b).unwrap();
    for (ours, task) in [(comparison.entities.strict, "entities"), (comparison.relations.strict, "relations")] {
        let expected = &case["e"][task];
        let Difference { a, b, difference, p_value } = ours;
        for (interval, expected) in [a, b, difference].iter().zip(expected.as_array().unwrap()) {
            let expected: [f64; 3] = serde_json::from_value(expected.clone()).unwrap();
            let ours = [interval.estimate, interval.low, interval.high];
            assert!(ours.iter().zip(expected).all(|(a, b)| close(*a, b)), "{task}: {ours:?}, {expected:?}");
        }
        assert!(close(p_value, expected[3].as_f64().unwrap()), "{task}: {p_value}");
    }
}
