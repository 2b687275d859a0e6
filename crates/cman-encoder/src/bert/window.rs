//! Windows over sentences with more pieces than the network has positions.
//!
//! Windows of `capacity` pieces start every `capacity / 2` pieces; the last window ends with the sentence. Each piece
//! is read from the window in which it is farthest from the nearest cut, or from the first of such windows. The ends of
//! the sentence are not cuts. So every piece has at least `capacity / 4` pieces of context on each side, unless the
//! sentence ends earlier.

use std::ops::Range;

/// The windows over a sentence of `n` pieces.
pub(super) fn windows(n: usize, capacity: usize) -> Vec<Range<usize>> {
    if n <= capacity {
        return std::iter::once(0..n).collect();
    }
    let stride = (capacity / 2).max(1);
    let full = (0..n - capacity).step_by(stride);
    full.chain(std::iter::once(n - capacity)).map(|start| start..start + capacity).collect()
}

/// The index of the window that each of `n` pieces is read from.
pub(super) fn owners(n: usize, windows: &[Range<usize>]) -> Vec<usize> {
    let room = |piece: usize, window: &Range<usize>| {
        let left = if window.start == 0 { usize::MAX } else { piece - window.start };
        let right = if window.end == n { usize::MAX } else { window.end - 1 - piece };
        left.min(right)
    };
    // The best window never moves to the left from one piece to the next.
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
    fn every_piece_is_read_where_it_has_most_context() {
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
