//! One record as a format's parser gives it, before it is checked.

use crate::{Sentence, validate::Part};

/// A parsed sentence and what the parser noticed.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) sentence: Sentence,
    /// Whether the record has a list of entities at all.
    pub(crate) annotated: bool,
    /// Entities that start with an `I-` tag.
    pub(crate) orphans: usize,
    /// The lines of the parts, in a format of lines.
    pub(crate) lines: Option<Lines>,
}

/// The lines from which a sentence was read.
#[derive(Debug)]
pub(crate) struct Lines {
    pub(crate) header: usize,
    pub(crate) tokens: Vec<usize>,
    pub(crate) relations: Vec<usize>,
}

impl Record {
    /// The line on which a part of the sentence stands.
    pub(crate) fn line(&self, part: Part) -> Option<usize> {
        let lines = self.lines.as_ref()?;
        Some(match part {
            Part::Sentence => lines.header,
            Part::Token(i) => lines.tokens[i],
            Part::Entity(i) => lines.tokens[self.sentence.entities[i].start],
            Part::Relation(i) => lines.relations[i],
        })
    }
}
