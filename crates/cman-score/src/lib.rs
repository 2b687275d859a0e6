//! Scores of predicted entities and relations against gold annotation.
//!
//! [`score`] uses the rules of this library, [`score_as`] those of one of three published scorers ([`Definition`]).
//! Both compare sets, so a duplicate counts once. Gold entities that a BIO tagger cannot represent stay in the gold set
//! and count as false negatives; [`untaggable`] counts them.
//!
//! | | strict | boundaries |
//! |---|---|---|
//! | an entity is correct if | type, start and end match | start and end match |
//! | a relation is correct if | label, direction and both typed spans match | label, direction and both spans match |
//!
//! Under `strict`, a wrong type is therefore one false positive and one false negative.
//!
//! [`Bootstrap::compare`] tests the significance of the difference between two systems. [`score_leakage`] gives the
//! scores without the test sentences that also occur in the training data. [`Reliability`] shows whether confidences can be
//! trusted, and [`fit_temperature`] corrects them.
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

mod annotation;
mod bootstrap;
mod count;
mod definition;
mod error;
mod leakage;
mod multihead;
mod reliability;
mod score;
mod scores;
mod table;
mod untaggable;

pub use bootstrap::{Bootstrap, Comparison, Difference, Interval, TaskComparison};
pub use definition::Definition;
pub use error::{ScoreError, Side};
pub use leakage::{LeakageScores, leaked, score_leakage};
pub use multihead::chunk_relations;
pub use reliability::{Bin, Judged, Reliability, fit_temperature};
pub use score::{score, score_as};
pub use scores::{Prf, Scores, Section, Task};
pub use untaggable::{Untaggable, untaggable};
