//! Contextual encoders: pretrained networks that give every token a vector for each of their layers (section 3.1).

mod bert;
mod error;

pub use bert::{Activation, Bert, BertConfig, BertNetwork, Block, Family, Pieces, Pooling};
pub use error::EncoderError;
