//! Scoring predictions against gold sentences.

use cman_data::{LabelSet, Schema, Sentence};

use crate::count::{Tallies, Tally};
use crate::facts::{Facts, check};
use crate::multihead::{Relaxed, through_tags};
use crate::{Definition, Prf, ScoreError, Scores, Section, Task};

/// Scores predictions by this library's rules; see [`score_as`] for others.
///
/// Sentences are matched in order. The types of `schema` have a row each and make the macro average; another type
/// that occurs gets a row too and counts in the micro average.
///
/// # Errors
/// If the sentences do not match in number or in their numbers of tokens, if an entity is empty or leaves its
/// sentence, or if a relation's argument is no entity.
pub fn score(gold: &[Sentence], predicted: &[Sentence], schema: &Schema) -> Result<Scores, ScoreError> {
    score_as(Definition::Cman, gold, predicted, schema)
}

/// Scores predictions by the rules of `definition`.
///
/// # Errors
/// Those of [`score`].
pub fn score_as(
    definition: Definition,
    gold: &[Sentence],
    predicted: &[Sentence],
    schema: &Schema,
) -> Result<Scores, ScoreError> {
    check(gold, predicted)?;
    let converted: Vec<Sentence>;
    let mut seen = predicted;
    if definition == Definition::Multihead {
        converted = predicted.iter().map(|sentence| through_tags(sentence, schema)).collect();
        seen = &converted;
    }
    let mut tallies = Tallies::default();
    for (gold, predicted) in gold.iter().zip(seen) {
        let (mut gold, mut predicted) = (Facts::of(gold), Facts::of(predicted));
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
        for (gold, predicted) in gold.iter().zip(seen) {
            relaxed.add(gold, predicted, schema);
        }
        let (entities, relations) = relaxed.sections(schema);
        (scores.entities.relaxed, scores.relations.relaxed) = (Some(entities), Some(relations));
    }
    Ok(scores)
}
