//! The confidences of predicted annotation.

/// The confidences of a record, and the model that they come from.
pub(super) struct Prediction<'a> {
    pub(super) model: &'a str,
    pub(super) entities: Vec<Option<f64>>,
    pub(super) relations: Vec<Option<f64>>,
}

impl Prediction<'_> {
    /// The confidence of an entity.
    pub(super) fn entity(&self, entity: usize) -> Option<f64> {
        self.entities.get(entity).copied().flatten()
    }

    /// The confidence of a relation.
    pub(super) fn relation(&self, relation: usize) -> Option<f64> {
        self.relations.get(relation).copied().flatten()
    }

    /// The mean of all confidences.
    pub(super) fn mean(&self) -> Option<f64> {
        let all: Vec<f64> = self.entities.iter().chain(&self.relations).copied().flatten().collect();
        (!all.is_empty()).then(|| all.iter().sum::<f64>() / all.len() as f64)
    }
}
