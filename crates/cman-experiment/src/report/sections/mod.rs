//! The sections of the report.

mod analyses;
mod comparisons;
mod runs;
mod scores;
mod section;

pub(super) use section::Section;

use section::Sections;

use crate::results::Results;

const DISTANCE: &str = "F1 on dev by the distance between the arguments of a relation, in characters between their last \
    characters (figure 4 of the paper).";
const LENGTH: &str = "F1 on dev by the number of tokens in the sentence (figure 5 of the paper).";

/// The sections that have content.
pub(super) fn sections(results: &Results) -> Vec<Section> {
    let report = Sections { results };
    let all = [
        report.published(),
        report.scores(),
        report.baseline(),
        report.types(),
        report.labels(),
        report.groups("distance", "Entity distance", DISTANCE, |row| &row.distance),
        report.groups("length", "Sentence length", LENGTH, |row| &row.length),
        report.curves(),
        report.errors(),
        report.leakage(),
        report.runs(),
    ];
    let non_empty = |mut section: Section| {
        section.tables.retain(|table| !table.rows.is_empty());
        (!section.plots.is_empty() || !section.tables.is_empty()).then_some(section)
    };
    all.into_iter().filter_map(non_empty).collect()
}
