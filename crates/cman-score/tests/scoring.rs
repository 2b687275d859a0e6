//! Scores computed by hand.

use cman_data::{Entity, Relation, Schema, Sentence};
use cman_score::{Definition, Prf, ScoreError, Scores, Side, score, score_as, untaggable};

fn schema() -> Schema {
    Schema {
        entities: ["Loc", "Org", "Peop", "Other"].into_iter().collect(),
        relations: ["Kill", "Live_In"].into_iter().collect(),
    }
}

/// A sentence of ten tokens.
fn sentence(entities: &[(&str, usize, usize)], relations: &[(&str, usize, usize)]) -> Sentence {
    let tokens = (0..10).map(|i| i.to_string());
    Sentence {
        entities: entities.iter().map(|&(kind, start, end)| Entity::new(kind, start..end)).collect(),
        relations: relations.iter().map(|&(kind, head, tail)| Relation::new(kind, head, tail)).collect(),
        ..Sentence::from_tokens("s", tokens)
    }
}

/// A person, a place and a `Live_In` relation.
fn lives() -> Sentence {
    sentence(&[("Peop", 0, 2), ("Loc", 5, 6)], &[("Live_In", 0, 1)])
}

fn scores(gold: &Sentence, predicted: &Sentence) -> Scores {
    score(std::slice::from_ref(gold), std::slice::from_ref(predicted), &schema()).unwrap()
}

fn counts(prf: Prf) -> [usize; 3] {
    assert_eq!(prf.support, prf.tp + prf.fn_);
    [prf.tp, prf.fp, prf.fn_]
}

/// The counts of entities and relations, each strict and by boundaries.
fn all(scores: &Scores) -> [[usize; 3]; 4] {
    let tasks = [&scores.entities, &scores.relations];
    let [a, b] = tasks.map(|task| [counts(task.strict.micro), counts(task.boundaries.micro)]);
    [a[0], a[1], b[0], b[1]]
}

#[test]
fn a_perfect_prediction() {
    let scores = scores(&lives(), &lives());
    assert_eq!(all(&scores), [[2, 0, 0], [2, 0, 0], [1, 0, 0], [1, 0, 0]]);
    assert_eq!(scores.entities.strict.micro.f1, 1.0);
    // Two of four declared types and one of two relations occur, which lowers the macro average.
    assert_eq!((scores.entities.strict.macro_.f1, scores.relations.strict.macro_.f1), (0.5, 0.5));
    assert_eq!(counts(scores.entities.strict.macro_), [2, 0, 0]);
}

#[test]
fn a_wrong_type_is_one_false_positive_and_one_false_negative() {
    let scores = scores(&lives(), &sentence(&[("Org", 0, 2), ("Loc", 5, 6)], &[("Live_In", 0, 1)]));
    assert_eq!(all(&scores), [[1, 1, 1], [2, 0, 0], [0, 1, 1], [1, 0, 0]]);
    let types = &scores.entities.strict.types;
    assert_eq!(["Loc", "Org", "Peop"].map(|t| counts(types[t])), [[1, 0, 0], [0, 1, 0], [0, 0, 1]]);
    // By boundaries the span counts for its gold type.
    let types = &scores.entities.boundaries.types;
    assert_eq!(["Loc", "Org", "Peop"].map(|t| counts(types[t])), [[1, 0, 0], [0, 0, 0], [1, 0, 0]]);
    let strict = scores.entities.strict;
    assert_eq!((strict.micro.precision, strict.micro.recall, strict.micro.f1), (0.5, 0.5, 0.5));
    assert_eq!(strict.macro_.f1, 0.25);
}

#[test]
fn a_wrong_boundary_is_wrong_in_both_modes() {
    let scores = scores(&lives(), &sentence(&[("Peop", 0, 3), ("Loc", 5, 6)], &[("Live_In", 0, 1)]));
    assert_eq!(all(&scores), [[1, 1, 1], [1, 1, 1], [0, 1, 1], [0, 1, 1]]);
    assert_eq!(counts(scores.entities.boundaries.types["Peop"]), [0, 1, 1]);
}

#[test]
fn the_direction_of_a_relation_matters() {
    let scores = scores(&lives(), &sentence(&[("Peop", 0, 2), ("Loc", 5, 6)], &[("Live_In", 1, 0)]));
    assert_eq!(all(&scores), [[2, 0, 0], [2, 0, 0], [0, 1, 1], [0, 1, 1]]);
}

