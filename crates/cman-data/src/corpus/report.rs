//! What a reader saw that a user should know about.

use std::{collections::HashSet, fmt};

use serde::Serialize;

use crate::{DataError, Sentence};

/// Everything unusual in a corpus, counted: nothing is dropped or mended silently.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Records read, good and bad.
    pub records: usize,
    /// Sentences given out.
    pub sentences: usize,
    /// Sentences left out because two of their entities share a token ([`OverlapPolicy::Drop`](crate::OverlapPolicy)).
    pub dropped_overlapping: usize,
    /// Records left out because they are not valid ([`OnError::Skip`](crate::OnError)).
    pub skipped: usize,
    /// What was wrong with the first [`MESSAGES`](Self::MESSAGES) of them.
    pub messages: Vec<String>,
    /// Sentences in which two entities share a token, those left out included.
    pub overlapping_sentences: usize,
    /// Entities that start with an `I-` tag; they are read as if it were `B-`.
    pub orphan_inside_tags: usize,
    /// Records without a list of entities; they are read as sentences without annotation.
    pub unannotated: usize,
    /// Records that list an entity twice; they are not valid.
    pub duplicate_entities: usize,
    /// Records that list a relation twice; they are not valid.
    pub duplicate_relations: usize,
    /// Sentences whose id an earlier sentence has.
    pub repeated_ids: usize,
}

impl Report {
    /// Most messages that are kept.
    pub const MESSAGES: usize = 20;

    pub(crate) fn skip(&mut self, error: &DataError) {
        self.skipped += 1;
        if self.messages.len() < Self::MESSAGES {
            self.messages.push(error.to_string());
        }
    }
}

impl fmt::Display for Report {
    /// One line a count that is not zero, then the messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} sentences of {} records", self.sentences, self.records)?;
        for (count, what) in [
            (self.dropped_overlapping, "sentences dropped for overlapping entities"),
            (self.skipped, "records skipped as not valid"),
            (self.overlapping_sentences, "sentences with overlapping entities"),
            (self.orphan_inside_tags, "entities that start with an I- tag"),
            (self.unannotated, "records without a list of entities"),
            (self.duplicate_entities, "records that list an entity twice"),
            (self.duplicate_relations, "records that list a relation twice"),
            (self.repeated_ids, "sentences with an id seen before"),
        ] {
            if count > 0 {
                write!(f, "\n{count} {what}")?;
            }
        }
        for message in &self.messages {
            write!(f, "\n  {message}")?;
        }
        if self.skipped > self.messages.len() {
            write!(f, "\n  and {} more", self.skipped - self.messages.len())?;
        }
        Ok(())
    }
}

/// The ids seen so far.
#[derive(Default)]
pub(crate) struct Ids(HashSet<String>);

impl Ids {
    /// Notes the sentence's id; whether it is new.
    pub(crate) fn insert(&mut self, sentence: &Sentence) -> bool {
        self.0.insert(sentence.id.clone())
    }
}
