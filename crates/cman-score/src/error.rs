//! What can be wrong with the input of a scorer.

use std::fmt;

/// Which of the two annotations of a sentence is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The annotation of the corpus.
    Gold,
    /// The annotation to be scored.
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

/// Why two sets of sentences cannot be compared.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ScoreError {
    /// Sentences are matched in order, so there must be as many of them.
    #[error("{gold} gold sentences, but {predicted} predicted ones")]
    SentenceCount {
        /// Number of gold sentences.
        gold: usize,
        /// Number of predicted sentences.
        predicted: usize,
    },
    /// A gold sentence and its prediction are not the same sentence.
    #[error("sentence {index} (`{id}`): {gold} gold tokens, but {predicted} predicted ones")]
    TokenCount {
        /// Place of the sentence, from 0.
        index: usize,
        /// Name of the gold sentence.
        id: String,
        /// Number of tokens of the gold sentence.
        gold: usize,
        /// Number of tokens of the predicted sentence.
        predicted: usize,
    },
    /// An entity is empty or leaves the sentence.
    #[error("sentence {index} (`{id}`): {side} entity {entity} has tokens {start}..{end} of {tokens}")]
    Span {
        /// Place of the sentence, from 0.
        index: usize,
        /// Name of the sentence.
        id: String,
        /// Whose entity it is.
        side: Side,
        /// Place of the entity in the sentence, from 0.
        entity: usize,
        /// First token.
        start: usize,
        /// One past the last token.
        end: usize,
        /// Number of tokens of the sentence.
        tokens: usize,
    },
    /// A relation has an argument that is no entity of the sentence.
    #[error("sentence {index} (`{id}`): {side} relation {relation} has argument {argument} of {entities} entities")]
    Argument {
        /// Place of the sentence, from 0.
        index: usize,
        /// Name of the sentence.
        id: String,
        /// Whose relation it is.
        side: Side,
        /// Place of the relation in the sentence, from 0.
        relation: usize,
        /// The argument, which should be the place of an entity.
        argument: usize,
        /// Number of entities of the sentence.
        entities: usize,
    },
    /// There is no scorer of this name.
    #[error("no scorer is called `{found}`: expected one of `cman`, `multihead`, `spert`, `sincere`")]
    Definition {
        /// The name.
        found: String,
    },
    /// A bootstrap cannot be drawn with these settings.
    #[error("bootstrap: {field} is {found}, expected {expected}")]
    Bootstrap {
        /// The setting.
        field: &'static str,
        /// Its value.
        found: String,
        /// What it may be.
        expected: &'static str,
    },
}
