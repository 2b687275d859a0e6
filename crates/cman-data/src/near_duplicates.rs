//! Sentences that are almost the same.

use std::{cmp::Ordering, collections::HashMap};

use crate::sentence::Sentence;

/// Finds near-duplicates among sentences that come one after the other: pairs whose sets of words, without regard to case,
/// have a Jaccard index of at least a threshold.
///
/// ```
/// use cman_data::{NearDuplicates, Sentence};
///
/// let sentence = |text: &str| Sentence::from_tokens("", text.split(' '));
/// let mut seen = NearDuplicates::new(0.7);
/// assert!(seen.insert_new(&sentence("Ada Lovelace lived in London .")));
/// assert!(!seen.insert_new(&sentence("In London lived Ada Lovelace ."))); // the same words
/// assert!(seen.insert_new(&sentence("Lord Byron and Ada Lovelace lived in London ."))); // 6 of 9
/// ```
#[derive(Clone, Debug)]
pub struct NearDuplicates {
    threshold: f64,
    /// The number of each word.
    words: HashMap<String, usize>,
    /// The words of each sentence, in increasing order.
    sentences: Vec<Vec<usize>>,
}

impl NearDuplicates {
    /// A Jaccard index of `threshold`, above 0 and at most 1, makes a near-duplicate.
    pub fn new(threshold: f64) -> Self {
        Self { threshold, words: HashMap::new(), sentences: Vec::new() }
    }

    /// Adds a sentence.
    pub fn insert(&mut self, sentence: &Sentence) {
        let words = self.words(sentence);
        self.sentences.push(words);
    }

    /// Adds a sentence unless it is a near-duplicate of one that was added before. Returns whether it was added.
    pub fn insert_new(&mut self, sentence: &Sentence) -> bool {
        let words = self.words(sentence);
        let is_new = !self.sentences.iter().any(|other| jaccard_reaches(&words, other, self.threshold));
        if is_new {
            self.sentences.push(words);
        }
        is_new
    }

    /// The numbers of the words of a sentence, in increasing order.
    fn words(&mut self, sentence: &Sentence) -> Vec<usize> {
        let number = |word: &str| {
            let next = self.words.len();
            *self.words.entry(word.to_lowercase()).or_insert(next)
        };
        let mut words: Vec<usize> = sentence.words().map(number).collect();
        words.sort_unstable();
        words.dedup();
        words
    }
}

/// Whether the Jaccard index of two sets, both in increasing order, is at least `threshold`.
fn jaccard_reaches(a: &[usize], b: &[usize], threshold: f64) -> bool {
    let (smaller, larger) = (a.len().min(b.len()), a.len().max(b.len()));
    // The index is at most the ratio of the sizes.
    if (smaller as f64) < threshold * larger as f64 {
        return false;
    }
    let (mut i, mut j, mut shared) = (0, 0, 0);
    while i < a.len() && j < b.len() {
        match a[i].cmp(&b[j]) {
            Ordering::Less => i += 1,
            Ordering::Greater => j += 1,
            Ordering::Equal => {
                shared += 1;
                i += 1;
                j += 1;
            }
        }
    }
    shared as f64 >= threshold * (a.len() + b.len() - shared) as f64
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn sentence(text: &str) -> Sentence {
        Sentence::from_tokens("", text.split(' '))
    }

    #[test]
    fn the_threshold_is_reached_by_the_words_that_are_shared() {
        let mut seen = NearDuplicates::new(0.5);
        assert!(seen.insert_new(&sentence("a b c")));
        assert!(!seen.insert_new(&sentence("A B d")), "2 of 4");
        assert!(seen.insert_new(&sentence("a d e")), "1 of 5: the sentence before was not added");
        assert!(!seen.insert_new(&sentence("c c b b a a")));
        let mut all = NearDuplicates::new(1.0);
        assert!(
            all.insert_new(&sentence("a b")) && all.insert_new(&sentence("a b c")) && !all.insert_new(&sentence("b A"))
        );
    }

    #[test]
    fn the_index_is_that_of_the_sets() {
        let sets: Vec<Vec<usize>> =
            (0usize..64).map(|bits| (0..6).filter(|bit| bits >> bit & 1 == 1).collect()).collect();
        for (a, b) in sets.iter().flat_map(|a| sets.iter().map(move |b| (a, b))) {
            let [x, y]: [HashSet<usize>; 2] = [a, b].map(|set| set.iter().copied().collect());
            for (part, whole) in [(1, 3), (1, 2), (2, 3), (1, 1)] {
                let expected = x.intersection(&y).count() * whole >= part * x.union(&y).count();
                let threshold = part as f64 / whole as f64;
                assert_eq!(jaccard_reaches(a, b, threshold), expected, "{a:?} {b:?} {part}/{whole}");
            }
        }
    }
}
