//! Predictions with gold annotation: one line of JSON per sentence.
//!
//! `tokens`, `entities` and `relations` are the keys that `cman predict` writes, so `cman score` reads these files too.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use cman_data::{Entity, Relation, Sentence};
use serde::{Deserialize, Serialize};

use crate::{error::ExperimentError, storage};

/// Predictions on dev, in a run's folder.
pub(crate) const DEV: &str = "dev.jsonl";
/// Predictions on test, in a run's folder.
pub(crate) const TEST: &str = "test.jsonl";

/// A sentence with predicted and gold annotation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PredictedSentence {
    /// Id of the sentence in the corpus.
    pub id: String,
    /// The tokens.
    pub tokens: Vec<String>,
    /// The predicted entities.
    pub entities: Vec<Entity>,
    /// The predicted relations.
    pub relations: Vec<Relation>,
    /// The gold annotation.
    pub gold: Annotation,
}

/// Entities and the relations between them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Annotation {
    /// The entities.
    pub entities: Vec<Entity>,
    /// The relations.
    pub relations: Vec<Relation>,
}

impl PredictedSentence {
    /// Combines a gold sentence and its prediction.
    pub fn new(gold: &Sentence, predicted: &Sentence) -> Self {
        Self {
            id: gold.id.to_string(),
            tokens: gold.words().map(str::to_owned).collect(),
            entities: predicted.entities.clone(),
            relations: predicted.relations.clone(),
            gold: Annotation { entities: gold.entities.clone(), relations: gold.relations.clone() },
        }
    }

    /// The sentence with gold annotation.
    pub fn gold(&self) -> Sentence {
        self.sentence(&self.gold.entities, &self.gold.relations)
    }

    /// The sentence with predicted annotation.
    pub fn predicted(&self) -> Sentence {
        self.sentence(&self.entities, &self.relations)
    }

    fn sentence(&self, entities: &[Entity], relations: &[Relation]) -> Sentence {
        Sentence {
            entities: entities.to_vec(),
            relations: relations.to_vec(),
            ..Sentence::from_tokens(self.id.as_str(), &self.tokens)
        }
    }
}

/// Reads a file of predictions.
///
/// # Errors
/// A file that cannot be read, or a line that is not a predicted sentence.
pub fn read_predictions(path: &Path) -> Result<Vec<PredictedSentence>, ExperimentError> {
    let file = File::open(path).map_err(|source| ExperimentError::io(path, source))?;
    let lines = BufReader::new(file).lines().enumerate();
    let sentence = |(i, line): (usize, std::io::Result<String>)| {
        let line = line.map_err(|source| ExperimentError::io(path, source))?;
        serde_json::from_str(&line).map_err(|source| ExperimentError::record(path, i + 1, source))
    };
    lines.map(sentence).collect()
}

/// Writes a file of predictions. An existing file is replaced at once.
pub(crate) fn write_predictions(path: &Path, gold: &[Sentence], predicted: &[Sentence]) -> Result<(), ExperimentError> {
    let mut text = Vec::new();
    for (gold, predicted) in gold.iter().zip(predicted) {
        let line = PredictedSentence::new(gold, predicted);
        serde_json::to_writer(&mut text, &line).expect("predictions have a JSON form");
        text.push(b'\n');
    }
    storage::replace(path, &text)
}
