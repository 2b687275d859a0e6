//! Mean and standard deviation over the runs of a system.

use std::collections::BTreeMap;

use cman_score::{Prf, Scores, Section, Task};
use cman_train::{Protocol, selection_metric};
use serde::{Deserialize, Serialize};

use crate::{
    analysis::{Errors, Group, GroupScore},
    outcome::{Headline, Outcome, Point, RunResult},
};

/// Mean and sample standard deviation over runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    /// The mean.
    pub mean: f64,
    /// The standard deviation with divisor n - 1; absent for a single run.
    pub deviation: Option<f64>,
    /// Number of runs.
    pub n: usize,
}

/// The runs of a system on a corpus with a protocol: all seeds and folds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The system.
    pub system: String,
    /// The corpus.
    pub corpus: String,
    /// The training protocol.
    pub protocol: Protocol,
    /// Number of finished runs.
    pub runs: usize,
    /// Number of failed runs.
    pub failed: usize,
    /// The metric that selects the epoch, (entity F1 + relation F1) / 2 on dev, if there is dev data.
    #[serde(rename = "criterion")]
    pub selection_metric: Option<Moments>,
    /// Scores on dev, if there is dev data.
    pub dev: Option<Summary>,
    /// Scores on test, if any run finished.
    pub test: Option<Summary>,
    /// Scores without the test sentences that also occur in the training data.
    pub test_without_leaked: Option<Pair>,
    /// Scores with gold entity labels at inference (Table 3).
    pub test_gold_labels: Option<Pair>,
    /// Dev scores by entity distance (figure 4).
    pub distance: Vec<GroupSummary>,
    /// Dev scores by sentence length (figure 5).
    pub length: Vec<GroupSummary>,
    /// Errors on test, summed over runs.
    pub errors: Errors,
    /// The mean learning curve.
    pub curve: Vec<Point>,
    /// The selected epoch.
    pub epoch: Option<Moments>,
    /// Seconds per run.
    pub seconds: Option<Moments>,
}

/// A summary of [`Scores`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Entity recognition.
    pub entities: TaskSummary,
    /// Relation extraction.
    pub relations: TaskSummary,
}

/// A summary of a [`Task`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskSummary {
    /// Span and type must match.
    pub strict: SectionSummary,
    /// Only the span must match.
    pub boundaries: SectionSummary,
}

/// A summary of a [`Section`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SectionSummary {
    /// Micro precision.
    pub precision: Moments,
    /// Micro recall.
    pub recall: Moments,
    /// Micro F1.
    pub micro: Moments,
    /// Macro F1: the mean over types.
    #[serde(rename = "macro")]
    pub macro_: Moments,
    /// F1 of each type.
    pub types: BTreeMap<String, Moments>,
}

/// Strict micro F1 of both tasks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// Entities.
    pub entities: Moments,
    /// Relations.
    pub relations: Moments,
}

/// F1 on a group of the dev data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupSummary {
    /// Name of the group.
    pub name: String,
    /// F1.
    #[serde(flatten)]
    pub f1: Pair,
    /// Number of gold entities, the maximum over runs.
    pub gold_entities: usize,
    /// Number of gold relations, the maximum over runs.
    pub gold_relations: usize,
}

impl Moments {
    /// The moments of values; `None` without values.
    ///
    /// ```
    /// # use cman_experiment::Moments;
    /// let moments = Moments::of([1.0, 3.0]).unwrap();
    /// assert_eq!((moments.mean, moments.deviation), (2.0, Some(2.0_f64.sqrt())));
    /// assert_eq!(Moments::of([1.0]).unwrap().deviation, None);
    /// ```
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let values: Vec<f64> = values.into_iter().collect();
        let n = values.len();
        if n == 0 {
            return None;
        }
        let mean = values.iter().sum::<f64>() / n as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Some(Self { mean, deviation: (n > 1).then(|| (squares / (n - 1) as f64).sqrt()), n })
    }
}

