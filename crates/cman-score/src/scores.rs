//! The report: precision, recall and F1 for both tasks, both ways of matching, each type and both averages.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Scores of a set of predictions.
///
/// In JSON every figure has a path such as `entities.strict.micro.f1` or `relations.boundaries.types.Kill.fn`;
/// [`Display`](std::fmt::Display) prints the tables for a terminal.
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
    /// Types count: an entity needs the right type, a relation the right type of both arguments.
    pub strict: Section,
    /// Types do not count: the spans suffice, with the label for a relation.
    pub boundaries: Section,
    /// Boundaries are given and only types are to be found: [`Definition::Multihead`](crate::Definition) only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relaxed: Option<Section>,
}

/// Scores under one way of matching.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Section {
    /// All types counted together.
    pub micro: Prf,
    /// The mean of precision, of recall and of F1 over types, beside the sums of the counts of these types. Which
    /// types are averaged is part of the [`Definition`](crate::Definition); all declared ones by default.
    #[serde(rename = "macro")]
    pub macro_: Prf,
    /// Each type by itself, in alphabetical order.
    pub types: BTreeMap<String, Prf>,
}

/// Precision, recall and F1 (fractions of one, 0 where they would be 0/0) with the counts behind them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Prf {
    /// Right predictions / predictions.
    pub precision: f64,
    /// Right predictions / gold items.
    pub recall: f64,
    /// Harmonic mean of precision and recall.
    pub f1: f64,
    /// True positives: right predictions.
    pub tp: usize,
    /// False positives: predictions that are not in the gold annotation.
    pub fp: usize,
    /// False negatives: gold items that were not predicted.
    #[serde(rename = "fn")]
    pub fn_: usize,
    /// Number of gold items: true positives and false negatives.
    pub support: usize,
}

impl Prf {
    /// The figures that follow from the counts.
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

    /// The macro average: means of the fractions, sums of the counts.
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
    fn nothing_over_nothing_is_zero() {
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
