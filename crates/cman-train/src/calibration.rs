//! The confidences of a model on annotated sentences, and the temperatures that calibrate them.

use std::collections::HashSet;

use cman_core::model::Prediction;
use cman_data::{Entity, Schema, Sentence};
use cman_model::{Calibration, Model, ModelError};
use cman_score::{Judged, Reliability, fit_temperature};

use crate::evaluate::EVALUATION_BATCH;

/// The predictions of a model with their probabilities, before any calibration, and whether each is right by the strict rules.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JudgedPredictions {
    /// The entities.
    pub entities: Vec<Judged>,
    /// The relations.
    pub relations: Vec<Judged>,
}

impl JudgedPredictions {
    /// Judges the predictions of a model for annotated sentences.
    ///
    /// # Errors
    /// As [`Model::predict`].
    pub fn of(model: &Model, gold: &[Sentence]) -> Result<Self, ModelError> {
        let mut all = Self::default();
        for (gold, prediction) in gold.iter().zip(&model.predict(gold, EVALUATION_BATCH)?) {
            all.add(gold, prediction, model.schema());
        }
        Ok(all)
    }

    fn add(&mut self, gold: &Sentence, prediction: &Prediction, schema: &Schema) {
        let right: HashSet<&Entity> = gold.entities.iter().collect();
        let found: Vec<Entity> = prediction
            .entities
            .iter()
            .map(|entity| Entity::new(schema.entities.name(entity.span.kind), entity.span.tokens()))
            .collect();
        let judged = found.iter().zip(&prediction.entities);
        self.entities.extend(
            judged.map(|(entity, scored)| Judged { confidence: scored.probability, is_right: right.contains(entity) }),
        );
        let right: HashSet<(&str, &Entity, &Entity)> =
            gold.relations.iter().map(|r| (&*r.kind, &gold.entities[r.head], &gold.entities[r.tail])).collect();
        self.relations.extend(prediction.relations.iter().map(|relation| {
            let key = (schema.relations.name(relation.kind), &found[relation.head], &found[relation.tail]);
            Judged { confidence: relation.probability, is_right: right.contains(&key) }
        }));
    }

    /// The temperatures under which these outcomes are most likely.
    pub fn fit(&self) -> Calibration {
        Calibration { entities: fit_temperature(&self.entities), relations: fit_temperature(&self.relations) }
    }

    /// The calibration curves of entities and relations with these temperatures.
    pub fn curves(&self, calibration: Calibration) -> [Reliability; 2] {
        let scaled = |judged: &[Judged], scale: &dyn Fn(f64) -> f64| {
            let scaled = judged.iter().map(|one| Judged { confidence: scale(one.confidence), ..*one });
            Reliability::of(&scaled.collect::<Vec<_>>())
        };
        [scaled(&self.entities, &|p| calibration.entity(p)), scaled(&self.relations, &|p| calibration.relation(p))]
    }
}
