//! Chosen rows of a matrix, and the gradient that they hand back to it.

/// The rows `index` of `x`, `width` wide.
pub(super) fn gather(x: &[f32], width: usize, index: &[usize]) -> Vec<f32> {
    let mut rows = Vec::with_capacity(index.len() * width);
    index.iter().for_each(|&row| rows.extend_from_slice(&x[row * width..][..width]));
    rows
}

/// From the gradient of the chosen rows to that of the matrix of `n` numbers.
pub(super) fn gather_backward(n: usize, width: usize, index: &[usize], gradient: &[f32]) -> Vec<f32> {
    let mut dx = vec![0.0; n];
    for (&row, gradient) in index.iter().zip(gradient.chunks_exact(width)) {
        dx[row * width..][..width].iter_mut().zip(gradient).for_each(|(dx, gradient)| *dx += gradient);
    }
    dx
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_takes_the_gradients_of_all_its_copies() {
        let (x, index) = ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [2, 0, 2]);
        assert_eq!(gather(&x, 2, &index), [5.0, 6.0, 1.0, 2.0, 5.0, 6.0]);
        let gradient = [1.0, 10.0, 100.0, 1000.0, 0.5, 0.25];
        assert_eq!(gather_backward(6, 2, &index, &gradient), [100.0, 1000.0, 0.0, 0.0, 1.5, 10.25]);
    }
}
