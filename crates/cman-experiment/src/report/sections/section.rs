//! A section, and what all sections share.

use cman_train::Protocol;
use serde::Serialize;

use crate::{
    report::{
        plots::Plot,
        table::{Cell, Table},
    },
    results::Results,
    summary::{Row, Summary, TaskSummary},
};

/// A section of the report.
#[derive(Debug, Serialize)]
pub(in crate::report) struct Section {
    /// Id of the HTML element.
    pub id: &'static str,
    /// Title.
    pub title: &'static str,
    /// The paragraph before plots and tables.
    pub text: String,
    /// Plots.
    pub plots: Vec<Plot>,
    /// Tables.
    pub tables: Vec<Table>,
}

/// The results. Each section is a method; the other files of this folder define them.
pub(super) struct Sections<'a> {
    pub(super) results: &'a Results,
}

/// Selects the summary of a task.
type Pick = fn(&Summary) -> &TaskSummary;

/// Key, title and summary of the two tasks.
pub(super) const TASKS: [(&str, &str, Pick); 2] =
    [("entities", "Entities", |summary| &summary.entities), ("relations", "Relations", |summary| &summary.relations)];

impl Sections<'_> {
    /// The rows with their indices.
    pub(super) fn rows(&self) -> impl Iterator<Item = (usize, &Row)> {
        self.results.rows.iter().enumerate()
    }

    /// Corpus and protocol.
    pub(super) fn data(corpus: &str, protocol: Protocol) -> String {
        format!("{corpus} · {protocol}")
    }

    /// All combinations of corpus and protocol, in the order of the rows.
    pub(super) fn all_data(&self) -> Vec<String> {
        let mut all = Vec::new();
        for (_, row) in self.rows() {
            let data = Self::data(&row.corpus, row.protocol);
            if !all.contains(&data) {
                all.push(data);
            }
        }
        all
    }

    /// Marks the best score of each column among systems with the same data.
    pub(super) fn mark_best(&self, table: &mut Table) {
        let group =
            |row: &Vec<Cell>| self.all_data().iter().position(|data| *data == row[1].text).unwrap_or(usize::MAX);
        let groups: Vec<usize> = table.rows.iter().map(group).collect();
        table.mark_best(&groups);
    }

    /// The label cells of a row.
    pub(super) fn row_labels(row: &Row) -> Vec<Cell> {
        vec![Cell::text(&row.system), Cell::text(Self::data(&row.corpus, row.protocol))]
    }
}
