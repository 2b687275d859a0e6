//! Messages on standard error.

use std::{
    fmt::Display,
    io::{self, Write},
    path::Path,
};

use cman_core::{ModelConfig, embedding::CharacterKind};
use cman_data::{Corpus, LongTokens, Report, Sentence};

/// Prints a line. Write errors are ignored.
pub fn note(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Prints the anomalies of a corpus, if there are any.
pub fn note_unusual(name: impl Display, corpus: &Corpus) {
    if is_unusual(&corpus.report) {
        note(format_args!("{name}: {}", corpus.report));
    }
}

/// Prints that a folder is written without a lock.
pub fn note_unlocked(folder: &Path, reason: &io::Error) {
    note(format_args!(
        "{}: cannot be locked ({reason}); take care that no other process writes here",
        folder.display()
    ));
}

/// Prints how many tokens the character encoder of a network with these settings reads in part, if there are any.
pub fn note_long_tokens(name: impl Display, long: &LongTokens, config: &ModelConfig) {
    if config.character.kind != CharacterKind::None && !long.is_empty() {
        note(format_args!("{name}: {long}"));
    }
}

/// Whether a report contains anomalies.
pub fn is_unusual(report: &Report) -> bool {
    Report { records: 0, sentences: 0, ..report.clone() } != Report::default()
}

/// `175 sentences, 559 entities, 322 relations`.
pub fn counts(sentences: &[Sentence]) -> String {
    let entities: usize = sentences.iter().map(|sentence| sentence.entities.len()).sum();
    let relations: usize = sentences.iter().map(|sentence| sentence.relations.len()).sum();
    format!("{} sentences, {entities} entities, {relations} relations", sentences.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_anomalies_are_unusual() {
        let usual = Report { records: 3, sentences: 3, ..Report::default() };
        assert!(!is_unusual(&usual));
        assert!(is_unusual(&Report { overlapping_sentences: 1, ..usual }));
    }

    #[test]
    fn sentences_entities_and_relations_are_counted() {
        let mut sentence = Sentence::from_tokens("1", ["a", "b"]);
        sentence.entities = vec![cman_data::Entity::new("X", 0..1), cman_data::Entity::new("X", 1..2)];
        sentence.relations = vec![cman_data::Relation::new("R", 0, 1)];
        assert_eq!(counts(&[sentence.clone(), sentence]), "2 sentences, 4 entities, 2 relations");
    }
}
