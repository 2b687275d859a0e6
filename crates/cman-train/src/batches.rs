//! Divides the sentences of an epoch into batches: shuffled, then bucketed by length.

use burn_ragged::Key;
use cman_model::Limits;

/// The batches of an epoch, as indices of sentences of these lengths.
///
/// The sentences are shuffled and divided into buckets of `bucket` batches. Each bucket is sorted by length and cut
/// into batches, so that a batch holds sentences of similar length. Then the batches are shuffled. The last batch of a
/// bucket may be smaller.
pub(crate) fn shuffled(lengths: &[usize], limits: Limits, bucket: usize, key: Key) -> Vec<Vec<usize>> {
    let order = key.at("sentences").permutation(lengths.len());
    let mut batches: Vec<Vec<usize>> = Vec::new();
    for members in order.chunks(bucket.saturating_mul(limits.sentences)) {
        let mut members = members.to_vec();
        if bucket > 1 {
            members.sort_by_key(|&sentence| lengths[sentence]);
        }
        batches.extend(limits.cut(&members, lengths));
    }
    key.at("batches").permutation(batches.len()).into_iter().map(|i| std::mem::take(&mut batches[i])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sentence_is_in_one_batch_of_similar_lengths() {
        let lengths: Vec<usize> = (0..103).map(|i| 1 + i * 37 % 60).collect();
        let limits = Limits { sentences: 8, tokens: 0 };
        let batches = shuffled(&lengths, limits, 4, Key::new(1).with(2));
        let mut all: Vec<usize> = batches.concat();
        all.sort_unstable();
        assert_eq!(all, (0..103).collect::<Vec<_>>());
        assert!(batches.iter().all(|batch| (1..=8).contains(&batch.len())));
        let spread = |batch: &Vec<usize>| {
            let of = |pick: fn(usize, usize) -> usize| batch.iter().map(|&i| lengths[i]).reduce(pick).unwrap();
            of(usize::max) - of(usize::min)
        };
        assert!(batches.iter().map(spread).sum::<usize>() / batches.len() < 25);
        assert_ne!(batches, shuffled(&lengths, limits, 4, Key::new(1).with(3)));
        assert_eq!(batches, shuffled(&lengths, limits, 4, Key::new(1).with(2)));
    }

    #[test]
    fn batches_respect_the_token_limit() {
        let lengths = [5, 30, 4, 200, 6, 6, 7, 29];
        let unsorted = shuffled(&lengths, Limits { sentences: 8, tokens: 60 }, 1, Key::new(4));
        let padded = |batch: &Vec<usize>| batch.len() * batch.iter().map(|&i| lengths[i]).max().unwrap();
        assert!(unsorted.iter().all(|batch| padded(batch) <= 60 || batch == &[3]), "{unsorted:?}");
        assert_eq!(unsorted.concat().len(), lengths.len());
    }
}
