//! Every system against the baseline.

use std::path::Path;

use cman_data::Sentence;

use crate::{Comparison, ExperimentError, Results, RunResult, read_predictions};

/// The comparisons that the finished runs allow: the baseline and another system, on a corpus, by a protocol, with a
/// seed. Folds are put together. Runs whose predictions are not there any more are left out.
pub(crate) fn compare(results: &Results, runs: &Path) -> Result<Vec<Comparison>, ExperimentError> {
    let Some(baseline) = &results.baseline else { return Ok(Vec::new()) };
    let mut comparisons: Vec<Comparison> = Vec::new();
    for run in results.runs.iter().filter(|run| run.system != *baseline) {
        let known = |c: &Comparison| {
            (&c.b, &c.corpus, c.protocol, c.seed) == (&run.system, &run.corpus, run.protocol, run.seed)
        };
        if comparisons.iter().any(known) {
            continue;
        }
        let like = |system: &str| {
            let same = |other: &&RunResult| {
                (other.system.as_str(), &other.corpus, other.protocol, other.seed)
                    == (system, &run.corpus, run.protocol, run.seed)
            };
            read_all(results.runs.iter().filter(same), runs)
        };
        let (Some((gold, a)), Some((other_gold, b))) = (like(baseline)?, like(&run.system)?) else { continue };
        // Systems that read the corpus differently, such as with another policy for overlaps, have other sentences.
        if gold != other_gold {
            continue;
        }
        let found = results.bootstrap.compare(&gold, &a, &b)?;
        comparisons.push(Comparison {
            corpus: run.corpus.clone(),
            protocol: run.protocol,
            seed: run.seed,
            a: baseline.clone(),
            b: run.system.clone(),
            sentences: gold.len(),
            entities: found.entities.strict,
            relations: found.relations.strict,
        });
    }
    Ok(comparisons)
}

/// Gold and predicted test sentences of runs one after the other, if all are finished and their files are there.
#[allow(clippy::type_complexity)]
fn read_all<'a>(
    members: impl Iterator<Item = &'a RunResult>,
    runs: &Path,
) -> Result<Option<(Vec<Sentence>, Vec<Sentence>)>, ExperimentError> {
    let (mut gold, mut predicted) = (Vec::new(), Vec::new());
    for run in members {
        let path = runs.join(&run.id).join("test.jsonl");
        if run.outcome.is_none() || !path.is_file() {
            return Ok(None);
        }
        for sentence in read_predictions(&path)? {
            gold.push(sentence.gold());
            predicted.push(sentence.predicted());
        }
    }
    Ok((!gold.is_empty()).then_some((gold, predicted)))
}
