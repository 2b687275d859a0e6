//! Calibration of confidences by temperature scaling (Guo et al., 2017).

use serde::{Deserialize, Serialize};

use crate::error::ModelError;

/// The temperatures that divide the log-odds of probabilities, so that confidences of 0.9 are right nine times in ten. 1
/// changes nothing. They are fitted on dev data and kept with the model. Which entities and relations are predicted does
/// not depend on them.
///
/// ```
/// use cman_model::Calibration;
///
/// let calibration = Calibration { entities: 2.0, relations: 1.0 };
/// assert_eq!(calibration.relation(0.8), 0.8);
/// assert!((calibration.entity(0.8) - 2.0 / 3.0).abs() < 1e-12); // odds of 4 become 2
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// Temperature of the entities.
    pub entities: f64,
    /// Temperature of the relations.
    pub relations: f64,
}

impl Default for Calibration {
    fn default() -> Self {
        Self { entities: 1.0, relations: 1.0 }
    }
}

impl Calibration {
    /// Checks that both temperatures are positive.
    ///
    /// # Errors
    /// [`ModelError::Setting`].
    pub fn check(self) -> Result<Self, ModelError> {
        for (field, temperature) in [("entities", self.entities), ("relations", self.relations)] {
            if !(temperature > 0.0 && temperature.is_finite()) {
                let found = temperature.to_string();
                return Err(ModelError::Setting { field, expected: "a positive temperature", found });
            }
        }
        Ok(self)
    }

    /// The confidence of an entity with this probability.
    pub fn entity(self, probability: f64) -> f64 {
        scaled(probability, self.entities)
    }

    /// The confidence of a relation with this probability.
    pub fn relation(self, probability: f64) -> f64 {
        scaled(probability, self.relations)
    }

    /// The probability of an entity with this confidence.
    pub(crate) fn entity_probability(self, confidence: f64) -> f64 {
        scaled(confidence, 1.0 / self.entities)
    }

    /// The probability of a relation with this confidence.
    pub(crate) fn relation_probability(self, confidence: f64) -> f64 {
        scaled(confidence, 1.0 / self.relations)
    }
}

/// A probability with its log-odds divided by a temperature.
fn scaled(probability: f64, temperature: f64) -> f64 {
    if temperature == 1.0 {
        return probability;
    }
    let log_odds = (probability / (1.0 - probability)).ln() / temperature;
    1.0 / (1.0 + (-log_odds).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaling_keeps_the_order_and_the_ends() {
        let calibration = Calibration { entities: 1.7, relations: 0.6 };
        assert_eq!([0.0, 0.5, 1.0].map(|p| calibration.entity(p)), [0.0, 0.5, 1.0]);
        assert_eq!([0.0, 0.5, 1.0].map(|p| calibration.relation(p)), [0.0, 0.5, 1.0]);
        assert!(calibration.entity(0.9) < 0.9 && calibration.relation(0.9) > 0.9);
        for p in [0.01, 0.3, 0.77, 0.999] {
            assert!((calibration.entity_probability(calibration.entity(p)) - p).abs() < 1e-12);
            assert!((calibration.relation_probability(calibration.relation(p)) - p).abs() < 1e-12);
        }
    }

    #[test]
    fn temperatures_are_positive() {
        let error = Calibration { entities: 1.0, relations: 0.0 }.check().unwrap_err();
        assert_eq!(error.to_string(), "configuration: relations: expected a positive temperature, found 0");
        assert!(Calibration { entities: f64::NAN, relations: 1.0 }.check().is_err());
    }
}
