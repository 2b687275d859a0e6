//! The error type of the crate.

use std::fmt;

/// One of the two annotations of a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The gold annotation.
    Gold,
    /// The predicted annotation.
    Predicted,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gold => "gold",
            Self::Predicted => "predicted",
        })
    }
}

/// An error in the input of a scorer.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ScoreError {
    /// The numbers of gold and predicted sentences differ.
    #[error("{gold} gold sentences, but {predicted} predicted sentences")]
    SentenceCount {
        /// Number of gold sentences.
        gold: usize,
        /// Number of predicted sentences.
        predicted: usize,
    },
    /// A gold sentence and its prediction have different numbers of tokens.
    #[error("sentence {index} (`{id}`): {gold} gold tokens, but {predicted} predicted tokens")]
    TokenCount {
        /// Index of the sentence, from 0.
        index: usize,
        /// Id of the gold sentence.
        id: String,
        /// Number of tokens of the gold sentence.
        gold: usize,
        /// Number of tokens of the predicted sentence.
        predicted: usize,
    },
    /// An entity is empty or extends past the sentence.
    #[error("sentence {index} (`{id}`): {side} entity {entity} spans tokens {start}..{end} of {tokens}")]
    Span {
        /// Index of the sentence, from 0.
        index: usize,
        /// Id of the sentence.
        id: String,
        /// The annotation with the entity.
        side: Side,
        /// Index of the entity, from 0.
        entity: usize,
        /// First token.
        start: usize,
        /// One past the last token.
        end: usize,
        /// Number of tokens of the sentence.
        tokens: usize,
    },
    /// A relation has an argument that is not an entity of the sentence.
    #[error("sentence {index} (`{id}`): {side} relation {relation} has argument {argument} of {entities} entities")]
    Argument {
        /// Index of the sentence, from 0.
        index: usize,
        /// Id of the sentence.
        id: String,
        /// The annotation with the relation.
        side: Side,
        /// Index of the relation, from 0.
        relation: usize,
        /// The argument, which must be an entity index.
        argument: usize,
        /// Number of entities of the sentence.
        entities: usize,
    },
    /// No scorer has this name.
    #[error("unknown scorer `{found}`: expected one of `cman`, `multihead`, `spert`, `sincere`")]
    Definition {
        /// The name.
        found: String,
    },
    /// A setting of the bootstrap is invalid.
    #[error("bootstrap: {field}: expected {expected}, found {found}")]
    Bootstrap {
        /// The setting.
        field: &'static str,
        /// Its value.
        found: String,
        /// The allowed values.
        expected: &'static str,
    },
}
