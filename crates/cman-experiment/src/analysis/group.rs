//! Scores of a group of the data.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

/// Scores of a group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Name of the group, for example `10-19`.
    pub name: String,
    /// Entities, strict.
    pub entities: GroupScore,
    /// Relations, strict.
    pub relations: GroupScore,
}

/// Precision, recall and F1 as fractions of one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GroupScore {
    /// Correct predictions / predictions.
    pub precision: f64,
    /// Found gold items / gold items.
    pub recall: f64,
    /// Harmonic mean of precision and recall.
    pub f1: f64,
    /// Number of predictions in the group.
    pub predicted: usize,
    /// Number of gold items in the group.
    pub gold: usize,
}

impl GroupScore {
    /// Scores from correct predictions of `predicted` and found items of `gold`. A ratio 0/0 is 0.
    pub(super) fn new((correct, predicted): (usize, usize), (found, gold): (usize, usize)) -> Self {
        let ratio = |part: f64, whole: f64| if whole == 0.0 { 0.0 } else { part / whole };
        let precision = ratio(correct as f64, predicted as f64);
        let recall = ratio(found as f64, gold as f64);
        Self { precision, recall, f1: ratio(2.0 * precision * recall, precision + recall), predicted, gold }
    }
}

/// `10-19`, or `20+` without an upper bound.
pub(super) fn name(range: &RangeInclusive<usize>) -> String {
    match *range.end() {
        usize::MAX => format!("{}+", range.start()),
        end => format!("{}-{end}", range.start()),
    }
}