#[test]
fn a_wrong_label_counts_for_both_labels() {
    let scores = scores(&lives(), &sentence(&[("Peop", 0, 2), ("Loc", 5, 6)], &[("Kill", 0, 1)]));
    let types = &scores.relations.strict.types;
    assert_eq!(["Kill", "Live_In"].map(|label| counts(types[label])), [[0, 1, 0], [0, 0, 1]]);
}

#[test]
fn duplicates_count_once() {
    let twice = sentence(
        &[("Peop", 0, 2), ("Loc", 5, 6), ("Peop", 0, 2), ("Org", 8, 9), ("Org", 8, 9)],
        &[("Live_In", 0, 1), ("Live_In", 2, 1), ("Live_In", 0, 1), ("Kill", 0, 0), ("Kill", 2, 0)],
    );
    assert_eq!(all(&scores(&lives(), &twice)), [[2, 1, 0], [2, 1, 0], [1, 1, 0], [1, 1, 0]]);
    assert_eq!(all(&scores(&twice, &lives())), [[2, 0, 1], [2, 0, 1], [1, 0, 1], [1, 0, 1]]);
}

#[test]
fn a_relation_needs_both_arguments() {
    let gold = sentence(&[("Peop", 0, 2), ("Loc", 5, 6), ("Loc", 7, 8)], &[("Live_In", 0, 1), ("Live_In", 0, 2)]);
    let predicted = sentence(&[("Peop", 0, 2), ("Loc", 7, 8)], &[("Live_In", 0, 1)]);
    assert_eq!(all(&scores(&gold, &predicted)), [[2, 0, 1], [2, 0, 1], [1, 0, 1], [1, 0, 1]]);
}

#[test]
fn no_prediction_and_no_gold() {
    let none = sentence(&[], &[]);
    assert_eq!(all(&scores(&lives(), &none)), [[0, 0, 2], [0, 0, 2], [0, 0, 1], [0, 0, 1]]);
    assert_eq!(all(&scores(&none, &lives())), [[0, 2, 0], [0, 2, 0], [0, 1, 0], [0, 1, 0]]);
    for (gold, predicted) in [(&lives(), &none), (&none, &lives()), (&none, &none)] {
        let micro = scores(gold, predicted).entities.strict.micro;
        assert_eq!((micro.precision, micro.recall, micro.f1), (0.0, 0.0, 0.0));
    }
    let empty = score(&[], &[], &Schema::default()).unwrap();
    assert_eq!(empty, Scores::default());
}

/// "[[Paris] marathon]": the place is nested in the event.
fn nested() -> Sentence {
    sentence(&[("Peop", 0, 2), ("Loc", 5, 6), ("Other", 5, 7)], &[("Live_In", 0, 1), ("Kill", 0, 2)])
}

#[test]
fn unrepresentable_gold_entities_are_false_negatives() {
    let tagged = sentence(&[("Peop", 0, 2), ("Other", 5, 7)], &[("Kill", 0, 1)]);
    for definition in Definition::ALL {
        let scores = score_as(definition, &[nested()], std::slice::from_ref(&tagged), &schema()).unwrap();
        assert_eq!(all(&scores), [[2, 0, 1], [2, 0, 1], [1, 0, 1], [1, 0, 1]], "{definition}");
    }
    let lost = untaggable(&[nested(), lives()], &schema());
    assert_eq!((lost.sentences, lost.entities, lost.relations), (1, 1, 1));
}

#[test]
fn predictions_may_overlap_unless_they_are_converted_to_tags() {
    assert_eq!(all(&scores(&nested(), &nested())), [[3, 0, 0], [3, 0, 0], [2, 0, 0], [2, 0, 0]]);
    // Tags keep the longer entity, which contains the last token of `Paris`.
    let predicted = sentence(&[("Loc", 5, 6), ("Other", 5, 7), ("Peop", 0, 2)], &[("Live_In", 2, 0)]);
    let scores = score_as(Definition::Multihead, &[nested()], &[predicted], &schema()).unwrap();
    assert_eq!(all(&scores), [[2, 0, 1], [2, 0, 1], [0, 1, 2], [0, 1, 2]]);
}

