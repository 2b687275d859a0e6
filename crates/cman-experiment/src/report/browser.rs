//! The data of the error browser: gold and predicted annotation of all test sentences.

use std::path::Path;

use cman_data::{Entity, Relation};
use serde::Serialize;

use crate::{
    error::ExperimentError,
    outcome::RunResult,
    predictions::{PredictedSentence, TEST, read_predictions},
    results::Results,
};

/// The data that the script of the page reads.
#[derive(Debug, Default, Serialize)]
pub(super) struct Browser {
    /// Gold sentences. Systems that read the corpus in the same way share them.
    gold: Vec<Vec<Gold>>,
    /// Predictions of each system.
    pub views: Vec<View>,
}

/// A test sentence.
#[derive(Debug, PartialEq, Serialize)]
struct Gold {
    id: String,
    tokens: Vec<String>,
    #[serde(flatten)]
    marks: Marks,
}

/// Entities (type, start, end) and relations (type, head, tail).
#[derive(Debug, PartialEq, Serialize)]
struct Marks {
    entities: Vec<(String, usize, usize)>,
    relations: Vec<(String, usize, usize)>,
}

/// The predictions of one seed (of all folds).
#[derive(Debug, Serialize)]
pub(super) struct View {
    pub name: String,
    /// Index into `gold` of [`Browser`].
    gold: usize,
    sentences: Vec<Marks>,
}

impl Browser {
    /// Reads the predictions of the first finished seed of every system, corpus and protocol. Missing predictions are
    /// skipped.
    pub fn read(results: &Results, folder: &Path) -> Result<Self, ExperimentError> {
        let runs = folder.join(&results.folder);
        let mut browser = Self::default();
        for row in &results.rows {
            let of_row = |run: &&RunResult| {
                (&run.system, &run.corpus, run.protocol) == (&row.system, &row.corpus, row.protocol)
                    && run.outcome.is_some()
            };
            let Some(seed) = results.runs.iter().find(of_row).map(|run| run.seed) else { continue };
            let mut sentences = Vec::new();
            for run in results.runs.iter().filter(of_row).filter(|run| run.seed == seed) {
                let path = runs.join(&run.id).join(TEST);
                if path.is_file() {
                    sentences.extend(read_predictions(&path)?);
                }
            }
            if !sentences.is_empty() {
                let name = format!("{} · {} · {} · seed {seed}", row.system, row.corpus, row.protocol);
                browser.add(name, sentences);
            }
        }
        Ok(browser)
    }

    fn add(&mut self, name: String, sentences: Vec<PredictedSentence>) {
        let (mut gold, mut predicted) = (Vec::new(), Vec::new());
        for sentence in sentences {
            predicted.push(Marks::new(sentence.entities, sentence.relations));
            let marks = Marks::new(sentence.gold.entities, sentence.gold.relations);
            gold.push(Gold { id: sentence.id, tokens: sentence.tokens, marks });
        }
        let existing = self.gold.iter().position(|other| *other == gold);
        let index = existing.unwrap_or_else(|| {
            self.gold.push(gold);
            self.gold.len() - 1
        });
        self.views.push(View { name, gold: index, sentences: predicted });
    }

    /// JSON that can be embedded in an HTML element.
    pub fn to_json(&self) -> String {
        let json = serde_json::to_string(self).expect("annotations have a JSON form");
        json.replace('<', "\\u003c")
    }
}

impl Marks {
    fn new(entities: Vec<Entity>, relations: Vec<Relation>) -> Self {
        Self {
            entities: entities.into_iter().map(|entity| (entity.kind, entity.start, entity.end)).collect(),
            relations: relations.into_iter().map(|relation| (relation.kind, relation.head, relation.tail)).collect(),
        }
    }
}
