//! A batch of sentences, cut into the windows that the network reads.

use std::ops::Range;

use burn_ragged::Layout;

use super::{
    pieces::{PieceTokenizer, Pieces},
    window,
};

/// A batch of sentences as windows of pieces, and the places of their words in it.
pub(super) struct WindowBatch {
    /// Ids of the pieces of each window, sentence after sentence, including special pieces.
    pub ids: Vec<Vec<u32>>,
    /// Number of windows per sentence.
    pub counts: Vec<usize>,
    /// The rows of the pieces of each word in the padded batch of windows, sentence after sentence.
    pub words: Vec<Vec<usize>>,
    /// Number of words per sentence.
    pub sentences: Layout,
}

impl WindowBatch {
    /// Cuts the sentences into windows of at most `window` pieces, including the special pieces of the tokenizer.
    ///
    /// # Panics
    /// If there is no sentence, or a sentence has no words.
    pub fn new(sentences: &[&Pieces], tokenizer: &PieceTokenizer, window: usize) -> Self {
        let PieceTokenizer { before, after, .. } = tokenizer;
        let capacity = window - before.len() - after.len();
        let lengths: Vec<usize> = sentences.iter().map(|pieces| pieces.counts.len()).collect();
        assert!(!lengths.is_empty() && !lengths.contains(&0), "a batch of non-empty sentences");
        let cut: Vec<Vec<Range<usize>>> = sentences.iter().map(|s| window::windows(s.ids.len(), capacity)).collect();
        let ids = sentences.iter().zip(&cut).flat_map(|(pieces, windows)| {
            let ids = |window: &Range<usize>| [before, &pieces.ids[window.clone()], after].concat();
            windows.iter().map(ids)
        });
        let ids: Vec<Vec<u32>> = ids.collect();
        let longest = ids.iter().map(Vec::len).max().unwrap_or(0);
        let mut first_window = 0;
        let mut words = Vec::with_capacity(lengths.iter().sum());
        for (pieces, windows) in sentences.iter().zip(&cut) {
            let owners = window::owners(pieces.ids.len(), windows);
            let row = |piece: usize| {
                (first_window + owners[piece]) * longest + before.len() + piece - windows[owners[piece]].start
            };
            let mut first = 0;
            for &count in &pieces.counts {
                words.push((first..first + count).map(row).collect());
                first += count;
            }
            first_window += windows.len();
        }
        Self { ids, counts: cut.iter().map(Vec::len).collect(), words, sentences: Layout::new(lengths) }
    }
}
