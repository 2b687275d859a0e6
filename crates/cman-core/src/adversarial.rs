//! The perturbation of adversarial training (section 3.5, eq. 14).

use burn::tensor::Tensor;
use burn_ragged::Ragged;

/// `eta = alpha sqrt(D) g / ||g||_2` (eq. 14). The norm is over all values of a sentence; D is the width that is
/// perturbed. The last `n_contextual` values of each token are not perturbed, nor is a sentence without a gradient.
///
/// # Shapes
/// - gradient: `[batch, steps, d_w]`, zero at padding
/// - output: `[batch, steps, d_w]`
pub fn perturbation(gradient: Ragged, n_contextual: usize, alpha: f64) -> Ragged {
    let perturbed = gradient.width() - n_contextual;
    gradient.map(|gradient| {
        let [batch, steps, _] = gradient.dims();
        let gradient = if n_contextual == 0 {
            gradient
        } else {
            let unperturbed = Tensor::zeros([batch, steps, n_contextual], &gradient.device());
            Tensor::cat(vec![gradient.narrow(2, 0, perturbed), unperturbed], 2)
        };
        // Scaled to a largest value of 1 first, so that no square underflows.
        let largest = gradient.clone().abs().max_dim(1).max_dim(2).clamp_min(f32::MIN_POSITIVE); // [batch, 1, 1]
        let gradient = gradient / largest;
        let norm = gradient.clone().square().sum_dims(&[1, 2]).sqrt().clamp_min(1.0);
        gradient * (alpha * (perturbed as f64).sqrt()) / norm
    })
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use burn_ragged::Layout;

    #[test]
    fn the_norm_of_a_perturbation_is_alpha_times_the_root_of_the_width() {
        let device = Device::default();
        let gradient = Tensor::<3>::from_floats([[[3e-25, 4e-25], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]], &device);
        let gradient = Ragged::new(gradient, Layout::new(vec![2, 2]));
        let eta: Vec<f64> = perturbation(gradient.clone(), 0, 0.1).into_values().try_into_vec_as().unwrap();
        let size = 0.1 * 2f64.sqrt();
        let expected = [0.6 * size, 0.8 * size, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        assert!(eta.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{eta:?}");
        let words: Vec<f64> = perturbation(gradient, 1, 0.1).into_values().try_into_vec_as().unwrap();
        assert!((words[0] - 0.1).abs() < 1e-6 && words[1..].iter().all(|&x| x == 0.0), "{words:?}");
    }
}
