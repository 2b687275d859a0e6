//! Precision, recall and F1 per task, matching mode and type, with micro and macro averages.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Scores of a set of predictions.
///
/// In JSON, every value has a path such as `entities.strict.micro.f1` or `relations.boundaries.types.Kill.fn`.
/// [`Display`](std::fmt::Display) writes tables for a terminal.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Entity recognition.
    pub entities: Task,
    /// Relation extraction.
    pub relations: Task,
}

/// Scores of one task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// With types: an entity needs the correct type, a relation the correct types of both arguments.
    pub strict: Section,
    /// Without entity types: the spans must match, and for a relation the label.
    pub boundaries: Section,
    /// With given boundaries, so that only types are predicted: [`Definition::Multihead`](crate::Definition) only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relaxed: Option<Section>,
}

/// Scores in one matching mode.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Section {
    /// The micro average over all types.
    pub micro: Prf,
    /// The means of precision, recall and F1 over types, and the sums of their counts. The
    /// [`Definition`](crate::Definition) selects the types; the default is all declared types.
    #[serde(rename = "macro")]
    pub macro_: Prf,
    /// The scores per type, in alphabetical order.
    pub types: BTreeMap<String, Prf>,
}

/// Precision, recall and F1, from 0 to 1, and their counts. 0/0 counts as 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Prf {
    /// Correct predictions / predictions.
    pub precision: f64,
    /// Correct predictions / gold items.
    pub recall: f64,
    /// Harmonic mean of precision and recall.
    pub f1: f64,
    /// True positives: correct predictions.
    pub tp: usize,
    /// False positives: predictions that are not in the gold annotation.
    pub fp: usize,
    /// False negatives: gold items that were not predicted.
    #[serde(rename = "fn")]
    pub fn_: usize,
    /// Number of gold items: true positives plus false negatives.
    pub support: usize,
}

impl Prf {
    /// Computes the scores from the counts.
    ///
    /// ```
    /// # use cman_score::Prf;
    /// let prf = Prf::from_counts(3, 1, 2);
    /// assert_eq!((prf.precision, prf.recall, prf.support), (0.75, 0.6, 5));
    /// ```
    pub fn from_counts(tp: usize, fp: usize, fn_: usize) -> Self {
        let ratio = |part: usize, whole: usize| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
        Self {
            precision: ratio(tp, tp + fp),
            recall: ratio(tp, tp + fn_),
            f1: ratio(2 * tp, 2 * tp + fp + fn_),
            tp,
            fp,
            fn_,
            support: tp + fn_,
        }
    }

    /// The macro average: means of the scores and sums of the counts.
    pub(crate) fn mean<'a>(types: impl IntoIterator<Item = &'a Self>) -> Self {
        let (mut sum, mut n) = (Self::default(), 0);
        for prf in types {
            sum.precision += prf.precision;
            sum.recall += prf.recall;
            sum.f1 += prf.f1;
            sum.tp += prf.tp;
            sum.fp += prf.fp;
            sum.fn_ += prf.fn_;
            sum.support += prf.support;
            n += 1;
        }
        let n = f64::from(n.max(1));
        Self { precision: sum.precision / n, recall: sum.recall / n, f1: sum.f1 / n, ..sum }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_over_zero_is_zero() {
        assert_eq!(Prf::from_counts(0, 0, 0), Prf::default());
        assert_eq!(Prf::from_counts(0, 3, 0), Prf { fp: 3, ..Prf::default() });
        assert_eq!(Prf::mean([]), Prf::default());
    }

    #[test]
    fn the_macro_average_is_the_mean_of_the_f1_scores() {
        let (a, b) = (Prf::from_counts(1, 0, 0), Prf::from_counts(1, 1, 3));
        let mean = Prf::mean([&a, &b]);
        assert_eq!((mean.precision, mean.recall), (0.75, 0.625));
        assert!((mean.f1 - (1.0 + 1.0 / 3.0) / 2.0).abs() < 1e-15);
        assert_eq!((mean.tp, mean.fp, mean.fn_, mean.support), (2, 1, 3, 5));
    }

    #[test]
    fn json_has_the_documented_paths() {
        let mut scores = Scores::default();
        scores.relations.boundaries.types.insert("Kill".into(), Prf::from_counts(1, 2, 3));
        let json = serde_json::to_value(&scores).unwrap();
        assert_eq!(json.pointer("/relations/boundaries/types/Kill/fn").unwrap(), 3);
        assert_eq!(json.pointer("/relations/boundaries/types/Kill/support").unwrap(), 4);
        assert_eq!(json.pointer("/entities/strict/macro/f1").unwrap(), 0.0);
        assert!(json.pointer("/entities/relaxed").is_none());
        assert_eq!(serde_json::from_value::<Scores>(json).unwrap(), scores);
    }
}
