//! Files of contextual vectors: those that an encoder computed for the tokens of a corpus.
//!
//! The format is safetensors (`docs/FORMATS.md`), which other programs can read. The key of a sentence is a hash of its
//! tokens and of the encoder, so vectors of two encoders cannot be confused. A look-up reads one sentence.

mod reader;
mod writer;

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use reader::ContextualVectorReader;
pub use writer::ContextualVectorWriter;

/// Name and version of the layout.
const FORMAT: &str = "cman features 1";
/// Keys of the sentences `[sentences, 32]`.
const KEYS: &str = "keys";
/// First token of each sentence, then the number of tokens `[sentences + 1]`.
const OFFSETS: &str = "offsets";
/// The vectors `[tokens, layers, width]`.
const VECTORS: &str = "vectors";

/// The encoder that computed contextual vectors, or that can compute them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncoderIdentity {
    /// Its kind, such as `bert`.
    pub kind: String,
    /// Its folder, or its name on the hub.
    pub name: String,
    /// Hash of its files.
    pub hash: String,
    /// How word pieces are pooled into words; empty if it reads whole words.
    pub pooling: String,
}

impl EncoderIdentity {
    /// Whether the other encoder gives the same vectors. The location of its files makes no difference.
    pub fn gives_the_same(&self, other: &Self) -> bool {
        (&self.kind, &self.hash, &self.pooling) == (&other.kind, &other.hash, &other.pooling)
    }

    /// The key of a sentence in a file of this encoder's vectors.
    fn key(&self, tokens: &[&str]) -> [u8; 32] {
        let mut hash = Sha256::new();
        let parts = [self.kind.as_str(), &self.hash, &self.pooling];
        for part in parts.into_iter().chain(tokens.iter().copied()) {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }
}

impl fmt::Display for EncoderIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, name, hash, pooling } = self;
        let pooled = if pooling.is_empty() { String::new() } else { format!("pooled by '{pooling}', ") };
        write!(f, "'{name}' ({kind}, {pooled}hash {hash})")
    }
}

/// Precision of the values on disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// 32 bits.
    #[default]
    Single,
    /// 16 bits (IEEE binary16): half the size, three significant digits.
    Half,
}

impl Precision {
    fn bytes(self) -> usize {
        match self {
            Self::Single => 4,
            Self::Half => 2,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Single => "F32",
            Self::Half => "F16",
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    #[serde(rename = "__metadata__")]
    metadata: BTreeMap<String, String>,
    keys: Entry,
    offsets: Entry,
    vectors: Entry,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: [usize; 2],
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;
    use crate::error::DataError;

    fn identity() -> EncoderIdentity {
        let [kind, name, hash, pooling] = ["bert", "tiny", "0123", "first"].map(String::from);
        EncoderIdentity { kind, name, hash, pooling }
    }

    const SENTENCES: [&[&str]; 3] = [&["a", "b"], &["ab"], &["a", "b", "c"]];

    /// Two layers of width three. Half precision represents the values exactly.
    fn vectors(sentence: usize) -> Vec<f32> {
        (0..SENTENCES[sentence].len() * 6).map(|i| (100 * sentence + i) as f32 / 4.0 - 3.0).collect()
    }

    fn write(path: &Path, precision: Precision) -> Result<(), DataError> {
        let mut writer = ContextualVectorWriter::create(path, &identity(), [2, 3], precision, &SENTENCES)?;
        for sentence in 0..3 {
            writer.write(&vectors(sentence))?;
        }
        writer.finish()
    }

    #[test]
    fn written_vectors_are_read_back_and_other_sentences_have_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("features.safetensors");
        for precision in [Precision::Single, Precision::Half] {
            write(&path, precision).unwrap();
            let reader = ContextualVectorReader::open(&path).unwrap();
            assert_eq!((reader.len(), reader.layers(), reader.width()), (3, 2, 3));
            assert_eq!(reader.identity(), &identity());
            for sentence in [2, 0, 1, 0] {
                assert_eq!(reader.get(SENTENCES[sentence]).unwrap().unwrap(), vectors(sentence));
            }
            assert_eq!(reader.get(&["b", "a"]).unwrap(), None);
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn values_beyond_half_precision_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("features.safetensors");
        let mut writer =
            ContextualVectorWriter::create(&path, &identity(), [1, 1], Precision::Half, &[&["a"]]).unwrap();
        let error = writer.write(&[70_000.0]).unwrap_err().to_string();
        assert!(error.contains("expected values within half precision"), "{error}");
        drop(writer);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "the draft is removed");
    }

    #[test]
    fn damaged_files_are_refused_with_a_reason() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("features.safetensors");
        write(&path, Precision::Single).unwrap();
        let whole = fs::read(&path).unwrap();
        let damaged = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            match ContextualVectorReader::open(&path) {
                Ok(reader) => reader.get(SENTENCES[2]).unwrap_err().to_string(),
                Err(error) => error.to_string(),
            }
        };
        let replaced = |from: &str, to: &str| {
            assert_eq!(from.len(), to.len());
            let at = whole.windows(from.len()).position(|part| part == from.as_bytes()).unwrap();
            let mut bytes = whole.clone();
            bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
            bytes
        };
        assert!(damaged(&whole[..whole.len() - 1]).contains("size: expected "));
        assert!(damaged(&whole[..100]).contains("header: expected "));
        assert!(damaged(&whole[..3]).contains("header: expected "));
        assert!(damaged(&[0xff; 300]).contains("header: expected "));
        assert!(damaged(&replaced("cman features 1", "cman features 9")).contains("cman features 1, found"));
        assert!(damaged(&replaced("F32", "F64")).contains("vectors.dtype: expected F32 or F16, found \"F64\""));
        assert!(damaged(&replaced("[6,2,3]", "[6,3,3]")).contains("vectors"));
        assert!(damaged(&replaced("\"hash\"", "\"hush\"")).contains("__metadata__.hash: expected "));
        let mut not_finite = whole.clone();
        let end = not_finite.len();
        not_finite[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
        assert!(damaged(&not_finite).contains("expected finite values"));
        let mut shifted = whole.clone();
        let offsets = end - 6 * 6 * 4 - 4 * 8;
        shifted[offsets + 8..offsets + 16].copy_from_slice(&9i64.to_le_bytes());
        assert!(damaged(&shifted).contains("offsets: expected "));
    }

    #[test]
    fn the_key_depends_on_tokens_and_encoder() {
        let key = identity().key(&["ab", "c"]);
        assert_ne!(key, identity().key(&["a", "bc"]));
        let elsewhere = EncoderIdentity { name: "other".into(), ..identity() };
        assert_eq!(key, elsewhere.key(&["ab", "c"]));
        assert!(elsewhere.gives_the_same(&identity()));
        let other = EncoderIdentity { pooling: "mean".into(), ..identity() };
        assert_ne!(key, other.key(&["ab", "c"]));
        assert!(!other.gives_the_same(&identity()));
    }

    #[test]
    fn the_display_of_an_encoder_names_what_determines_its_vectors() {
        assert_eq!(identity().to_string(), "'tiny' (bert, pooled by 'first', hash 0123)");
        let whole = EncoderIdentity { kind: "elmo".into(), pooling: String::new(), ..identity() };
        assert_eq!(whole.to_string(), "'tiny' (elmo, hash 0123)");
    }
}
