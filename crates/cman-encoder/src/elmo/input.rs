//! Sentences as rows of a table of word vectors.

use std::{collections::HashMap, sync::Arc};

use super::{
    character_cnn::CharacterCnn,
    characters::{BOUNDARIES, clip},
    word_cache::WordCache,
};

/// Sentences as rows of a table of word vectors.
pub(super) struct Input {
    /// The rows of the words of each sentence, including its two boundary marks.
    pub words: Vec<Vec<usize>>,
    /// The vectors of the distinct words.
    pub vectors: Vec<Arc<[f32]>>,
}

impl Input {
    pub fn new<S: AsRef<str>>(
        sentences: &[&[S]],
        max_characters: usize,
        cache: &WordCache,
        characters: &CharacterCnn,
    ) -> Self {
        let mut rows: HashMap<&[u8], usize> = HashMap::new();
        let mut distinct: Vec<&[u8]> = Vec::new();
        let mut row_of = |token| {
            let word = clip(token, max_characters);
            *rows.entry(word).or_insert_with(|| {
                distinct.push(word);
                distinct.len() - 1
            })
        };
        let [begin, end] = BOUNDARIES;
        let words = sentences.iter().map(|sentence| {
            let inner = sentence.iter().map(AsRef::as_ref);
            [begin].into_iter().chain(inner).chain([end]).map(&mut row_of).collect()
        });
        let words = words.collect();
        let vectors = cache.get(&distinct, |missing| {
            let mut vectors: Vec<Arc<[f32]>> = vec![Arc::default(); missing.len()];
            characters.vectors(missing, |i, vector| vectors[i] = vector.into());
            vectors
        });
        Self { words, vectors }
    }
}
