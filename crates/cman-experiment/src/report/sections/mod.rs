//! What the report shows, section by section.

mod analyses;
mod comparisons;
mod runs;
mod scores;

use cman_train::Protocol;
use serde::Serialize;

use super::{
    plots::Plot,
    table::{Cell, Table},
};
use crate::{Results, Row, Summary, TaskSummary};

/// A part of the report.
#[derive(Debug, Serialize)]
pub(super) struct Section {
    /// Name in the page.
    pub id: &'static str,
    /// Headline.
    pub title: &'static str,
    /// What there is to say before the tables.
    pub text: String,
    /// Plots.
    pub plots: Vec<Plot>,
    /// Tables.
    pub tables: Vec<Table>,
}

/// The sections that the results fill.
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
    let full = |mut section: Section| {
        section.tables.retain(|table| !table.rows.is_empty());
        (!section.plots.is_empty() || !section.tables.is_empty()).then_some(section)
    };
    all.into_iter().filter_map(full).collect()
}

const DISTANCE: &str = "F1 on dev by the distance of a relation's arguments, in characters between their last \
    characters (figure 4 of the paper).";
const LENGTH: &str = "F1 on dev by the number of tokens of the sentence (figure 5 of the paper).";

/// The results, section by section.
struct Sections<'a> {
    results: &'a Results,
}

/// A picker of a task's summary.
type Pick = fn(&Summary) -> &TaskSummary;

const TASKS: [(&str, &str, Pick); 2] =
    [("entities", "Entities", |summary| &summary.entities), ("relations", "Relations", |summary| &summary.relations)];

impl Sections<'_> {
    /// The rows with their places.
    fn rows(&self) -> impl Iterator<Item = (usize, &Row)> {
        self.results.rows.iter().enumerate()
    }

    /// What tells rows of one system apart.
    fn data(corpus: &str, protocol: Protocol) -> String {
        format!("{corpus} · {protocol}")
    }

    /// The kinds of data, in the order of the rows.
    fn all_data(&self) -> Vec<String> {
        let mut all = Vec::new();
        for (_, row) in self.rows() {
            let data = Self::data(&row.corpus, row.protocol);
            if !all.contains(&data) {
                all.push(data);
            }
        }
        all
    }

    /// Marks the best of those trained and tested on the same data.
    fn mark_best(&self, table: &mut Table) {
        let group =
            |row: &Vec<Cell>| self.all_data().iter().position(|data| *data == row[1].text).unwrap_or(usize::MAX);
        let groups: Vec<usize> = table.rows.iter().map(group).collect();
        table.mark_best(&groups);
    }

    fn row_labels(row: &Row) -> Vec<Cell> {
        vec![Cell::text(&row.system), Cell::text(Self::data(&row.corpus, row.protocol))]
    }
}
