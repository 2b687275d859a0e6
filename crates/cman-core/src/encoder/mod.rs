//! Pretrained encoders, which give every token a vector from each of their layers.

mod bert;
mod error;

pub use bert::{Activation, Bert, BertConfig, BertNetwork, Block, Family, Pieces, Pooling};
pub use error::EncoderError;
