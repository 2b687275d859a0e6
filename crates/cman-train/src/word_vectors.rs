//! Word vectors into vocabulary and network: training words start at their vector, the other words of the file are
//! kept as they are (`docs/DESIGN.md`, "words").

use std::{collections::HashSet, path::Path};

use cman_core::Cman;
use cman_data::{VectorReader, Vocabularies};
use cman_model::Keep;

use crate::TrainError;

/// The vectors of a file, sorted by what the vocabulary makes of their words.
#[derive(Clone, Debug)]
pub struct WordVectors {
    /// Width of a vector.
    pub width: usize,
    /// Number of words the training data knew before the file was read: those with a trained vector.
    pub trained_words: usize,
    /// Vectors of training words.
    known: Vec<(u32, Vec<f32>)>,
    /// Vectors of the other words, in the order of their ids.
    others: Vec<f32>,
}

impl WordVectors {
    /// Reads a vector file and, unless only training words are wanted, adds its other words to the vocabulary.
    ///
    /// With lower-cased look-up a word of the file counts under its lower-case form; the first wins.
    ///
    /// # Errors
    /// A file that cannot be read or holds no word vectors.
    pub fn read(path: &Path, keep: Keep, vocabularies: &mut Vocabularies) -> Result<Self, TrainError> {
        let reader = VectorReader::from_path(path)?;
        let (width, trained_words) = (reader.width(), vocabularies.words.len());
        let mut vectors = Self { width, trained_words, known: Vec::new(), others: Vec::new() };
        let mut seen = HashSet::new();
        for item in reader {
            let (word, vector) = item?;
            let word = if vocabularies.lowercase { word.to_lowercase() } else { word };
            match vocabularies.words.id(&word) {
                Some(id) if (id as usize) < trained_words && seen.insert(id) => vectors.known.push((id, vector)),
                Some(_) => {}
                None if keep == Keep::All => {
                    let n_words = vocabularies.words.len();
                    vocabularies.words.insert(&word);
                    // Names of special entries, such as <pad>, are no words and get no row.
                    if vocabularies.words.len() > n_words {
                        vectors.others.extend(vector);
                    }
                }
                None => {}
            }
        }
        Ok(vectors)
    }

    /// Puts the vectors into a network that was made for the training words.
    pub fn install(self, network: Cman) -> Cman {
        let mut network = network;
        network.embedding.word = network.embedding.word.with_pretrained(&self.known, self.others);
        network
    }

    /// How many training words the file knows.
    pub fn n_known(&self) -> usize {
        self.known.len()
    }
}
