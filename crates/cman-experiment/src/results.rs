//! The results of an experiment: `results.json`.

use std::{collections::BTreeMap, path::Path};

use cman_score::{Bootstrap, Difference};
use cman_train::Protocol;
use serde::{Deserialize, Serialize};

use crate::{
    error::ExperimentError,
    experiment::{Average, Published},
    machine::Machine,
    outcome::RunResult,
    plan::{CorpusFiles, Plan},
    storage,
    summary::Row,
};

/// Version of the format.
const FORMAT: u32 = 1;
/// Name of the file.
pub(crate) const RESULTS: &str = "results.json";

/// The results of an experiment, without predictions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// Version of the format.
    pub format: u32,
    /// Name of the experiment.
    pub name: String,
    /// Title of the report.
    pub title: String,
    /// Notes for readers of the report.
    pub notes: String,
    /// The average over types in the comparison with published scores.
    pub average: Average,
    /// The system that all others are compared with.
    pub baseline: Option<String>,
    /// Number of runs of the experiment.
    pub planned: usize,
    /// The last command.
    pub command: String,
    /// Name and version of the library.
    pub library: String,
    /// The machine of the last command.
    pub machine: Machine,
    /// The folder of runs, relative to the folder of this file.
    pub folder: String,
    /// Files of the corpora, word vectors and encoders.
    pub files: Vec<CorpusFiles>,
    /// The configuration of each system as TOML, with the seed of its first run.
    pub configurations: BTreeMap<String, String>,
    /// Published scores, in percent.
    pub published: Vec<Published>,
    /// Mean and standard deviation for each system, corpus and protocol.
    pub rows: Vec<Row>,
    /// Comparisons of every system with the baseline, for each seed.
    pub comparisons: Vec<Comparison>,
    /// The bootstrap settings of the comparisons.
    pub bootstrap: Bootstrap,
    /// The runs.
    pub runs: Vec<RunResult>,
}

/// Two systems on the same test sentences (of all folds) with the same seed: the difference in strict micro F1, with a
/// paired bootstrap over sentences.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The corpus.
    pub corpus: String,
    /// The training protocol.
    pub protocol: Protocol,
    /// The seed.
    pub seed: u64,
    /// The baseline.
    pub a: String,
    /// The other system.
    pub b: String,
    /// Number of test sentences.
    pub sentences: usize,
    /// Entities.
    pub entities: Difference,
    /// Relations.
    pub relations: Difference,
}

impl Results {
    /// Results without runs.
    pub(crate) fn new(plan: &Plan, command: &str, machine: Machine, folder: String) -> Self {
        let experiment = &plan.experiment;
        let mut configurations = BTreeMap::new();
        for run in &plan.runs {
            configurations.entry(run.system.clone()).or_insert_with(|| run.config.to_toml());
        }
        Self {
            format: FORMAT,
            name: experiment.name.clone(),
            title: experiment.title.clone(),
            notes: experiment.notes.trim().into(),
            average: experiment.average,
            baseline: experiment.baseline.clone(),
            planned: plan.runs.len(),
            command: command.into(),
            library: format!("cman {}", env!("CARGO_PKG_VERSION")),
            machine,
            folder,
            files: plan.files.clone(),
            configurations,
            published: experiment.published.clone(),
            rows: Vec::new(),
            comparisons: Vec::new(),
            bootstrap: Bootstrap::default(),
            runs: Vec::new(),
        }
    }

    /// Reads `results.json` in `folder`.
    ///
    /// # Errors
    /// A file that is missing or of another format.
    pub fn load(folder: &Path) -> Result<Self, ExperimentError> {
        let path = folder.join(RESULTS);
        let results: Self = storage::read_json(&path)?;
        if results.format != FORMAT {
            let reason = format!("expected format {FORMAT}, found format {}", results.format);
            return Err(ExperimentError::Folder { path, reason });
        }
        Ok(results)
    }

    /// Writes `results.json` into `folder`.
    pub(crate) fn save(&self, folder: &Path) -> Result<(), ExperimentError> {
        storage::replace_json(&folder.join(RESULTS), self)
    }
}
