//! Padding: which places of a padded batch hold no token.

use burn::tensor::{Bool, Device, Tensor, TensorData};

/// The score of what must not happen. Finite, so that sums and differences of it stay free of NaN on every backend,
/// and so low that its exponential is exactly zero beside any real score.
pub(crate) const FORBIDDEN: f32 = -1e30;

/// `mask_pad`: true where place `t` of sentence `b` is padding. `[batch, steps]`
pub(crate) fn mask_pad(lengths: &[usize], steps: usize, device: &Device) -> Tensor<2, Bool> {
    let mask: Vec<bool> = lengths.iter().flat_map(|&length| (0..steps).map(move |t| t >= length)).collect();
    Tensor::from_data(TensorData::new(mask, [lengths.len(), steps]), device)
}

/// Sets the padded places of a sequence to zero.
///
/// # Shapes
/// - x: `[batch, steps, width]`
/// - mask_pad: `[batch, steps]`
/// - output: `[batch, steps, width]`
pub(crate) fn zero_padding(x: Tensor<3>, mask_pad: &Tensor<2, Bool>) -> Tensor<3> {
    let shape = x.dims();
    x.mask_fill(mask_pad.clone().unsqueeze_dim::<3>(2).expand(shape), 0.0)
}
