//! Adds pretrained word vectors to vocabulary and network. They are the initial vectors of training words; vectors of
//! other words are never trained (`docs/DESIGN.md`, "words").

use std::{collections::HashSet, io::ErrorKind, path::Path};

use cman_core::Cman;
use cman_data::{VectorReader, Vocabularies};
use cman_model::Keep;
use sha2::{Digest, Sha256};

use crate::{checksum, error::TrainError};

/// The vectors of a file, separated into those of training words and those of other words.
#[derive(Clone, Debug)]
pub struct WordVectors {
    /// Width of a vector.
    pub width: usize,
    /// Number of words with a trained vector: the vocabulary before the file was read.
    pub trained_words: usize,
    /// Training words and their vectors.
    of_training_words: Vec<(u32, Vec<f32>)>,
    /// Vectors of the other words, in the order of their ids.
    of_other_words: Vec<f32>,
}

impl WordVectors {
    /// Reads a vector file. With [`Keep::All`] its other words are added to the vocabulary.
    ///
    /// If words are looked up in lower case, the words of the file are lower-cased; of equal words the first counts.
    ///
    /// # Errors
    /// A file that cannot be read or does not contain word vectors.
    pub fn read(path: &Path, keep: Keep, vocabularies: &mut Vocabularies) -> Result<Self, TrainError> {
        let reader = VectorReader::from_path(path)?;
        let (width, trained_words) = (reader.width(), vocabularies.words.len());
        let mut vectors = Self { width, trained_words, of_training_words: Vec::new(), of_other_words: Vec::new() };
        let mut seen = HashSet::new();
        for item in reader {
            let (word, vector) = item?;
            let word = if vocabularies.lowercase { word.to_lowercase() } else { word };
            match vocabularies.words.id(&word) {
                Some(id) if (id as usize) < trained_words && seen.insert(id) => {
                    vectors.of_training_words.push((id, vector));
                }
                Some(_) => {}
                None if keep == Keep::All => {
                    let n_words = vocabularies.words.len();
                    vocabularies.words.insert(&word);
                    // Special entries such as <pad> are not inserted and get no row.
                    if vocabularies.words.len() > n_words {
                        let reserved = vectors.of_other_words.try_reserve(width);
                        reserved.map_err(|_| TrainError::io(path, ErrorKind::OutOfMemory.into()))?;
                        vectors.of_other_words.extend(vector);
                    }
                }
                None => {}
            }
        }
        Ok(vectors)
    }

    /// Sets the vectors in a network that was made for the training words.
    pub fn install(self, network: Cman) -> Cman {
        let mut network = network;
        network.embedding.word = network.embedding.word.with_pretrained(&self.of_training_words, self.of_other_words);
        network
    }

    /// SHA-256, in hexadecimal digits, of the vectors and the ids of the training words.
    pub(crate) fn checksum(&self) -> String {
        let mut hash = Sha256::new();
        let bytes = |vector: &[f32]| vector.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
        for (id, vector) in &self.of_training_words {
            hash.update(id.to_le_bytes());
            hash.update(bytes(vector));
        }
        self.of_other_words.chunks(self.width).for_each(|vector| hash.update(bytes(vector)));
        checksum::hexadecimal(&hash.finalize())
    }

    /// Number of training words with a vector in the file.
    pub fn n_pretrained(&self) -> usize {
        self.of_training_words.len()
    }
}
