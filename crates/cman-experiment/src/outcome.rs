//! The outcome of a run: scores, analyses and learning curve.

use cman_score::{Prf, Scores};
use cman_train::{LeftOut, Protocol};
use serde::{Deserialize, Serialize};

use crate::{
    analysis::{Errors, Group},
    plan::RunSpec,
};

/// The outcome of a finished run; the content of `run.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The selected epoch.
    pub epoch: usize,
    /// Number of parameters, without the vectors of words that do not occur in training.
    pub parameters: usize,
    /// Number of training sentences.
    pub train_sentences: usize,
    /// Number of sentences that selected the epoch.
    pub dev_sentences: usize,
    /// Number of test sentences.
    pub test_sentences: usize,
    /// Records that were left out of the data.
    #[serde(default, skip_serializing_if = "LeftOut::is_none")]
    pub left_out: LeftOut,
    /// Number of test sentences that also occur in the training data.
    pub leaked_test_sentences: usize,
    /// Scores on dev, if there is dev data.
    pub dev: Option<Scores>,
    /// Scores on test.
    pub test: Scores,
    /// Scores without the test sentences that also occur in the training data.
    pub test_without_leaked: Headline,
    /// Scores with gold entity labels as input of the relation scorer (Table 3); absent if the model reads no labels.
    pub test_gold_labels: Option<Headline>,
    /// Dev scores by entity distance (figure 4).
    pub distance: Vec<Group>,
    /// Dev scores by sentence length (figure 5).
    pub length: Vec<Group>,
    /// Errors on test.
    pub errors: Errors,
    /// The learning curve, one point per epoch.
    pub curve: Vec<Point>,
    /// Seconds of training and evaluation, without interruptions.
    pub seconds: f64,
}

/// The two scores that papers report: strict micro averages.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Headline {
    /// Entities.
    pub entities: Prf,
    /// Relations.
    pub relations: Prf,
}

impl From<&Scores> for Headline {
    fn from(scores: &Scores) -> Self {
        Self { entities: scores.entities.strict.micro, relations: scores.relations.strict.micro }
    }
}

/// One epoch of a learning curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Epoch, from 1.
    pub epoch: usize,
    /// Sum of tag loss and relation loss, averaged over sentences.
    pub loss: f64,
    /// Strict micro F1 of entities on dev, if there is dev data.
    pub entities: Option<f64>,
    /// Strict micro F1 of relations on dev, if there is dev data.
    pub relations: Option<f64>,
}

/// A run of an experiment with its outcome or its error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunResult {
    /// Id of the run, the name of its folder.
    pub id: String,
    /// The system.
    pub system: String,
    /// The corpus.
    pub corpus: String,
    /// The training protocol.
    pub protocol: Protocol,
    /// The seed.
    pub seed: u64,
    /// The fold, if the corpus has folds.
    pub fold: Option<usize>,
    /// The outcome, if the run finished.
    pub outcome: Option<Outcome>,
    /// The reason, if the run failed.
    pub error: Option<String>,
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
