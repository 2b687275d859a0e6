//! Upper estimates of the memory of a batch on the CPU.

use super::Elmo;

/// Bytes of an f32.
const VALUE: f64 = 4.0;
/// Rows whose input products are taken at once.
const ROWS: f64 = 512.0;

impl Elmo {
    /// Bytes that sentences with `tokens` tokens together take beside the weights.
    pub fn batch_memory(&self, tokens: usize) -> f64 {
        let sizes = self.language_model.sizes;
        // The layers of both directions, the vectors, and one word vector per token.
        let row = 3.0 * (self.n_layers() * self.width()) as f64 + 2.0 * self.width() as f64;
        VALUE * (tokens as f64 * row + 2.0 * ROWS * 4.0 * sizes.d_cell as f64)
    }
}
