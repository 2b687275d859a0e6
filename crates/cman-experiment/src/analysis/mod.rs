//! Error analyses: scores by entity distance and by sentence length, and errors by kind.

mod distance;
mod errors;
mod group;
mod length;

pub use distance::{by_distance, entity_distance};
pub use errors::{EntityErrors, Errors, RelationErrors, errors};
pub use group::{Group, GroupScore};
pub use length::by_length;
