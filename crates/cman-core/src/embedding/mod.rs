//! Token and label representations (section 3.1).

mod character;
mod contextual;
mod label;
mod token;
mod word;

pub use character::{CharacterBiLstm, CharacterCnn, CharacterConfig, CharacterEncoder, CharacterKind};
pub use contextual::{ContextualConfig, LayerMix, LayerMixer, ScalarMix, TopLayer};
pub use label::LabelEmbedding;
pub use token::{TokenEmbedding, TokenEmbeddingConfig};
pub use word::{WordConfig, WordEmbedding};

use burn::tensor::{Int, Tensor};
use burn_ragged::gather::gather;

/// Rows of a table. `[rows, width]`, `[..]` -> `[.., width]`
fn look_up(table: Tensor<2>, ids: Tensor<2, Int>) -> Tensor<3> {
    let [batch, steps] = ids.dims();
    let width = table.dims()[1];
    gather(table, ids.reshape([batch * steps])).reshape([batch, steps, width])
}
