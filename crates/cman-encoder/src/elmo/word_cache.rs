//! A cache of word vectors, so that the character encoder runs once per word.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// A bounded cache of word vectors in two generations. A word that is used moves to the young generation. When the
/// young generation is full, it replaces the old one. So words in frequent use stay in the cache.
#[derive(Debug)]
pub(super) struct WordCache {
    capacity: usize,
    generations: Mutex<Generations>,
}

type Vectors = HashMap<Box<[u8]>, Arc<[f32]>>;

#[derive(Debug, Default)]
struct Generations {
    young: Vectors,
    old: Vectors,
}

impl WordCache {
    /// A cache of at most `capacity` words.
    pub fn new(capacity: usize) -> Self {
        Self { capacity, generations: Mutex::default() }
    }

    /// The vectors of distinct words. `compute` gets the words that are not in the cache and returns their vectors in
    /// the same order.
    pub fn get(&self, words: &[&[u8]], compute: impl FnOnce(&[&[u8]]) -> Vec<Arc<[f32]>>) -> Vec<Arc<[f32]>> {
        let mut found: Vec<Option<Arc<[f32]>>> = {
            let mut generations = self.lock();
            words.iter().map(|word| self.take(&mut generations, word)).collect()
        };
        let missing: Vec<usize> = (0..words.len()).filter(|&i| found[i].is_none()).collect();
        if !missing.is_empty() {
            let new: Vec<&[u8]> = missing.iter().map(|&i| words[i]).collect();
            let vectors = compute(&new);
            assert_eq!(vectors.len(), new.len(), "one vector per word");
            let mut generations = self.lock();
            for (i, vector) in missing.into_iter().zip(vectors) {
                self.put(&mut generations, words[i].into(), vector.clone());
                found[i] = Some(vector);
            }
        }
        found.into_iter().map(|vector| vector.expect("a cached or computed vector")).collect()
    }

    fn take(&self, generations: &mut Generations, word: &[u8]) -> Option<Arc<[f32]>> {
        if let Some(vector) = generations.young.get(word) {
            return Some(vector.clone());
        }
        let (word, vector) = generations.old.remove_entry(word)?;
        self.put(generations, word, vector.clone());
        Some(vector)
    }

    fn put(&self, generations: &mut Generations, word: Box<[u8]>, vector: Arc<[f32]>) {
        if generations.young.len() >= self.capacity / 2 {
            generations.old = std::mem::take(&mut generations.young);
        }
        if self.capacity >= 2 {
            generations.young.insert(word, vector);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Generations> {
        // A panic cannot leave the cache in an invalid state.
        self.generations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(cache: &WordCache, words: &[&[u8]]) -> usize {
        let mut computed = 0;
        let vectors = cache.get(words, |missing| {
            computed = missing.len();
            missing.iter().map(|word| [f32::from(word[0])].into()).collect()
        });
        for (word, vector) in words.iter().zip(vectors) {
            assert_eq!(*vector, [f32::from(word[0])]);
        }
        computed
    }

    #[test]
    fn elmo_words_are_computed_once_while_they_are_in_use_and_the_cache_is_bounded() {
        let cache = WordCache::new(20);
        for round in 0..100u8 {
            let others: Vec<[u8; 2]> = (0..5).map(|i| [i, round]).collect();
            let mut words: Vec<&[u8]> = others.iter().map(|word| &word[..]).collect();
            words.push(b"always");
            assert_eq!(ask(&cache, &words), if round == 0 { 6 } else { 5 });
            let generations = cache.lock();
            assert!(generations.young.len() + generations.old.len() <= 20);
        }
        assert_eq!(ask(&WordCache::new(0), &[b"a", b"b"]), 2);
        assert_eq!(WordCache::new(0).lock().young.len(), 0);
    }
}
