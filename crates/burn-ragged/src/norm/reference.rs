//! The definition of the normalised residual sum in burn operations.

use super::LayerNorm;
use crate::ragged::Ragged;

/// [`LayerNorm::residual`] in burn operations, on any device.
pub fn residual_reference(norm: &LayerNorm, x: Ragged, y: Ragged) -> Ragged {
    (x + y).map(|sum| norm.forward(sum))
}