#[test]
fn a_span_with_two_types_counts_once_in_the_micro_average() {
    let gold = sentence(&[("Loc", 3, 4), ("Org", 3, 4)], &[]);
    let scores = scores(&gold, &sentence(&[("Loc", 3, 4)], &[]));
    assert_eq!(all(&scores)[..2], [[1, 0, 1], [1, 0, 0]]);
    let types = &scores.entities.boundaries.types;
    assert_eq!(["Loc", "Org"].map(|t| counts(types[t])), [[1, 0, 0], [1, 0, 0]]);
}

#[test]
fn the_macro_average_depends_on_the_definition() {
    let predicted = sentence(&[("Peop", 0, 2), ("Org", 8, 9)], &[]);
    let f1 = |definition| score_as(definition, &[lives()], std::slice::from_ref(&predicted), &schema()).unwrap();
    // F1 is 1 for Peop and 0 for Loc and Org; Other does not occur.
    assert_eq!(f1(Definition::Cman).entities.strict.macro_.f1, 1.0 / 4.0);
    assert_eq!(f1(Definition::Sincere).entities.strict.macro_.f1, 1.0 / 4.0);
    assert_eq!(f1(Definition::Spert).entities.strict.macro_.f1, 1.0 / 3.0);
}

#[test]
fn undeclared_types_depend_on_the_definition() {
    let predicted = sentence(&[("Peop", 0, 2), ("Date", 8, 9)], &[("Met", 0, 1)]);
    for (definition, spurious) in [(Definition::Cman, 1), (Definition::Spert, 1), (Definition::Sincere, 0)] {
        let scores = score_as(definition, &[lives()], std::slice::from_ref(&predicted), &schema()).unwrap();
        assert_eq!(counts(scores.entities.strict.micro), [1, spurious, 1], "{definition}");
        assert_eq!(counts(scores.relations.strict.micro), [0, spurious, 1], "{definition}");
        assert_eq!(scores.entities.strict.types.contains_key("Date"), spurious == 1);
    }
}

#[test]
fn the_relaxed_mode_uses_gold_boundaries() {
    // One token of the person has the correct type; the place is predicted as no entity.
    let predicted = sentence(&[("Org", 0, 1), ("Peop", 1, 2), ("Org", 8, 9)], &[("Live_In", 1, 0)]);
    let scores = score_as(Definition::Multihead, &[lives()], &[predicted], &schema()).unwrap();
    let entities = scores.entities.relaxed.unwrap();
    assert_eq!(counts(entities.micro), [1, 1, 1]);
    assert_eq!(["Peop", "Loc", "O"].map(|t| counts(entities.types[t])), [[1, 0, 0], [0, 0, 1], [0, 1, 0]]);
    assert_eq!(entities.macro_.f1, 1.0 / 3.0);
    // Both arguments of the predicted relation map to the person.
    assert_eq!(counts(scores.relations.relaxed.unwrap().micro), [0, 1, 1]);
    assert!(scores.entities.strict.types.len() == 4);
}

#[test]
fn sentences_must_match() {
    let mut short = lives();
    short.tokens.pop();
    let error = score(&[lives(), lives()], &[lives(), short], &schema()).unwrap_err();
    assert_eq!(error, ScoreError::TokenCount { index: 1, id: "s".into(), gold: 10, predicted: 9 });
    assert_eq!(error.to_string(), "sentence 1 (`s`): 10 gold tokens, but 9 predicted tokens");
    let error = score(&[lives()], &[], &schema()).unwrap_err();
    assert_eq!(error, ScoreError::SentenceCount { gold: 1, predicted: 0 });
}

#[test]
fn spans_and_arguments_must_exist() {
    for (start, end) in [(9, 11), (4, 4), (5, 4)] {
        let error = score(&[lives()], &[sentence(&[("Loc", start, end)], &[])], &schema()).unwrap_err();
        let (id, side) = ("s".into(), Side::Predicted);
        assert_eq!(error, ScoreError::Span { index: 0, id, side, entity: 0, start, end, tokens: 10 });
    }
    let error = score(&[sentence(&[("Loc", 1, 2)], &[("Kill", 0, 1)])], &[lives()], &schema()).unwrap_err();
    assert_eq!(error.to_string(), "sentence 0 (`s`): gold relation 0 has argument 1 of 1 entities");
}
