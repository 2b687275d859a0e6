//! Attention units (section 3.2): multi-head attention, the self-attention unit BSA and the label-attention unit BLA.

mod bla;
mod bsa;
mod multi_head;
mod sequence;

pub use bla::{Bla, Residual};
pub use bsa::Bsa;
pub use multi_head::{MultiHeadAttention, attend, attend_composed};
pub use sequence::{SequenceEncoder, SequenceKind};
