//! Precomputed vectors: a file of the vectors that an encoder gives to the tokens of a corpus.
//!
//! The file is in the safetensors format (`docs/FORMATS.md`), so that other programs read it; sentences are found by a
//! hash of their tokens and of the encoder, so that vectors of another encoder are never taken for those of this one.
//! Only the sentence that is asked for is read.

mod reader;
mod writer;

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use reader::FeatureReader;
pub use writer::FeatureWriter;

/// What the file calls its layout.
const FORMAT: &str = "cman features 1";
/// Hashes of the sentences `[sentences, 32]`.
const KEYS: &str = "keys";
/// First token of each sentence, and behind the last one `[sentences + 1]`.
const OFFSETS: &str = "offsets";
/// The vectors `[tokens, layers, width]`.
const VECTORS: &str = "vectors";

/// Which encoder made vectors, or is needed to make them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncoderIdentity {
    /// Its kind, such as `bert`.
    pub kind: String,
    /// What it was called: a folder, or a name on the hub.
    pub name: String,
    /// Hash of its files.
    pub hash: String,
    /// How word pieces became words; empty where it reads whole words.
    pub pooling: String,
}

impl EncoderIdentity {
    /// Whether the other gives the same vectors; where its files lie makes no difference.
    pub fn gives_the_same(&self, other: &Self) -> bool {
        (&self.kind, &self.hash, &self.pooling) == (&other.kind, &other.hash, &other.pooling)
    }

    /// The name of a sentence in a file of this encoder.
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

/// Numbers on disk.
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
    use crate::DataError;

    fn identity() -> EncoderIdentity {
        let [kind, name, hash, pooling] = ["bert", "tiny", "0123", "first"].map(String::from);
        EncoderIdentity { kind, name, hash, pooling }
    }

    const SENTENCES: [&[&str]; 3] = [&["a", "b"], &["ab"], &["a", "b", "c"]];

    /// Two layers of width three; numbers that half precision keeps.
    fn vectors(sentence: usize) -> Vec<f32> {
        (0..SENTENCES[sentence].len() * 6).map(|i| (100 * sentence + i) as f32 / 4.0 - 3.0).collect()
    }

    fn write(path: &Path, precision: Precision) -> Result<(), DataError> {
        let mut writer = FeatureWriter::create(path, &identity(), [2, 3], precision, &SENTENCES)?;
        for sentence in 0..3 {
            writer.write(&vectors(sentence))?;
        }
        writer.finish()
    }

    #[test]
    fn each_sentence_gives_its_vectors_back_and_no_other_has_any() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("features.safetensors");
        for precision in [Precision::Single, Precision::Half] {
            write(&path, precision).unwrap();
            let reader = FeatureReader::open(&path).unwrap();
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
    fn vectors_that_half_precision_cannot_hold_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("features.safetensors");
        let mut writer = FeatureWriter::create(&path, &identity(), [1, 1], Precision::Half, &[&["a"]]).unwrap();
        let error = writer.write(&[70_000.0]).unwrap_err().to_string();
        assert!(error.contains("expected numbers that half precision holds"), "{error}");
        drop(writer);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "no draft stays behind");
    }

    #[test]
    fn damaged_files_are_refused_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("features.safetensors");
        write(&path, Precision::Single).unwrap();
        let whole = fs::read(&path).unwrap();
        let spoilt = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            match FeatureReader::open(&path) {
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
        assert!(spoilt(&whole[..whole.len() - 1]).contains("size: expected "));
        assert!(spoilt(&whole[..100]).contains("header: expected "));
        assert!(spoilt(&whole[..3]).contains("header: expected "));
        assert!(spoilt(&[0xff; 300]).contains("header: expected "));
        assert!(spoilt(&replaced("cman features 1", "cman features 9")).contains("cman features 1, found"));
        assert!(spoilt(&replaced("F32", "F64")).contains("vectors.dtype: expected F32 or F16, found \"F64\""));
        assert!(spoilt(&replaced("[6,2,3]", "[6,3,3]")).contains("vectors"));
        assert!(spoilt(&replaced("\"hash\"", "\"hush\"")).contains("__metadata__.hash: expected "));
        let mut endless = whole.clone();
        let end = endless.len();
        endless[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
        assert!(spoilt(&endless).contains("expected finite numbers"));
        let mut shifted = whole.clone();
        let offsets = end - 6 * 6 * 4 - 4 * 8;
        shifted[offsets + 8..offsets + 16].copy_from_slice(&9i64.to_le_bytes());
        assert!(spoilt(&shifted).contains("offsets: expected "));
    }

    #[test]
    fn tokens_and_encoder_make_the_key() {
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
    fn an_encoder_is_told_by_what_decides_its_vectors() {
        assert_eq!(identity().to_string(), "'tiny' (bert, pooled by 'first', hash 0123)");
        let whole = EncoderIdentity { kind: "elmo".into(), pooling: String::new(), ..identity() };
        assert_eq!(whole.to_string(), "'tiny' (elmo, hash 0123)");
    }
}
