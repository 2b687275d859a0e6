//! Writes files of contextual vectors, sentence by sentence.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use super::{EncoderIdentity, Entry, FORMAT, Header, Precision, VECTORS};
use crate::{
    error::{DataError, Location},
    file::Draft,
};

/// Writes a file of contextual vectors. The file gets its name once it is complete.
pub struct ContextualVectorWriter {
    path: PathBuf,
    draft: Draft,
    file: BufWriter<File>,
    precision: Precision,
    /// Number of values of each sentence that is not written yet, the next one last.
    sizes: Vec<usize>,
}

impl ContextualVectorWriter {
    /// Starts a file for these distinct sentences. `shape` is the number of layers and their width.
    ///
    /// # Errors
    /// [`DataError::Io`] if the file cannot be written.
    pub fn create<S: AsRef<[T]>, T: AsRef<str>>(
        path: &Path,
        identity: &EncoderIdentity,
        shape: [usize; 2],
        precision: Precision,
        sentences: &[S],
    ) -> Result<Self, DataError> {
        let lengths: Vec<usize> = sentences.iter().map(|sentence| sentence.as_ref().len()).collect();
        let tokens: usize = lengths.iter().sum();
        let [keys_end, vectors_start] = [32 * lengths.len(), 32 * lengths.len() + 8 * (lengths.len() + 1)];
        let vectors_end = vectors_start + tokens * shape[0] * shape[1] * precision.bytes();
        let entry = |dtype: &str, shape: &[usize], data_offsets| {
            let (dtype, shape) = (dtype.into(), shape.to_vec());
            Entry { dtype, shape, data_offsets }
        };
        let metadata = [
            ("format", FORMAT),
            ("kind", &identity.kind),
            ("name", &identity.name),
            ("hash", &identity.hash),
            ("pooling", &identity.pooling),
        ];
        let header = Header {
            metadata: metadata.into_iter().map(|(key, value)| (key.into(), value.into())).collect(),
            keys: entry("U8", &[lengths.len(), 32], [0, keys_end]),
            offsets: entry("I64", &[lengths.len() + 1], [keys_end, vectors_start]),
            vectors: entry(precision.name(), &[tokens, shape[0], shape[1]], [vectors_start, vectors_end]),
        };
        let mut header = serde_json::to_vec(&header).map_err(|error| io_error(path, error.into()))?;
        // Padded with spaces to align the data.
        header.resize(header.len().next_multiple_of(8), b' ');

        let draft = Draft::of(path);
        let file = draft.create().map_err(|source| io_error(path, source))?;
        let values_per_token = shape[0] * shape[1];
        let mut writer = Self {
            path: path.into(),
            draft,
            file: BufWriter::with_capacity(1 << 20, file),
            precision,
            sizes: lengths.iter().rev().map(|length| length * values_per_token).collect(),
        };
        writer.bytes(&(header.len() as u64).to_le_bytes())?;
        writer.bytes(&header)?;
        for sentence in sentences {
            let tokens: Vec<&str> = sentence.as_ref().iter().map(AsRef::as_ref).collect();
            writer.bytes(&identity.key(&tokens))?;
        }
        let mut offset = 0i64;
        writer.bytes(&offset.to_le_bytes())?;
        for length in lengths {
            offset += length as i64;
            writer.bytes(&offset.to_le_bytes())?;
        }
        Ok(writer)
    }

    /// Writes the contextual vectors of the next sentence. `[tokens, layers, width]`
    ///
    /// # Errors
    /// [`DataError::Io`] if the file cannot be written; [`DataError::Invalid`] if a value is beyond half precision.
    ///
    /// # Panics
    /// If the number of values is not that of the sentence, or every sentence is written.
    pub fn write(&mut self, vectors: &[f32]) -> Result<(), DataError> {
        assert_eq!(self.sizes.pop(), Some(vectors.len()), "as many values as the next sentence has");
        match self.precision {
            Precision::Single => vectors.iter().try_for_each(|x| self.bytes(&x.to_le_bytes())),
            Precision::Half => vectors.iter().try_for_each(|&x| {
                let half = half::f16::from_f32(x);
                if !half.is_finite() {
                    let expected = "values within half precision (at most 65504)";
                    return Err(DataError::invalid(Location::file(&self.path), VECTORS, expected, x.to_string()));
                }
                self.bytes(&half.to_le_bytes())
            }),
        }
    }

    /// Completes the file and gives it its name.
    ///
    /// # Errors
    /// [`DataError::Io`] if it cannot be written.
    ///
    /// # Panics
    /// If a sentence is not written.
    pub fn finish(mut self) -> Result<(), DataError> {
        assert!(self.sizes.is_empty(), "vectors for every sentence");
        let done = self.file.flush().and_then(|()| self.draft.publish());
        done.map_err(|source| io_error(&self.path, source))
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), DataError> {
        self.file.write_all(bytes).map_err(|source| io_error(&self.path, source))
    }
}

fn io_error(path: &Path, source: io::Error) -> DataError {
    DataError::io(path, source)
}
