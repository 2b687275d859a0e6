//! Counts of anomalies in a corpus.

use std::{collections::HashSet, fmt};

use serde::Serialize;

use crate::{error::DataError, sentence::Sentence};

/// Counts of the anomalies in a corpus. Nothing is dropped or repaired without a count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Number of records, valid and invalid.
    pub records: usize,
    /// Number of sentences returned.
    pub sentences: usize,
    /// Sentences dropped because two entities share a token ([`OverlapPolicy::Drop`](crate::OverlapPolicy)).
    pub dropped_overlapping: usize,
    /// Invalid records skipped ([`OnError::Skip`](crate::OnError)).
    pub skipped: usize,
    /// The error messages of the first [`MESSAGES`](Self::MESSAGES) skipped records.
    pub messages: Vec<String>,
    /// Sentences in which two entities share a token, including dropped ones.
    pub overlapping_sentences: usize,
    /// Entities that start with an `I-` tag, which is read as `B-`.
    pub orphan_inside_tags: usize,
    /// Records without a list of entities, which are read as unannotated sentences.
    pub unannotated: usize,
    /// Invalid records that list an entity twice.
    pub duplicate_entities: usize,
    /// Invalid records that list a relation twice.
    pub duplicate_relations: usize,
    /// Sentences with the id of an earlier sentence.
    pub repeated_ids: usize,
}

impl Report {
    /// Maximum number of messages.
    pub const MESSAGES: usize = 20;

    pub(crate) fn skip(&mut self, error: &DataError) {
        self.skipped += 1;
        if self.messages.len() < Self::MESSAGES {
            self.messages.push(error.to_string());
        }
    }
}

impl fmt::Display for Report {
    /// Writes one line per nonzero count, then the messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} sentences from {} records", self.sentences, self.records)?;
        for (count, what) in [
            (self.dropped_overlapping, "sentences with overlapping entities dropped"),
            (self.skipped, "invalid records skipped"),
            (self.overlapping_sentences, "sentences with overlapping entities"),
            (self.orphan_inside_tags, "entities that start with an I- tag"),
            (self.unannotated, "records without a list of entities"),
            (self.duplicate_entities, "records that list an entity twice"),
            (self.duplicate_relations, "records that list a relation twice"),
            (self.repeated_ids, "sentences with a repeated id"),
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

/// The ids of the sentences so far.
#[derive(Default)]
pub(crate) struct Ids(HashSet<String>);

impl Ids {
    /// Adds the sentence's id. Returns whether it is new.
    pub(crate) fn insert(&mut self, sentence: &Sentence) -> bool {
        self.0.insert(sentence.id.clone())
    }
}
