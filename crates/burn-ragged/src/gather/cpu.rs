//! Chosen rows of a matrix, and the gradient that they hand back to it.

use crate::runtime::buffer::Buffer;

/// The rows `index` of `x`, `width` wide.
pub(super) fn gather(x: &[f32], width: usize, index: &[usize]) -> Buffer {
    let mut rows = Buffer::new(index.len() * width);
    for (to, &row) in rows.chunks_exact_mut(width).zip(index) {
        to.copy_from_slice(&x[row * width..][..width]);
    }
    rows
}

/// From the gradient of the chosen rows to that of the matrix of `n` values.
pub(super) fn gather_backward(n: usize, width: usize, index: &[usize], gradient: &[f32]) -> Buffer {
    let mut dx = Buffer::zeros(n);
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
        assert_eq!(*gather(&x, 2, &index), [5.0, 6.0, 1.0, 2.0, 5.0, 6.0]);
        let gradient = [1.0, 10.0, 100.0, 1000.0, 0.5, 0.25];
        assert_eq!(*gather_backward(6, 2, &index, &gradient), [100.0, 1000.0, 0.0, 0.0, 1.5, 10.25]);
    }
}
