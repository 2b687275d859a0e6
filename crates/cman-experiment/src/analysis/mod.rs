//! Where the errors are: scores by entity distance and by sentence length, and errors by kind.

mod distance;
mod errors;
mod length;

pub use distance::{by_distance, entity_distance};
pub use errors::{EntityErrors, Errors, RelationErrors, errors};
pub use length::by_length;

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

/// Scores of a part of the data.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// The part, such as `10-19`.
    pub name: String,
    /// Entities, strict.
    pub entities: GroupScore,
    /// Relations, strict.
    pub relations: GroupScore,
}

/// Precision, recall and F1 of a group, fractions of one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GroupScore {
    /// Right predictions / predictions.
    pub precision: f64,
    /// Found gold items / gold items.
    pub recall: f64,
    /// Harmonic mean of precision and recall.
    pub f1: f64,
    /// Predictions in the group.
    pub predicted: usize,
    /// Gold items in the group.
    pub gold: usize,
}

impl GroupScore {
    /// From right predictions of `predicted`, and found items of `gold`; 0 where it would be 0/0.
    fn new((right, predicted): (usize, usize), (found, gold): (usize, usize)) -> Self {
        let ratio = |part: f64, whole: f64| if whole == 0.0 { 0.0 } else { part / whole };
        let precision = ratio(right as f64, predicted as f64);
        let recall = ratio(found as f64, gold as f64);
        Self { precision, recall, f1: ratio(2.0 * precision * recall, precision + recall), predicted, gold }
    }
}

/// `10-19`, or `20+` where there is no upper end.
fn name(range: &RangeInclusive<usize>) -> String {
    match *range.end() {
        usize::MAX => format!("{}+", range.start()),
        end => format!("{}-{end}", range.start()),
    }
}
