//! What the report shows, section by section.

use serde::Serialize;

use super::{
    plots::{Line, Plot, bars, lines},
    table::{Cell, Table, Unit},
};
use crate::experiment::{
    Average, GroupSummary, Moments, Pair, Point, Protocol, Results, Row, Summary, TaskSummary, analysis::Errors,
};

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
    let filled =
        |section: &Section| !section.plots.is_empty() || section.tables.iter().any(|table| !table.rows.is_empty());
    all.into_iter().filter(filled).collect()
}

const DISTANCE: &str = "F1 on dev by the distance of a relation's arguments, in characters between their last \
    characters (figure 4 of the paper).";
const LENGTH: &str = "F1 on dev by the number of tokens of the sentence (figure 5 of the paper).";

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

    fn published(&self) -> Section {
        let average = match self.results.average {
            Average::Micro => "micro",
            Average::Macro => "macro",
        };
        let mut table = Table::new(
            "",
            &["System", "Data"],
            &["Published: entities", "relations", "Here: entities", "relations", "Runs"],
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
                let known = self.results.published.iter().position(|published| published.system == row.system);
                let theirs = known.map_or_else(|| vec![Cell::none(); 2], published);
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
            "Strict {average} F1 on test in percent, mean ± standard deviation over runs. Published figures come from \
             other inputs, seeds and sometimes splits: what stands in one row was not measured alike."
        );
        Section { id: "published", title: "Beside published figures", text, plots: Vec::new(), tables: vec![table] }
    }

    fn scores(&self) -> Section {
        let mut tables = Vec::new();
        type Part = fn(&Row) -> Option<&Summary>;
        let parts: [(&str, &str, Part); 2] =
            [("test", "test", |row| row.test.as_ref()), ("dev", "dev", |row| row.dev.as_ref())];
        for (key, name, part) in parts {
            for (task, title, pick) in TASKS {
                let numbers = ["P", "R", "F1 micro", "F1 macro", "F1 boundaries"];
                let mut table = Table::new(&format!("{title}, {name}"), &["System", "Data"], &numbers);
                for (i, row) in self.rows() {
                    let Some(summary) = part(row).map(pick) else { continue };
                    let path = format!("/rows/{i}/{key}/{task}");
                    let strict = &summary.strict;
                    let cells = [
                        ("strict/precision", &strict.precision),
                        ("strict/recall", &strict.recall),
                        ("strict/micro", &strict.micro),
                        ("strict/macro", &strict.macro_),
                        ("boundaries/micro", &summary.boundaries.micro),
                    ];
                    let cells = cells.map(|(key, moments)| Cell::percent(Some(moments), &format!("{path}/{key}")));
                    table.rows.push([Self::row_labels(row), cells.to_vec()].concat());
                }
                self.mark_best(&mut table);
                tables.push(table);
            }
        }
        let text = "Percent, mean ± standard deviation over runs; strict, but for the last column, in which types do \
                    not count. The macro average is over all types. The epoch was chosen on dev, by the mean of both \
                    micro F1; never on test. The best of those on the same data is bold."
            .into();
        Section { id: "scores", title: "Scores", text, plots: Vec::new(), tables }
    }

    fn baseline(&self) -> Section {
        let results = self.results;
        let columns = ["Difference", "from", "to", "p"];
        let tables = TASKS.iter().map(|(key, title, _)| {
            let mut table = Table::new(title, &["System", "Data", "Seed"], &columns);
            for (i, comparison) in results.comparisons.iter().enumerate() {
                let found = if *key == "entities" { &comparison.entities } else { &comparison.relations };
                let path = format!("/comparisons/{i}/{key}");
                let number = |value, unit, at| Cell::number(value, unit, format!("{path}/{at}"));
                table.rows.push(vec![
                    Cell::text(&comparison.b),
                    Cell::text(Self::data(&comparison.corpus, comparison.protocol)),
                    Cell::text(comparison.seed.to_string()),
                    number(found.difference.estimate, Unit::Percent, "difference/estimate"),
                    number(found.difference.low, Unit::Percent, "difference/low"),
                    number(found.difference.high, Unit::Percent, "difference/high"),
                    number(found.p_value, Unit::Probability, "p_value"),
                ]);
            }
            table
        });
        let bootstrap = results.bootstrap;
        let text = format!(
            "Strict micro F1 on test, in points, minus that of {} with the same seed. Interval ({}%) and two-sided p are \
             from a paired bootstrap of {} resamples over the sentences; they say nothing of other seeds.",
            results.baseline.as_deref().unwrap_or_default(),
            100.0 * bootstrap.confidence,
            bootstrap.resamples,
        );
        let tables = tables.collect();
        Section { id: "baseline", title: "Against the baseline", text, plots: Vec::new(), tables }
    }

    fn types(&self) -> Section {
        let tables = TASKS.iter().map(|(task, title, pick)| {
            let strict = |row: &Row| row.test.as_ref().map(|summary| pick(summary).strict.clone());
            let mut names: Vec<String> =
                self.rows().filter_map(|(_, row)| strict(row)).flat_map(|s| s.types.into_keys()).collect();
            names.sort();
            names.dedup();
            let columns: Vec<&str> = names.iter().map(String::as_str).collect();
            let mut table = Table::new(title, &["System", "Data"], &columns);
            for (i, row) in self.rows() {
                let Some(section) = strict(row) else { continue };
                let cell = |name: &String| {
                    let key = name.replace('~', "~0").replace('/', "~1");
                    Cell::percent(section.types.get(name), &format!("/rows/{i}/test/{task}/strict/types/{key}"))
                };
                table.rows.push([Self::row_labels(row), names.iter().map(cell).collect()].concat());
            }
            self.mark_best(&mut table);
            table
        });
        let text = "Strict F1 of each type on test, in percent.".into();
        let tables = tables.collect();
        Section { id: "types", title: "By type", text, plots: Vec::new(), tables }
    }

    /// Two pairs of figures beside each other.
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

    fn labels(&self) -> Section {
        let columns = ["Predicted labels: entities", "relations", "Gold labels: entities", "relations"];
        let gold = |row: &Row| {
            let pair = row.test_gold_labels?;
            Some([(pair.entities, "test_gold_labels/entities"), (pair.relations, "test_gold_labels/relations")])
        };
        let table = self.pairs(columns, micro, gold);
        let text =
            "Strict micro F1 on test when the relations see the predicted labels of the entities, and when they \
                    see the gold ones (Table 3 of the paper). The entities are predicted in both cases."
                .into();
        Section { id: "labels", title: "Label source", text, plots: Vec::new(), tables: vec![table] }
    }

    fn leakage(&self) -> Section {
        let columns = ["All: entities", "relations", "Without: entities", "relations"];
        let leaked = |row: &Row| {
            let known = self
                .results
                .runs
                .iter()
                .filter(|run| (&run.system, &run.corpus, run.protocol) == (&row.system, &row.corpus, row.protocol));
            known.filter_map(|run| run.outcome.as_ref()).any(|outcome| outcome.leaked_test_sentences > 0)
        };
        let new = |row: &Row| {
            let pair = row.test_without_leaked.filter(|_| leaked(row))?;
            Some([(pair.entities, "test_without_leaked/entities"), (pair.relations, "test_without_leaked/relations")])
        };
        let table = self.pairs(columns, micro, new);
        let text = "Strict micro F1 on test, with and without the test sentences that also occur in the training data \
                    (compared by letters and digits alone)."
            .into();
        Section { id: "leakage", title: "Leakage", text, plots: Vec::new(), tables: vec![table] }
    }

    fn groups(
        &self,
        id: &'static str,
        title: &'static str,
        text: &str,
        pick: fn(&Row) -> &Vec<GroupSummary>,
    ) -> Section {
        let (mut plots, mut tables) = (Vec::new(), Vec::new());
        for (number, data) in self.all_data().iter().enumerate() {
            let members = self.rows().filter(|(_, row)| Self::data(&row.corpus, row.protocol) == *data);
            let members: Vec<(usize, &Row)> = members.filter(|(_, row)| !pick(row).is_empty()).collect();
            let Some((_, first)) = members.first() else { continue };
            let names: Vec<String> = pick(first).iter().map(|group| group.name.clone()).collect();
            for task in ["entities", "relations"] {
                let of_task = |pair: &Pair| if task == "entities" { pair.entities } else { pair.relations };
                let line = |(_, row): &(usize, &Row)| Line {
                    name: row.system.clone(),
                    values: pick(row).iter().map(|group| Some(100.0 * of_task(&group.f1).mean)).collect(),
                    deviations: pick(row).iter().map(|g| of_task(&g.f1).deviation.map(|d| 100.0 * d)).collect(),
                };
                let drawn: Vec<Line> = members.iter().map(line).collect();
                let caption = format!("F1 of {task}, {data}");
                plots.extend(bars(&format!("{id}-{number}-{task}"), &caption, &names, &drawn));
                let gold = |group: &GroupSummary| match task {
                    "entities" => group.gold_entities,
                    _ => group.gold_relations,
                };
                let columns: Vec<String> =
                    pick(first).iter().map(|group| format!("{} (n = {})", group.name, gold(group))).collect();
                let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
                let mut table = Table::new(&caption, &["System"], &columns);
                for (i, row) in &members {
                    let cell = |(g, group): (usize, &GroupSummary)| {
                        Cell::percent(Some(&of_task(&group.f1)), &format!("/rows/{i}/{id}/{g}/{task}"))
                    };
                    let cells = pick(row).iter().enumerate().map(cell).collect();
                    table.rows.push([vec![Cell::text(&row.system)], cells].concat());
                }
                table.mark_best(&vec![0; table.rows.len()]);
                tables.push(table);
            }
        }
        Section { id, title, text: text.into(), plots, tables }
    }

    fn curves(&self) -> Section {
        let mut plots = Vec::new();
        type Figure = fn(&Point) -> Option<f64>;
        let figures: [(&str, &str, Figure); 3] = [
            ("entities", "F1 of entities on dev", |point| point.entities.map(|f1| 100.0 * f1)),
            ("relations", "F1 of relations on dev", |point| point.relations.map(|f1| 100.0 * f1)),
            ("loss", "Training loss a sentence", |point| Some(point.loss)),
        ];
        for (number, data) in self.all_data().iter().enumerate() {
            let members =
                || self.rows().map(|(_, row)| row).filter(|row| Self::data(&row.corpus, row.protocol) == *data);
            for (key, title, figure) in figures {
                let line = |row: &Row| Line {
                    name: row.system.clone(),
                    values: row.curve.iter().map(figure).collect(),
                    deviations: Vec::new(),
                };
                let drawn: Vec<Line> = members().map(line).filter(|l| l.values.iter().any(Option::is_some)).collect();
                plots.extend(lines(&format!("curve-{number}-{key}"), &format!("{title}, {data}"), &drawn));
            }
        }
        let text = "The mean over the runs that came as far as each epoch.".into();
        Section { id: "curves", title: "Learning curves", text, plots, tables: Vec::new() }
    }

    fn errors(&self) -> Section {
        type Kinds = fn(&Errors) -> Vec<usize>;
        let tasks: [(&str, &[(&str, &str)], Kinds); 2] = [
            ("entities", &ENTITY_ERRORS, |errors| {
                let e = &errors.entities;
                vec![e.wrong_type, e.wrong_span, e.wrong_both, e.spurious, e.missed]
            }),
            ("relations", &RELATION_ERRORS, |errors| {
                let r = &errors.relations;
                vec![r.wrong_entity, r.wrong_label, r.wrong_direction, r.spurious, r.missed_entity, r.missed]
            }),
        ];
        let table = |(task, kinds, counts): &(&str, &[(&str, &str)], Kinds)| {
            let columns: Vec<&str> = kinds.iter().map(|kind| kind.1).collect();
            let title = format!("{}, sums over the runs", if *task == "entities" { "Entities" } else { "Relations" });
            let mut table = Table::new(&title, &["System", "Data"], &columns);
            for (i, row) in self.rows().filter(|(_, row)| row.runs > 0) {
                let cells = counts(&row.errors).into_iter().zip(kinds.iter());
                let cells = cells.map(|(n, kind)| Cell::count(n, format!("/rows/{i}/errors/{task}/{}", kind.0)));
                table.rows.push([Self::row_labels(row), cells.collect()].concat());
            }
            table
        };
        let text =
            "Errors on test by kind. A false positive is in one of the columns before the last: of entities, it \
                    has the wrong type, the wrong span, or both, or touches no gold entity; of relations, an argument \
                    is no gold entity, or the label or direction is wrong, or nothing relates the two."
                .into();
        let tables = tasks.iter().map(table).collect();
        Section { id: "errors", title: "Errors by kind", text, plots: Vec::new(), tables }
    }

    fn runs(&self) -> Section {
        let labels = ["System", "Data", "Seed", "Fold", "Folder"];
        let columns = ["Epoch", "Dev: entities", "relations", "Test: entities", "relations", "Seconds"];
        let mut table = Table::new("", &labels, &columns);
        let mut failed = Table::new("Failed", &["System", "Data", "Seed", "Fold", "Folder", "Reason"], &[]);
        for (i, run) in self.results.runs.iter().enumerate() {
            let labels = vec![
                Cell::text(&run.system),
                Cell::text(Self::data(&run.corpus, run.protocol)),
                Cell::text(run.seed.to_string()),
                Cell::text(run.fold.map_or_else(|| "–".into(), |fold| fold.to_string())),
                Cell::text(&run.id),
            ];
            let path = format!("/runs/{i}/outcome");
            let Some(outcome) = &run.outcome else {
                let reason = run.error.clone().unwrap_or_default();
                failed.rows.push([labels, vec![Cell::text(reason)]].concat());
                continue;
            };
            let f1 =
                |value, part, task| Cell::number(value, Unit::Percent, format!("{path}/{part}/{task}/strict/micro/f1"));
            let dev =
                |task, pick: Pick2| outcome.dev.as_ref().map_or_else(Cell::none, |dev| f1(pick(dev), "dev", task));
            let test = &outcome.test;
            let numbers = vec![
                Cell::count(outcome.epoch, format!("{path}/epoch")),
                dev("entities", |scores| scores.entities.strict.micro.f1),
                dev("relations", |scores| scores.relations.strict.micro.f1),
                f1(test.entities.strict.micro.f1, "test", "entities"),
                f1(test.relations.strict.micro.f1, "test", "relations"),
                Cell::number(outcome.seconds, Unit::Tenths, format!("{path}/seconds")),
            ];
            table.rows.push([labels, numbers].concat());
        }
        let text = "Every run, strict micro F1 in percent.".into();
        let tables = [failed, table].into_iter().filter(|table| !table.rows.is_empty()).collect();
        Section { id: "runs", title: "Runs", text, plots: Vec::new(), tables }
    }
}

/// A figure of a set of scores.
type Pick2 = fn(&crate::scoring::Scores) -> f64;

const ENTITY_ERRORS: [(&str, &str); 5] = [
    ("wrong_type", "wrong type"),
    ("wrong_span", "wrong span"),
    ("wrong_both", "wrong both"),
    ("spurious", "spurious"),
    ("missed", "missed"),
];
const RELATION_ERRORS: [(&str, &str); 6] = [
    ("wrong_entity", "wrong entity"),
    ("wrong_label", "wrong label"),
    ("wrong_direction", "wrong direction"),
    ("spurious", "spurious"),
    ("missed_entity", "missed with an entity"),
    ("missed", "missed"),
];

/// Strict micro F1 on test.
fn micro(row: &Row) -> Option<[(Moments, &'static str); 2]> {
    let test = row.test.as_ref()?;
    let [entities, relations] = [test.entities.strict.micro, test.relations.strict.micro];
    Some([(entities, "test/entities/strict/micro"), (relations, "test/relations/strict/micro")])
}
