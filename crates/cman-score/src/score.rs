//! Scoring of predictions against gold sentences.

use cman_data::{LabelSet, Schema, Sentence};

use crate::annotation::{AnnotationSets, check_sentences};
use crate::count::{Tallies, Tally};
use crate::multihead::{Relaxed, via_tags};
use crate::{
    definition::Definition,
    error::ScoreError,
    scores::{Prf, Scores, Section, Task},
};

/// Scores predictions with the rules of this library; see [`score_as`] for other rules.
///
/// Sentences are matched in order. Each type of `schema` has a row and is part of the macro average. Any other type that
/// occurs also has a row, and counts in the micro average only.
///
/// # Errors
/// If the numbers of sentences or of their tokens differ, if an entity is empty or extends past its sentence, or if an
/// argument of a relation is not an entity.
pub fn score(gold: &[Sentence], predicted: &[Sentence], schema: &Schema) -> Result<Scores, ScoreError> {
    score_as(Definition::Cman, gold, predicted, schema)
}

/// Scores predictions with the rules of `definition`.
///
/// # Errors
/// The errors of [`score`].
pub fn score_as(
    definition: Definition,
    gold: &[Sentence],
    predicted: &[Sentence],
    schema: &Schema,
) -> Result<Scores, ScoreError> {
    check_sentences(gold, predicted)?;
    let converted: Vec<Sentence>;
    let mut scored = predicted;
    if definition == Definition::Multihead {
        converted = predicted.iter().map(|sentence| via_tags(sentence, schema)).collect();
        scored = &converted;
    }
    let mut tallies = Tallies::default();
    for (gold, predicted) in gold.iter().zip(scored) {
        let (mut gold, mut predicted) = (AnnotationSets::of(gold), AnnotationSets::of(predicted));
        if definition == Definition::Sincere {
            (gold, predicted) = (gold.declared(schema), predicted.declared(schema));
        }
        tallies.add(&gold, &predicted);
    }
    let (kinds, labels) = (&schema.entities, &schema.relations);
    let section = |tally: &Tally, declared: &LabelSet| -> Section {
        tally.section(declared.names(), |name: &str, prf: &Prf| match definition {
            Definition::Spert => prf.tp + prf.fp + prf.fn_ > 0,
            _ => declared.id(name).is_some(),
        })
    };
    let mut scores = Scores {
        entities: Task {
            strict: section(&tallies.entities, kinds),
            boundaries: section(&tallies.entity_bounds, kinds),
            relaxed: None,
        },
        relations: Task {
            strict: section(&tallies.relations, labels),
            boundaries: section(&tallies.relation_bounds, labels),
            relaxed: None,
        },
    };
    if definition == Definition::Multihead {
        let mut relaxed = Relaxed::default();
        for (gold, predicted) in gold.iter().zip(scored) {
            relaxed.add(gold, predicted, schema);
        }
        let (entities, relations) = relaxed.sections(schema);
        (scores.entities.relaxed, scores.relations.relaxed) = (Some(entities), Some(relations));
    }
    Ok(scores)
}
