//! Pretrained encoders, which give every token a vector from each of their layers.

mod elmo;
mod error;

pub use elmo::{Elmo, ElmoState};
pub use error::EncoderError;
