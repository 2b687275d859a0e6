//! Comparisons of every system with the baseline.

use std::path::Path;

use cman_data::Sentence;
use cman_train::Protocol;

use crate::{
    error::ExperimentError,
    outcome::RunResult,
    plan::Plan,
    predictions::{TEST, read_predictions},
    results::{Comparison, Results},
};

/// Corpus, protocol and seed of a comparison.
type Setup<'a> = (&'a str, Protocol, u64);

/// The comparisons of the finished runs: the baseline and another system on the same corpus, with the same protocol and
/// seed. The folds of a corpus are concatenated. If predictions of finished runs are missing, the
/// comparison is taken from `earlier`.
pub(crate) fn compare(
    results: &Results,
    runs: &Path,
    earlier: &[Comparison],
) -> Result<Vec<Comparison>, ExperimentError> {
    let Some(baseline) = &results.baseline else { return Ok(Vec::new()) };
    let mut comparisons: Vec<Comparison> = Vec::new();
    for run in results.runs.iter().filter(|run| run.system != *baseline) {
        let setup = (run.corpus.as_str(), run.protocol, run.seed);
        let same = |comparison: &&Comparison| comparison.b == run.system && self::setup(comparison) == setup;
        if comparisons.iter().any(|comparison| same(&comparison)) {
            continue;
        }
        let members = |system| results.runs.iter().filter(move |other| belongs(other, system, setup));
        if members(baseline).chain(members(&run.system)).any(|run| run.outcome.is_none()) {
            continue;
        }
        let read = |system| read_all(members(system), runs);
        let (Some((gold, a)), Some((other_gold, b))) = (read(baseline)?, read(&run.system)?) else {
            comparisons.extend(earlier.iter().find(same).cloned());
            continue;
        };
        // Systems that read the corpus differently, for example with another overlap policy, have other sentences.
        if gold != other_gold {
            continue;
        }
        let differences = results.bootstrap.compare(&gold, &a, &b)?;
        comparisons.push(Comparison {
            corpus: run.corpus.clone(),
            protocol: run.protocol,
            seed: run.seed,
            a: baseline.clone(),
            b: run.system.clone(),
            sentences: gold.len(),
            entities: differences.entities.strict,
            relations: differences.relations.strict,
        });
    }
    Ok(comparisons)
}

/// The comparisons of earlier results that are valid for a plan: baseline and bootstrap are the same, and both systems
/// have exactly the runs that the plan has.
pub(crate) fn still_valid(earlier: Results, results: &Results, plan: &Plan) -> Vec<Comparison> {
    if earlier.baseline != results.baseline || earlier.bootstrap != results.bootstrap {
        return Vec::new();
    }
    let valid = |comparison: &Comparison| {
        [&comparison.a, &comparison.b].into_iter().all(|system| {
            let setup = setup(comparison);
            let ran = earlier.runs.iter().filter(|run| belongs(run, system, setup)).map(|run| &run.id);
            let planned = plan
                .runs
                .iter()
                .filter(|run| run.system == *system && (run.corpus.as_str(), run.protocol, run.config.seed) == setup);
            ran.eq(planned.map(|run| &run.id))
        })
    };
    earlier.comparisons.iter().filter(|comparison| valid(comparison)).cloned().collect()
}

fn setup(comparison: &Comparison) -> Setup<'_> {
    (&comparison.corpus, comparison.protocol, comparison.seed)
}

fn belongs(run: &RunResult, system: &str, setup: Setup) -> bool {
    run.system == system && (run.corpus.as_str(), run.protocol, run.seed) == setup
}

/// Gold and predicted test sentences of finished runs, concatenated; `None` if a run lacks predictions.
#[allow(clippy::type_complexity)]
fn read_all<'a>(
    members: impl Iterator<Item = &'a RunResult>,
    runs: &Path,
) -> Result<Option<(Vec<Sentence>, Vec<Sentence>)>, ExperimentError> {
    let (mut gold, mut predicted) = (Vec::new(), Vec::new());
    for run in members {
        let path = runs.join(&run.id).join(TEST);
        if !path.is_file() {
            return Ok(None);
        }
        for sentence in read_predictions(&path)? {
            gold.push(sentence.gold());
            predicted.push(sentence.predicted());
        }
    }
    Ok((!gold.is_empty()).then_some((gold, predicted)))
}
