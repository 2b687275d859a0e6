//! Scoring: what a prediction is worth against the gold annotation.
//!
//! [`score`] is the report of this library, [`score_as`] counts as one of the three published scorers does
//! ([`Definition`]). Both compare sets, so a duplicate counts once, and both take the gold annotation as the corpus
//! has it: an entity that a tagger cannot represent stays in the gold set and is a miss ([`untaggable`] counts
//! them).
//!
//! | | strict | boundaries |
//! |---|---|---|
//! | an entity is right if | type, start and end are | start and end are |
//! | a relation is right if | its label and both typed spans are, head and tail not swapped | its label and both spans are |
//!
//! So a wrong type is one false positive and one false negative under `strict`.
//!
//! [`Bootstrap::compare`] says how sure the difference of two systems is, [`score_leakage`] what the scores are without
//! the test sentences that stand in the training data too.
//!
//! ```
//! use cman_data::{Entity, Schema, Sentence};
//! use cman_score::score;
//!
//! let schema = Schema { entities: ["Loc", "Peop"].into_iter().collect(), ..Schema::default() };
//! let mut gold = Sentence::from_tokens("1", ["Ada", "left", "London"]);
//! let mut predicted = gold.clone();
//! gold.entities = vec![Entity::new("Peop", 0..1), Entity::new("Loc", 2..3)];
//! predicted.entities = vec![Entity::new("Loc", 0..1), Entity::new("Loc", 2..3)];
//!
//! let scores = score(&[gold], &[predicted], &schema)?;
//! assert_eq!(scores.entities.strict.micro.f1, 0.5);
//! assert_eq!(scores.entities.boundaries.micro.f1, 1.0);
//! # Ok::<(), cman_score::ScoreError>(())
//! ```

mod bootstrap;
mod count;
mod definition;
mod error;
mod facts;
mod leakage;
mod multihead;
mod score;
mod scores;
mod table;
mod untaggable;

pub use bootstrap::{Bootstrap, Comparison, Difference, Interval, TaskComparison};
pub use definition::Definition;
pub use error::{ScoreError, Side};
pub use leakage::{LeakageScores, leaked, score_leakage};
pub use multihead::chunk_relations;
pub use score::{score, score_as};
pub use scores::{Prf, Scores, Section, Task};
pub use untaggable::{Untaggable, untaggable};
