//! Multi-head relation extraction (section 3.4, eqs. 9 and 10). The loss over all pairs of tokens (eq. 12) is
//! [`burn_ragged::pairs`].

mod decode;
mod scorer;

pub(crate) use decode::head_ranges;
pub use decode::{Ends, ScoredRelation, candidates, decode};
pub use scorer::{RelationConfig, RelationScorer};
