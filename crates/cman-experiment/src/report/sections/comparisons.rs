//! The sections that compare scores: with published ones, with the baseline, and with other inputs of the same model.

use super::section::{Section, Sections, TASKS};
use crate::{
    experiment::Average,
    report::table::{Cell, Table, Unit},
    summary::{Moments, Row},
};

impl Sections<'_> {
    pub(super) fn published(&self) -> Section {
        let average = match self.results.average {
            Average::Micro => "micro",
            Average::Macro => "macro",
        };
        let mut table = Table::new(
            "",
            &["System", "Data"],
            &["Published: entities", "relations", "This experiment: entities", "relations", "Runs"],
        );
        if !self.results.published.is_empty() {
            let published = |i: usize| {
                let (row, path) = (&self.results.published[i], format!("/published/{i}"));
                let cell = |value, key| Cell::number(value, Unit::Points, format!("{path}/{key}"));
                vec![cell(row.entities, "entities"), cell(row.relations, "relations")]
            };
            for (i, row) in self.results.published.iter().enumerate() {
                if self.results.rows.iter().all(|ours| ours.system != row.system) {
                    let labels = vec![Cell::text(&row.system), Cell::text(&row.source)];
                    table.rows.push([labels, published(i), vec![Cell::none(); 3]].concat());
                }
            }
            for (i, row) in self.rows() {
                let index = self.results.published.iter().position(|published| published.system == row.system);
                let theirs = index.map_or_else(|| vec![Cell::none(); 2], published);
                let ours = TASKS.map(|(key, _, pick)| {
                    let section = row.test.as_ref().map(|summary| &pick(summary).strict);
                    let moments = section.map(|s| if average == "micro" { &s.micro } else { &s.macro_ });
                    Cell::percent(moments, &format!("/rows/{i}/test/{key}/strict/{average}"))
                });
                let runs = vec![Cell::count(row.runs, format!("/rows/{i}/runs"))];
                table.rows.push([Self::row_labels(row), theirs, ours.to_vec(), runs].concat());
            }
        }
        let text = format!(
            "Strict {average} F1 on test in percent, mean ± standard deviation over runs. Published scores are from \
             other inputs and seeds, and sometimes from other splits, so the scores in a row are not directly comparable."
        );
        Section {
            id: "published",
            title: "Comparison with published scores",
            text,
            plots: Vec::new(),
            tables: vec![table],
        }
    }

    pub(super) fn baseline(&self) -> Section {
        let results = self.results;
        let columns = ["Difference", "from", "to", "p"];
        let tables = TASKS.iter().map(|(key, title, _)| {
            let mut table = Table::new(title, &["System", "Data", "Seed"], &columns);
            for (i, comparison) in results.comparisons.iter().enumerate() {
                let scores = if *key == "entities" { &comparison.entities } else { &comparison.relations };
                let path = format!("/comparisons/{i}/{key}");
                let number = |value, unit, at| Cell::number(value, unit, format!("{path}/{at}"));
                table.rows.push(vec![
                    Cell::text(&comparison.b),
                    Cell::text(Self::data(&comparison.corpus, comparison.protocol)),
                    Cell::text(comparison.seed.to_string()),
                    number(scores.difference.estimate, Unit::Percent, "difference/estimate"),
                    number(scores.difference.low, Unit::Percent, "difference/low"),
                    number(scores.difference.high, Unit::Percent, "difference/high"),
                    number(scores.p_value, Unit::Probability, "p_value"),
                ]);
            }
            table
        });
        let bootstrap = results.bootstrap;
        let text = format!(
            "Difference in strict micro F1 on test to {} with the same seed, in points. The {}% interval and the \
             two-sided p are from a paired bootstrap over sentences with {} resamples. They do not account for the \
             variation between seeds.",
            results.baseline.as_deref().unwrap_or_default(),
            100.0 * bootstrap.confidence,
            bootstrap.resamples,
        );
        let tables = tables.collect();
        Section { id: "baseline", title: "Comparison with the baseline", text, plots: Vec::new(), tables }
    }

    pub(super) fn labels(&self) -> Section {
        let columns = ["Predicted labels: entities", "relations", "Gold labels: entities", "relations"];
        let gold = |row: &Row| {
            let pair = row.test_gold_labels?;
            Some([(pair.entities, "test_gold_labels/entities"), (pair.relations, "test_gold_labels/relations")])
        };
        let table = self.pairs(columns, micro, gold);
        let text =
            "Strict micro F1 on test if the relation scorer reads predicted entity labels, and if it reads gold labels \
             (Table 3 of the paper). The entities are predicted in both cases."
                .into();
        Section { id: "labels", title: "Label source", text, plots: Vec::new(), tables: vec![table] }
    }

    pub(super) fn leakage(&self) -> Section {
        let columns = ["All: entities", "relations", "Without: entities", "relations"];
        let leaked = |row: &Row| {
            let runs = self
                .results
                .runs
                .iter()
                .filter(|run| (&run.system, &run.corpus, run.protocol) == (&row.system, &row.corpus, row.protocol));
            runs.filter_map(|run| run.outcome.as_ref()).any(|outcome| outcome.leaked_test_sentences > 0)
        };
        let new = |row: &Row| {
            let pair = row.test_without_leaked.filter(|_| leaked(row))?;
            Some([(pair.entities, "test_without_leaked/entities"), (pair.relations, "test_without_leaked/relations")])
        };
        let table = self.pairs(columns, micro, new);
        let text =
            "Strict micro F1 on test, with and without the test sentences that also occur in the training data. \
             Sentences are compared by their letters and digits."
                .into();
        Section { id: "leakage", title: "Leakage", text, plots: Vec::new(), tables: vec![table] }
    }

    /// A table with two pairs of scores per row.
    fn pairs(
        &self,
        columns: [&str; 4],
        first: impl Fn(&Row) -> Option<[(Moments, &'static str); 2]>,
        second: impl Fn(&Row) -> Option<[(Moments, &'static str); 2]>,
    ) -> Table {
        let mut table = Table::new("", &["System", "Data"], &columns);
        for (i, row) in self.rows() {
            let (Some(first), Some(second)) = (first(row), second(row)) else { continue };
            let cells = first.iter().chain(&second);
            let cells = cells.map(|(moments, key)| Cell::percent(Some(moments), &format!("/rows/{i}/{key}")));
            table.rows.push([Self::row_labels(row), cells.collect()].concat());
        }
        table
    }
}

/// Strict micro F1 on test.
fn micro(row: &Row) -> Option<[(Moments, &'static str); 2]> {
    let test = row.test.as_ref()?;
    let [entities, relations] = [test.entities.strict.micro, test.relations.strict.micro];
    Some([(entities, "test/entities/strict/micro"), (relations, "test/relations/strict/micro")])
}
