//! Predictions with the gold annotation beside them: one line of JSON a sentence.
//!
//! `tokens`, `entities` and `relations` are the keys of `cman predict`, so these files can be scored like any others.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use cman_data::{Entity, Relation, Sentence};
use serde::{Deserialize, Serialize};

use crate::{ExperimentError, storage};

/// A sentence with what was predicted and what is gold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PredictedSentence {
    /// The corpus's name for the sentence.
    pub id: String,
    /// The words.
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
    /// Puts a gold sentence and its prediction together.
    pub fn new(gold: &Sentence, predicted: &Sentence) -> Self {
        let annotation = |sentence: &Sentence| (sentence.entities.clone(), sentence.relations.clone());
        let ((entities, relations), gold_) = (annotation(predicted), annotation(gold));
        Self {
            id: gold.id.clone(),
            tokens: gold.words().map(str::to_owned).collect(),
            entities,
            relations,
            gold: Annotation { entities: gold_.0, relations: gold_.1 },
        }
    }

    /// The gold sentence.
    pub fn gold(&self) -> Sentence {
        self.sentence(&self.gold.entities, &self.gold.relations)
    }

    /// The sentence as predicted.
    pub fn predicted(&self) -> Sentence {
        self.sentence(&self.entities, &self.relations)
    }

    fn sentence(&self, entities: &[Entity], relations: &[Relation]) -> Sentence {
        Sentence {
            entities: entities.to_vec(),
            relations: relations.to_vec(),
            ..Sentence::from_tokens(&self.id, &self.tokens)
        }
    }
}

/// Reads a file of predictions.
///
/// # Errors
/// A file that cannot be read, or a line that is no predicted sentence.
pub fn read_predictions(path: &Path) -> Result<Vec<PredictedSentence>, ExperimentError> {
    let file = File::open(path).map_err(|source| ExperimentError::io(path, source))?;
    let lines = BufReader::new(file).lines().enumerate();
    let sentence = |(i, line): (usize, std::io::Result<String>)| {
        let line = line.map_err(|source| ExperimentError::io(path, source))?;
        let fail = |error: serde_json::Error| ExperimentError::Record { path: path.into(), line: i + 1, source: error };
        serde_json::from_str(&line).map_err(fail)
    };
    lines.map(sentence).collect()
}

/// Writes a file of predictions, whole or not at all.
pub(crate) fn write_predictions(path: &Path, gold: &[Sentence], predicted: &[Sentence]) -> Result<(), ExperimentError> {
    let mut text = Vec::new();
    for (gold, predicted) in gold.iter().zip(predicted) {
        let line = PredictedSentence::new(gold, predicted);
        serde_json::to_writer(&mut text, &line).expect("strings and numbers are always JSON");
        text.push(b'\n');
    }
    storage::replace(path, &text)
}