/// One row per system, corpus and protocol.
pub(crate) fn summarise(runs: &[RunResult]) -> Vec<Row> {
    let mut keys: Vec<(&str, Protocol, &str)> = Vec::new();
    for run in runs {
        let key = (run.corpus.as_str(), run.protocol, run.system.as_str());
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    // Rows are ordered by corpus and protocol; systems keep the order of the experiment file.
    let rank = |corpus: &str| keys.iter().position(|key| key.0 == corpus);
    let mut order = keys.clone();
    order.sort_by_key(|key| (rank(key.0), key.1));
    let row = |(corpus, protocol, system): (&str, Protocol, &str)| {
        let of_row =
            |run: &&RunResult| (run.corpus.as_str(), run.protocol, run.system.as_str()) == (corpus, protocol, system);
        let members: Vec<&RunResult> = runs.iter().filter(of_row).collect();
        let outcomes: Vec<&Outcome> = members.iter().filter_map(|run| run.outcome.as_ref()).collect();
        let mut errors = Errors::default();
        outcomes.iter().for_each(|outcome| errors.add(&outcome.errors));
        Row {
            system: system.into(),
            corpus: corpus.into(),
            protocol,
            runs: outcomes.len(),
            failed: members.len() - outcomes.len(),
            selection_metric: Moments::of(
                outcomes.iter().filter_map(|outcome| outcome.dev.as_ref()).map(selection_metric),
            ),
            dev: Summary::of(outcomes.iter().filter_map(|outcome| outcome.dev.as_ref())),
            test: Summary::of(outcomes.iter().map(|outcome| &outcome.test)),
            test_without_leaked: Pair::of(outcomes.iter().map(|outcome| outcome.test_without_leaked)),
            test_gold_labels: Pair::of(outcomes.iter().filter_map(|outcome| outcome.test_gold_labels)),
            distance: groups(outcomes.iter().map(|outcome| &outcome.distance)),
            length: groups(outcomes.iter().map(|outcome| &outcome.length)),
            errors,
            curve: curve(&outcomes),
            epoch: Moments::of(outcomes.iter().map(|outcome| outcome.epoch as f64)),
            seconds: Moments::of(outcomes.iter().map(|outcome| outcome.seconds)),
        }
    };
    order.into_iter().map(row).collect()
}

impl Summary {
    fn of<'a>(scores: impl Iterator<Item = &'a Scores>) -> Option<Self> {
        let scores: Vec<&Scores> = scores.collect();
        let task = |pick: fn(&Scores) -> &Task| {
            let tasks: Vec<&Task> = scores.iter().map(|scores| pick(scores)).collect();
            let section =
                |pick: fn(&Task) -> &Section| SectionSummary::of(tasks.iter().map(|task| pick(task)).collect());
            Some(TaskSummary { strict: section(|task| &task.strict)?, boundaries: section(|task| &task.boundaries)? })
        };
        Some(Self { entities: task(|scores| &scores.entities)?, relations: task(|scores| &scores.relations)? })
    }
}

impl SectionSummary {
    fn of(sections: Vec<&Section>) -> Option<Self> {
        let moments = |pick: fn(&Section) -> f64| Moments::of(sections.iter().map(|section| pick(section)));
        let names = sections.iter().flat_map(|section| section.types.keys());
        let of_type = |name: &String| Moments::of(sections.iter().filter_map(|s| s.types.get(name)).map(|prf| prf.f1));
        let types = names.filter_map(|name| Some((name.clone(), of_type(name)?))).collect();
        Some(Self {
            precision: moments(|section| section.micro.precision)?,
            recall: moments(|section| section.micro.recall)?,
            micro: moments(|section| section.micro.f1)?,
            macro_: moments(|section| section.macro_.f1)?,
            types,
        })
    }
}

impl Pair {
    fn of(headlines: impl Iterator<Item = Headline>) -> Option<Self> {
        let headlines: Vec<Headline> = headlines.collect();
        let f1 = |pick: fn(&Headline) -> Prf| Moments::of(headlines.iter().map(|headline| pick(headline).f1));
        Some(Self { entities: f1(|headline| headline.entities)?, relations: f1(|headline| headline.relations)? })
    }
}

/// Summaries of the groups over runs.
fn groups<'a>(runs: impl Iterator<Item = &'a Vec<Group>>) -> Vec<GroupSummary> {
    let runs: Vec<&Vec<Group>> = runs.collect();
    let first = runs.iter().find(|groups| !groups.is_empty());
    let summary = |(i, group): (usize, &Group)| {
        let of_task = |task: fn(&Group) -> GroupScore| {
            let all: Vec<GroupScore> = runs.iter().filter_map(|groups| groups.get(i)).map(task).collect();
            let most_gold = all.iter().map(|score| score.gold).max().unwrap_or(0);
            // A run without gold items in the group does not count, unless no run has any.
            let f1 = Moments::of(all.iter().filter(|score| score.gold > 0 || most_gold == 0).map(|score| score.f1))?;
            Some((f1, most_gold))
        };
        let (entities, gold_entities) = of_task(|group| group.entities)?;
        let (relations, gold_relations) = of_task(|group| group.relations)?;
        Some(GroupSummary { name: group.name.clone(), f1: Pair { entities, relations }, gold_entities, gold_relations })
    };
    first.into_iter().copied().flatten().enumerate().filter_map(summary).collect()
}

/// The mean curve. Each epoch averages the runs that reached it.
fn curve(outcomes: &[&Outcome]) -> Vec<Point> {
    let longest = outcomes.iter().map(|outcome| outcome.curve.len()).max().unwrap_or(0);
    let point = |i: usize| {
        let points: Vec<&Point> = outcomes.iter().filter_map(|outcome| outcome.curve.get(i)).collect();
        let mean = |values: Vec<f64>| Moments::of(values).map(|moments| moments.mean);
        Some(Point {
            epoch: i + 1,
            loss: mean(points.iter().map(|point| point.loss).collect())?,
            entities: mean(points.iter().filter_map(|point| point.entities).collect()),
            relations: mean(points.iter().filter_map(|point| point.relations).collect()),
        })
    };
    (0..longest).filter_map(point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fold_without_gold_items_in_a_group_does_not_count() {
        let run = |gold: usize, f1: f64| {
            let entities = GroupScore { f1, gold, ..GroupScore::default() };
            vec![Group { name: "50+".into(), entities, relations: GroupScore::default() }]
        };
        let group = &groups([run(0, 0.0), run(4, 0.5), run(2, 1.0)].iter())[0];
        assert_eq!((group.f1.entities.mean, group.f1.entities.n, group.gold_entities), (0.75, 2, 4));
        assert_eq!((group.f1.relations.n, group.gold_relations), (3, 0));
    }
}
