//! The sum of an experiment: `results.json`.

use std::{collections::BTreeMap, path::Path};

use cman_score::{Bootstrap, Difference};
use cman_train::Protocol;
use serde::{Deserialize, Serialize};

use crate::{Average, CorpusFiles, ExperimentError, Machine, Outcome, Plan, Published, Row, RunSpec, storage};

/// Version of the layout.
const FORMAT: u32 = 1;
/// The file's name.
pub(crate) const RESULTS: &str = "results.json";

/// All that is known of an experiment, but for its predictions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// Version of the layout.
    pub format: u32,
    /// Name of the experiment.
    pub name: String,
    /// Headline.
    pub title: String,
    /// What the reader should know.
    pub notes: String,
    /// How types are averaged in the comparison with published figures.
    pub average: Average,
    /// The system that others are compared with.
    pub baseline: Option<String>,
    /// Runs that the experiment consists of.
    pub planned: usize,
    /// The command that was given last.
    pub command: String,
    /// The library that trained.
    pub library: String,
    /// The machine that trained last.
    pub machine: Machine,
    /// Where the runs' folders are, from the folder of this file.
    pub folder: String,
    /// The corpora and word vectors.
    pub files: Vec<CorpusFiles>,
    /// The configuration of each system, in TOML; the seed is that of the first run.
    pub configurations: BTreeMap<String, String>,
    /// Published figures, in percent.
    pub published: Vec<Published>,
    /// Mean and deviation for each system, corpus and protocol.
    pub rows: Vec<Row>,
    /// Every system against the baseline, for each seed.
    pub comparisons: Vec<Comparison>,
    /// The settings of their bootstrap.
    pub bootstrap: Bootstrap,
    /// Every run.
    pub runs: Vec<RunResult>,
}

/// A run and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunResult {
    /// Name of its folder.
    pub id: String,
    /// The system.
    pub system: String,
    /// The corpus.
    pub corpus: String,
    /// What was trained on.
    pub protocol: Protocol,
    /// The seed.
    pub seed: u64,
    /// The fold, if there are folds.
    pub fold: Option<usize>,
    /// What it brought, if it finished.
    pub outcome: Option<Outcome>,
    /// Why it failed, if it did.
    pub error: Option<String>,
}

/// Two systems on the same test sentences (all folds together) with the same seed: strict micro F1 and how sure the
/// difference is, by a paired bootstrap over sentences.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The corpus.
    pub corpus: String,
    /// What was trained on.
    pub protocol: Protocol,
    /// The seed.
    pub seed: u64,
    /// The baseline.
    pub a: String,
    /// The other system.
    pub b: String,
    /// Test sentences.
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
            let reason = format!("format {}, this library reads format {FORMAT}", results.format);
            return Err(ExperimentError::Folder { path, reason });
        }
        Ok(results)
    }

    /// Writes `results.json` into `folder`.
    pub(crate) fn save(&self, folder: &Path) -> Result<(), ExperimentError> {
        storage::replace_json(&folder.join(RESULTS), self)
    }
}

impl RunResult {
    pub(crate) fn new(spec: &RunSpec, outcome: Result<Outcome, String>) -> Self {
        let (outcome, error) = match outcome {
            Ok(outcome) => (Some(outcome), None),
            Err(error) => (None, Some(error)),
        };
        Self {
            id: spec.id.clone(),
            system: spec.system.clone(),
            corpus: spec.corpus.clone(),
            protocol: spec.protocol,
            seed: spec.config.seed,
            fold: spec.fold,
            outcome,
            error,
        }
    }
}
