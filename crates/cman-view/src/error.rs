//! The error type of the crate.

use cman_score::ScoreError;

/// Sentences that cannot be shown, or that are not those of the gold annotation. The index of a sentence counts from 0.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ViewError {
    /// An entity is empty or extends past its sentence.
    #[error("sentence {} (`{id}`): an entity spans tokens {start}..{end} of {tokens}", index + 1)]
    Span {
        /// Index of the sentence.
        index: usize,
        /// Id of the sentence.
        id: String,
        /// First token.
        start: usize,
        /// One past the last token.
        end: usize,
        /// Number of tokens of the sentence.
        tokens: usize,
    },
    /// An argument of a relation is not an entity of its sentence.
    #[error("sentence {} (`{id}`): a relation has argument {argument} of {entities} entities", index + 1)]
    Argument {
        /// Index of the sentence.
        index: usize,
        /// Id of the sentence.
        id: String,
        /// The argument.
        argument: usize,
        /// Number of entities of the sentence.
        entities: usize,
    },
    /// A sentence and its gold sentence have different words.
    #[error("sentence {} is not gold sentence `{id}`: expected the word {expected:?}, found {found:?}", index + 1)]
    Word {
        /// Index of the sentence.
        index: usize,
        /// Id of the gold sentence.
        id: String,
        /// The word of the gold sentence.
        expected: String,
        /// The word of the sentence.
        found: String,
    },
    /// The sentences and the gold sentences cannot be compared.
    #[error(transparent)]
    Score(#[from] ScoreError),
}
