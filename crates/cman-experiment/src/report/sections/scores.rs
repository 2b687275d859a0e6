//! The sections with the scores of every system, overall and by type.

use super::section::{Section, Sections, TASKS};
use crate::{
    report::table::{Cell, Table},
    summary::{Row, Summary},
};

impl Sections<'_> {
    pub(super) fn scores(&self) -> Section {
        let mut tables = Vec::new();
        type Part = fn(&Row) -> Option<&Summary>;
        let parts: [(&str, &str, Part); 2] =
            [("test", "test", |row| row.test.as_ref()), ("dev", "dev", |row| row.dev.as_ref())];
        for (key, name, part) in parts {
            for (task, title, pick) in TASKS {
                let numbers = ["F1 micro", "F1 macro", "P", "R", "F1 boundaries"];
                let mut table = Table::new(&format!("{title}, {name}"), &["System", "Data"], &numbers);
                for (i, row) in self.rows() {
                    let Some(summary) = part(row).map(pick) else { continue };
                    let path = format!("/rows/{i}/{key}/{task}");
                    let strict = &summary.strict;
                    let cells = [
                        ("strict/micro", &strict.micro),
                        ("strict/macro", &strict.macro_),
                        ("strict/precision", &strict.precision),
                        ("strict/recall", &strict.recall),
                        ("boundaries/micro", &summary.boundaries.micro),
                    ];
                    let cells = cells.map(|(key, moments)| Cell::percent(Some(moments), &format!("{path}/{key}")));
                    table.rows.push([Self::row_labels(row), cells.to_vec()].concat());
                }
                self.mark_best(&mut table);
                tables.push(table);
            }
        }
        let text =
            "Scores in percent, mean ± standard deviation over runs. They are strict, except in the last column, \
                    which ignores types. The macro average is over all types. The epoch was selected on dev, by the \
                    mean of entity and relation micro F1, never on test. The best score on the same data is bold."
                .into();
        Section { id: "scores", title: "Scores", text, plots: Vec::new(), tables }
    }

    pub(super) fn types(&self) -> Section {
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
}
