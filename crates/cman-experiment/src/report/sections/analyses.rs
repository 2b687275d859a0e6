//! The sections with analyses: by distance, by length, by epoch, and by kind of error.

use super::section::{Section, Sections};
use crate::{
    analysis::Errors,
    outcome::Point,
    report::{
        plots::{Line, bars, lines},
        table::{Cell, Table},
    },
    summary::{GroupSummary, Moments, Pair, Row},
};

/// A kind of error: key in the results, name, count.
type Kind = (&'static str, &'static str, usize);

impl Sections<'_> {
    pub(super) fn groups(
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
                // A group without gold items has no score.
                let f1 = |group: &GroupSummary| (gold(group, task) > 0).then(|| of_task(&group.f1));
                let percent = |part: fn(&Moments) -> Option<f64>, group: &GroupSummary| {
                    f1(group).as_ref().and_then(part).map(|x| 100.0 * x)
                };
                let line = |(_, row): &(usize, &Row)| Line {
                    name: row.system.clone(),
                    values: pick(row).iter().map(|group| percent(|f1| Some(f1.mean), group)).collect(),
                    deviations: pick(row).iter().map(|group| percent(|f1| f1.deviation, group)).collect(),
                };
                let drawn: Vec<Line> = members.iter().map(line).collect();
                let caption = format!("F1 of {task}, {data}");
                plots.extend(bars(&format!("{id}-{number}-{task}"), &caption, &names, &drawn));
                let columns: Vec<String> =
                    pick(first).iter().map(|group| format!("{} (n = {})", group.name, gold(group, task))).collect();
                let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
                let mut table = Table::new(&caption, &["System"], &columns);
                for (i, row) in &members {
                    let cell = |(g, group): (usize, &GroupSummary)| {
                        Cell::percent(f1(group).as_ref(), &format!("/rows/{i}/{id}/{g}/{task}"))
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

    pub(super) fn curves(&self) -> Section {
        let mut plots = Vec::new();
        type Value = fn(&Point) -> Option<f64>;
        let values: [(&str, &str, Value); 3] = [
            ("entities", "F1 of entities on dev", |point| point.entities.map(|f1| 100.0 * f1)),
            ("relations", "F1 of relations on dev", |point| point.relations.map(|f1| 100.0 * f1)),
            ("loss", "Training loss per sentence", |point| Some(point.loss)),
        ];
        for (number, data) in self.all_data().iter().enumerate() {
            let members =
                || self.rows().map(|(_, row)| row).filter(|row| Self::data(&row.corpus, row.protocol) == *data);
            for (key, title, value) in values {
                let line = |row: &Row| Line {
                    name: row.system.clone(),
                    values: row.curve.iter().map(value).collect(),
                    deviations: Vec::new(),
                };
                let drawn: Vec<Line> = members().map(line).filter(|l| l.values.iter().any(Option::is_some)).collect();
                plots.extend(lines(&format!("curve-{number}-{key}"), &format!("{title}, {data}"), &drawn));
            }
        }
        let text = "Each epoch shows the mean over the runs that reached it.".into();
        Section { id: "curves", title: "Learning curves", text, plots, tables: Vec::new() }
    }

    pub(super) fn errors(&self) -> Section {
        let table = |task: &str, title: &str, kinds: fn(&Errors) -> Vec<Kind>| {
            let columns: Vec<&str> = kinds(&Errors::default()).iter().map(|kind| kind.1).collect();
            let mut table = Table::new(&format!("{title}, summed over runs"), &["System", "Data"], &columns);
            for (i, row) in self.rows().filter(|(_, row)| row.runs > 0) {
                let cells = kinds(&row.errors).into_iter();
                let cells = cells.map(|(key, _, n)| Cell::count(n, format!("/rows/{i}/errors/{task}/{key}")));
                table.rows.push([Self::row_labels(row), cells.collect()].concat());
            }
            table
        };
        let text =
            "Errors on test by kind. Every false positive is in one of the first four columns. An entity has the \
                    wrong type, the wrong span, or both, or overlaps no gold entity. A relation has an argument that \
                    is not a gold entity, the wrong label, or the wrong direction, or connects two entities without a \
                    gold relation."
                .into();
        let tables =
            vec![table("entities", "Entities", entity_errors), table("relations", "Relations", relation_errors)];
        Section { id: "errors", title: "Errors by kind", text, plots: Vec::new(), tables }
    }
}

fn entity_errors(errors: &Errors) -> Vec<Kind> {
    let e = &errors.entities;
    vec![
        ("wrong_type", "wrong type", e.wrong_type),
        ("wrong_span", "wrong span", e.wrong_span),
        ("wrong_both", "wrong both", e.wrong_both),
        ("spurious", "spurious", e.spurious),
        ("missed", "missed", e.missed),
    ]
}

fn relation_errors(errors: &Errors) -> Vec<Kind> {
    let e = &errors.relations;
    vec![
        ("wrong_entity", "wrong entity", e.wrong_entity),
        ("wrong_label", "wrong label", e.wrong_label),
        ("wrong_direction", "wrong direction", e.wrong_direction),
        ("spurious", "spurious", e.spurious),
        ("missed_entity", "missed with an entity", e.missed_entity),
        ("missed", "missed", e.missed),
    ]
}

/// Gold items of a group.
fn gold(group: &GroupSummary, task: &str) -> usize {
    if task == "entities" { group.gold_entities } else { group.gold_relations }
}
