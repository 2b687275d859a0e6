//! Pretrained encoders, which give every token a vector from each of their layers.

mod bert;
mod elmo;
mod error;
mod hash;

pub use bert::{Activation, Bert, BertConfig, BertNetwork, Block, Family, Pieces, Pooling};
pub use elmo::{Elmo, ElmoState};
pub use error::EncoderError;
