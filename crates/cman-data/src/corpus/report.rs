//! Counts of anomalies in a corpus.

use std::{collections::HashSet, fmt};

use serde::Serialize;

use crate::{error::DataError, reasons::Reasons, sentence::Sentence};

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
    /// Why they were skipped.
    pub reasons: Reasons,
    /// The message of every skipped record, with [`ReaderBuilder::all_messages`](crate::ReaderBuilder::all_messages).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<String>,
    /// Sentences in which two entities share a token, including dropped ones.
    pub overlapping_sentences: usize,
    /// Entities that start with an `I-` tag, which is read as `B-`.
    pub orphan_inside_tags: usize,
    /// Records without a list of entities, which are read as unannotated sentences.
    pub unannotated: usize,
    /// Entities listed again with the same type and tokens, merged with the first.
    pub merged_entities: usize,
    /// Relations listed again with the same type and arguments, merged with the first.
    pub merged_relations: usize,
    /// Sentences with the id of an earlier sentence.
    pub repeated_ids: usize,
}

impl Report {
    pub(crate) fn skip(&mut self, error: &DataError, keep: bool) {
        self.skipped += 1;
        let message = error.to_string();
        self.reasons.add(&error.reason(), message.as_str());
        if keep {
            self.messages.push(message);
        }
    }

    /// Number of records without a sentence.
    pub fn left_out(&self) -> usize {
        self.skipped + self.dropped_overlapping
    }
}

impl fmt::Display for Report {
    /// Writes one line per nonzero count. The reasons follow the count of skipped records: every message if they were
    /// kept, else one line per group.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} sentences from {} records", self.sentences, self.records)?;
        if self.skipped > 0 {
            write!(f, "\n{} invalid records skipped", self.skipped)?;
        }
        if self.messages.is_empty() {
            write!(f, "{}", self.reasons)?;
        }
        for message in &self.messages {
            write!(f, "\n  {message}")?;
        }
        for (count, what) in [
            (self.dropped_overlapping, "sentences with overlapping entities dropped"),
            (self.overlapping_sentences, "sentences with overlapping entities"),
            (self.orphan_inside_tags, "entities that start with an I- tag"),
            (self.unannotated, "records without a list of entities"),
            (self.merged_entities, "entities listed twice, merged"),
            (self.merged_relations, "relations listed twice, merged"),
            (self.repeated_ids, "sentences with a repeated id"),
        ] {
            if count > 0 {
                write!(f, "\n{count} {what}")?;
            }
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
        self.0.insert(sentence.id.to_string())
    }
}
