//! Which sentences make which batch: shuffled, then bucketed by length, all from a key.

use cman_core::random::Key;

/// The batches of an epoch, as indices into the sentences of these lengths.
///
/// Sentences are shuffled; each stretch of `bucket * batch_size` is sorted by length and cut into batches, so that a
/// batch holds sentences of like length; then the batches are shuffled. The last batch of a stretch may be smaller.
pub(crate) fn shuffled(lengths: &[usize], batch_size: usize, bucket: usize, key: Key) -> Vec<Vec<usize>> {
    let order = key.at("sentences").permutation(lengths.len());
    let mut batches: Vec<Vec<usize>> = Vec::new();
    for stretch in order.chunks(bucket.saturating_mul(batch_size)) {
        let mut stretch = stretch.to_vec();
        if bucket > 1 {
            stretch.sort_by_key(|&sentence| lengths[sentence]);
        }
        batches.extend(stretch.chunks(batch_size).map(<[usize]>::to_vec));
    }
    key.at("batches").permutation(batches.len()).into_iter().map(|i| std::mem::take(&mut batches[i])).collect()
}

/// Batches for inference: sentences sorted by length.
pub(crate) fn sorted(lengths: &[usize], batch_size: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&sentence| lengths[sentence]);
    order.chunks(batch_size).map(<[usize]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sentence_is_in_one_batch_of_like_lengths() {
        let lengths: Vec<usize> = (0..103).map(|i| 1 + i * 37 % 60).collect();
        let batches = shuffled(&lengths, 8, 4, Key::new(1).with(2));
        let mut all: Vec<usize> = batches.concat();
        all.sort_unstable();
        assert_eq!(all, (0..103).collect::<Vec<_>>());
        assert!(batches.iter().all(|batch| (1..=8).contains(&batch.len())));
        let spread = |batch: &Vec<usize>| {
            let of = |pick: fn(usize, usize) -> usize| batch.iter().map(|&i| lengths[i]).reduce(pick).unwrap();
            of(usize::max) - of(usize::min)
        };
        assert!(batches.iter().map(spread).sum::<usize>() / batches.len() < 25);
        assert_ne!(batches, shuffled(&lengths, 8, 4, Key::new(1).with(3)));
        assert_eq!(batches, shuffled(&lengths, 8, 4, Key::new(1).with(2)));
    }
}
