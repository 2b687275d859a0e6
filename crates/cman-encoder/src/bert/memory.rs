//! Upper estimates of the memory of a batch on the CPU.

use super::{Bert, window::windows};

/// Bytes of an f32.
const VALUE: f64 = 4.0;
/// How much larger than requested a buffer may be.
const ROUNDING: f64 = 1.25;

impl Bert {
    /// Bytes that a batch of sentences with so many `pieces` each takes beside the weights. `is_trained`: with the values
    /// that a backward pass needs.
    pub fn batch_memory(&self, pieces: &[usize], is_trained: bool) -> f64 {
        let config = &self.config;
        let n_special = config.window() - self.capacity();
        let (mut n_windows, mut longest) = (0, 0);
        for &n in pieces {
            let windows = windows(n, self.capacity());
            n_windows += windows.len();
            longest = longest.max(windows[0].len() + n_special);
        }
        let [width, inner, blocks, heads] =
            [config.width, config.feed_forward, config.blocks, config.heads].map(|n| n as f64);
        let (rows, layers) = ((n_windows * longest) as f64, blocks + 1.0);
        // The layers themselves, pooled, stacked, and gathered into a padded batch.
        let outputs = 4.0 * layers * width;
        if !is_trained {
            return VALUE * ROUNDING * rows * (outputs + 6.0 * width + 3.0 * inner);
        }
        let block = 16.0 * width + 3.0 * inner;
        let weights = heads * n_windows as f64 * (longest * longest.next_multiple_of(16)) as f64;
        // Attention weights have dropout masks of the same size.
        VALUE * ROUNDING * (rows * (outputs + (blocks + 1.0) * block) + (2.0 * blocks + 3.0) * weights)
    }

    /// Pieces per window, without the special pieces.
    pub(super) fn capacity(&self) -> usize {
        self.config.window() - self.tokenizer.before.len() - self.tokenizer.after.len()
    }
}
