//! Attention units (section 3.2): the sequence encoder (eq. 1), multi-head attention (eqs. 2 and 3), the self-attention
//! unit BSA and the label-attention unit BLA.

mod bla;
mod bsa;
mod multi_head;
mod sequence;

pub use bla::{Bla, BlaConfig, Residual};
pub use bsa::{Bsa, BsaConfig};
pub use multi_head::{MultiHeadAttention, MultiHeadAttentionConfig};
pub use sequence::{BiLstmEncoder, Mlp, MlpEncoder, SequenceEncoder, SequenceEncoderConfig, SequenceKind};
