//! Sentences of more pieces than the network has positions.
//!
//! Windows of `capacity` pieces start every `capacity / 2` pieces, the last one so that it ends with the sentence. A
//! piece is read from the window in which the nearest cut is farthest away (the first of equals); the ends of the
//! sentence are no cuts. So every piece sees at least `capacity / 4` pieces on either side, where there are so many.

use std::ops::Range;

/// The windows over `n` pieces.
pub(super) fn windows(n: usize, capacity: usize) -> Vec<Range<usize>> {
    if n <= capacity {
        return std::iter::once(0..n).collect();
    }
    let stride = (capacity / 2).max(1);
    let full = (0..n - capacity).step_by(stride);
    full.chain(std::iter::once(n - capacity)).map(|start| start..start + capacity).collect()
}

/// For each of `n` pieces the window that it is read from.
pub(super) fn owners(n: usize, windows: &[Range<usize>]) -> Vec<usize> {
    let room = |piece: usize, window: &Range<usize>| {
        let left = if window.start == 0 { usize::MAX } else { piece - window.start };
        let right = if window.end == n { usize::MAX } else { window.end - 1 - piece };
        left.min(right)
    };
    // Both the windows and the best window of a piece move to the right only.
    let mut best = 0;
    (0..n)
        .map(|piece| {
            while let Some(next) = windows.get(best + 1)
                && next.contains(&piece)
                && (!windows[best].contains(&piece) || room(piece, next) > room(piece, &windows[best]))
            {
                best += 1;
            }
            best
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_sentences_have_one_window() {
        assert_eq!(windows(5, 8).first(), Some(&(0..5)));
        assert_eq!((windows(8, 8).len(), windows(8, 8).first()), (1, Some(&(0..8))));
        assert_eq!(owners(5, &windows(5, 8)), [0; 5]);
    }

    #[test]
    fn every_piece_is_read_where_it_sees_most() {
        assert_eq!(windows(11, 8), [0..8, 3..11]);
        assert_eq!(owners(11, &windows(11, 8)), [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
        for (n, capacity) in [(9, 8), (100, 8), (5000, 510), (777, 13), (40, 1), (41, 2)] {
            let windows = windows(n, capacity);
            assert!(windows.iter().all(|window| window.len() == capacity && window.end <= n));
            assert!(windows.windows(2).all(|pair| pair[0].start < pair[1].start && pair[1].start <= pair[0].end));
            let room = |piece: usize, window: &Range<usize>| {
                let left = if window.start == 0 { n } else { piece - window.start };
                left.min(if window.end == n { n } else { window.end - 1 - piece })
            };
            for (piece, owner) in owners(n, &windows).into_iter().enumerate() {
                assert!(windows[owner].contains(&piece));
                let holding = windows.iter().filter(|window| window.contains(&piece));
                let most = holding.map(|window| room(piece, window)).max().unwrap();
                assert_eq!(room(piece, &windows[owner]), most, "piece {piece} of {n}, windows of {capacity}");
                assert!(most >= (capacity / 4).saturating_sub(1), "piece {piece} of {n}, windows of {capacity}");
            }
        }
    }
}
