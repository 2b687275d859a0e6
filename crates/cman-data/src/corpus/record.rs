//! A parsed record, before validation.

use super::duplicates::{Merged, merge};
use crate::{sentence::Sentence, validate::Part};

/// A parsed sentence with observations of the parser.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) sentence: Sentence,
    /// Whether the record has a list of entities.
    pub(crate) annotated: bool,
    /// Entities that start with an `I-` tag.
    pub(crate) orphans: usize,
    /// The line numbers, if the format is line-based.
    pub(crate) lines: Option<RecordLines>,
}

/// The line numbers of a sentence, from 1.
#[derive(Debug)]
pub(crate) struct RecordLines {
    pub(crate) header: usize,
    pub(crate) tokens: Vec<usize>,
    pub(crate) relations: Vec<usize>,
}

impl Record {
    /// The same record, all of it on one line.
    pub(crate) fn on_line(self, line: usize) -> Self {
        let Sentence { tokens, relations, .. } = &self.sentence;
        let lines =
            RecordLines { header: line, tokens: vec![line; tokens.len()], relations: vec![line; relations.len()] };
        Self { lines: Some(lines), ..self }
    }

    /// Merges entities and relations that are listed twice.
    pub(crate) fn merge_duplicates(&mut self) -> Merged {
        let (merged, relations) = merge(&mut self.sentence);
        if let Some(lines) = &mut self.lines {
            lines.relations = relations.into_iter().map(|i| lines.relations[i]).collect();
        }
        merged
    }

    /// The line number of a part of the sentence.
    pub(crate) fn line(&self, part: Part) -> Option<usize> {
        let lines = self.lines.as_ref()?;
        Some(match part {
            Part::Sentence => lines.header,
            Part::Token(i) => lines.tokens[i],
            Part::Entity(i) => *lines.tokens.get(self.sentence.entities[i].start).unwrap_or(&lines.header),
            Part::Relation(i) => lines.relations[i],
        })
    }
}
