//! Transposed copies, in blocks of four rows and columns.

/// `to[j, i] = from[i, j]` for `i < rows` and `j < columns`. The widths are the distances between rows.
pub fn transpose(from: &[f32], from_width: usize, to: &mut [f32], to_width: usize, [rows, columns]: [usize; 2]) {
    let (whole_rows, whole_columns) = (rows - rows % 4, columns - columns % 4);
    for i in (0..whole_rows).step_by(4) {
        let row = |r: usize| from[(i + r) * from_width..][..whole_columns].as_chunks::<4>().0.iter();
        let blocks = row(0).zip(row(1)).zip(row(2)).zip(row(3));
        // The slice of `to` may end with the last value written.
        let mut start = i;
        for (((a, b), c), d) in blocks {
            let to = &mut to[start..][..3 * to_width + 4];
            to[..4].copy_from_slice(&[a[0], b[0], c[0], d[0]]);
            to[to_width..][..4].copy_from_slice(&[a[1], b[1], c[1], d[1]]);
            to[2 * to_width..][..4].copy_from_slice(&[a[2], b[2], c[2], d[2]]);
            to[3 * to_width..][..4].copy_from_slice(&[a[3], b[3], c[3], d[3]]);
            start += 4 * to_width;
        }
    }
    for i in 0..rows {
        for j in if i < whole_rows { whole_columns } else { 0 }..columns {
            to[j * to_width + i] = from[i * from_width + j];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_moved_and_no_other_is_touched() {
        for size in [[1, 1], [3, 9], [4, 4], [8, 5], [13, 22], [0, 3]] {
            let [rows, columns] = size;
            let from: Vec<f32> = (0..rows * (columns + 2)).map(|i| i as f32).collect();
            let mut to = vec![-1.0; columns * (rows + 3)];
            transpose(&from, columns + 2, &mut to, rows + 3, size);
            for (at, &found) in to.iter().enumerate() {
                let (j, i) = (at / (rows + 3), at % (rows + 3));
                assert_eq!(found, if i < rows { from[i * (columns + 2) + j] } else { -1.0 });
            }
        }
    }
}
