//! The section with every run.

use cman_score::Scores;
use cman_train::LeftOut;

use super::section::{Section, Sections};
use crate::report::table::{Cell, Table, Unit};

/// Selects a score.
type Score = fn(&Scores) -> f64;

impl Sections<'_> {
    /// The most records that a run left out of each part; `None` if no run left any out.
    fn most_left_out(&self) -> Option<LeftOut> {
        let outcomes = self.results.runs.iter().filter_map(|run| run.outcome.as_ref());
        let most = outcomes.map(|outcome| outcome.left_out).reduce(|a, b| LeftOut {
            train: a.train.max(b.train),
            dev: a.dev.max(b.dev),
            test: a.test.max(b.test),
        });
        most.filter(|most| !most.is_none())
    }

    pub(super) fn runs(&self) -> Section {
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
                |task, pick: Score| outcome.dev.as_ref().map_or_else(Cell::none, |dev| f1(pick(dev), "dev", task));
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
        let mut text = "All runs. Strict micro F1 in percent.".to_owned();
        if let Some(LeftOut { train, dev, test }) = self.most_left_out() {
            text += &format!(
                " Up to {train} training, {dev} dev and {test} test records of a run were left out as invalid or because \
                 of overlapping entities; scores are on the rest."
            );
        }
        let tables = vec![failed, table];
        Section { id: "runs", title: "Runs", text, plots: Vec::new(), tables }
    }
}
