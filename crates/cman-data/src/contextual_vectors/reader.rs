//! Reads files of contextual vectors, sentence by sentence on request.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::Mutex,
};

use super::{EncoderIdentity, Entry, FORMAT, Header, KEYS, OFFSETS, Precision, VECTORS};
use crate::error::{DataError, Location, Quoted};

/// Longest header, in bytes. It holds three entries and the identity of one encoder.
const MAX_HEADER: u64 = 1 << 20;

/// An open file of contextual vectors. The index is in memory; vectors are read on request.
#[derive(Debug)]
pub struct ContextualVectorReader {
    path: PathBuf,
    file: Mutex<File>,
    identity: EncoderIdentity,
    precision: Precision,
    layers: usize,
    width: usize,
    /// Byte offset of the vectors.
    start: u64,
    /// First token and number of tokens by key.
    sentences: HashMap<[u8; 32], (usize, usize)>,
}

impl ContextualVectorReader {
    /// Opens a file and reads its index.
    ///
    /// # Errors
    /// [`DataError::Io`] if it cannot be read; [`DataError::Invalid`] if it is damaged, truncated or of another format.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, DataError> {
        let path = path.as_ref();
        let io = |source| DataError::io(path, source);
        let invalid = |field: &str, expected: String, found: String| {
            DataError::invalid(Location::file(path), field, expected, found)
        };
        let mut file = File::open(path).map_err(io)?;
        let size = file.metadata().map_err(io)?.len();
        let mut length = [0; 8];
        let mut header = Vec::new();
        if size >= 8 {
            file.read_exact(&mut length).map_err(io)?;
            if u64::from_le_bytes(length) <= MAX_HEADER.min(size - 8) {
                header.resize(u64::from_le_bytes(length) as usize, 0);
                file.read_exact(&mut header).map_err(io)?;
            }
        }
        let header: Header = serde_json::from_slice(&header).map_err(|error| {
            invalid("header", "contextual vectors (safetensors)".into(), format!("another file ({error})"))
        })?;
        let metadata = |key: &str| {
            let field = format!("__metadata__.{key}");
            let value = header.metadata.get(key).cloned();
            value.ok_or_else(|| invalid(&field, "text".into(), "nothing".into()))
        };
        let format = metadata("format")?;
        if format != FORMAT {
            return Err(invalid("__metadata__.format", FORMAT.into(), Quoted(&format).to_string()));
        }
        let identity = EncoderIdentity {
            kind: metadata("kind")?,
            name: metadata("name")?,
            hash: metadata("hash")?,
            pooling: metadata("pooling")?,
        };
        let precision = match header.vectors.dtype.as_str() {
            "F32" => Precision::Single,
            "F16" => Precision::Half,
            other => return Err(invalid("vectors.dtype", "F32 or F16".into(), Quoted(other).to_string())),
        };
        let (sentences, [tokens, layers, width]) = match (&header.keys.shape[..], &header.vectors.shape[..]) {
            (&[sentences, 32], &[tokens, layers, width]) if layers > 0 && width > 0 => {
                (sentences, [tokens, layers, width])
            }
            _ => return Err(invalid("shapes", "[sentences, 32] and [tokens, layers, width]".into(), "others".into())),
        };
        // Sizes come from the file: their products may overflow.
        let bytes = |of: &[usize], unit: usize| of.iter().try_fold(unit, |all, &n| all.checked_mul(n));
        let mut end = 0;
        let sizes = [
            (KEYS, &header.keys, bytes(&[sentences, 32], 1)),
            (OFFSETS, &header.offsets, sentences.checked_add(1).and_then(|n| n.checked_mul(8))),
            (VECTORS, &header.vectors, bytes(&[tokens, layers, width], precision.bytes())),
        ];
        for (name, Entry { data_offsets, .. }, bytes) in sizes {
            let expected = bytes.and_then(|bytes| Some([end, bytes.checked_add(end)?]));
            if expected != Some(*data_offsets) {
                let field = format!("{name}.data_offsets");
                return Err(invalid(&field, format!("{expected:?}"), format!("{data_offsets:?}")));
            }
            end = data_offsets[1];
        }
        let start = 8 + u64::from_le_bytes(length);
        if Some(size) != start.checked_add(end as u64) {
            return Err(invalid("size", format!("{} bytes", start + end as u64), format!("{size} bytes")));
        }
        let mut index = zeros(header.vectors.data_offsets[0]).map_err(io)?;
        file.read_exact(&mut index).map_err(io)?;
        let (keys, offsets) = index.split_at(32 * sentences);
        let offsets: Vec<usize> =
            offsets.as_chunks::<8>().0.iter().map(|&offset| u64::from_le_bytes(offset) as usize).collect();
        let increases = offsets.windows(2).all(|pair| pair[0] < pair[1]);
        if !increases || offsets.first() != Some(&0) || offsets.last() != Some(&tokens) {
            let expected = format!("increasing values from 0 to {tokens}");
            return Err(invalid(OFFSETS, expected, "others".into()));
        }
        let places = offsets.windows(2).map(|pair| (pair[0], pair[1] - pair[0]));
        Ok(Self {
            path: path.into(),
            file: Mutex::new(file),
            identity,
            precision,
            layers,
            width,
            start: start + header.vectors.data_offsets[0] as u64,
            sentences: keys.as_chunks::<32>().0.iter().copied().zip(places).collect(),
        })
    }

    /// The encoder that computed the vectors.
    pub fn identity(&self) -> &EncoderIdentity {
        &self.identity
    }

    /// Number of layers.
    pub fn layers(&self) -> usize {
        self.layers
    }

    /// Width of a layer's vector.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Number of sentences.
    pub fn len(&self) -> usize {
        self.sentences.len()
    }

    /// Whether there is no sentence.
    pub fn is_empty(&self) -> bool {
        self.sentences.is_empty()
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file has vectors for this sentence.
    pub fn contains(&self, tokens: &[&str]) -> bool {
        self.sentences.contains_key(&self.identity.key(tokens))
    }

    /// The contextual vectors of a sentence `[tokens, layers, width]`, if the file has them.
    ///
    /// # Errors
    /// [`DataError::Io`] if the file cannot be read; [`DataError::Invalid`] if a value is not finite.
    pub fn get(&self, tokens: &[&str]) -> Result<Option<Vec<f32>>, DataError> {
        let Some(&(first, count)) = self.sentences.get(&self.identity.key(tokens)) else { return Ok(None) };
        let row = self.layers * self.width * self.precision.bytes();
        let mut bytes = zeros(count * row).map_err(|source| DataError::io(&self.path, source))?;
        let read = |file: &mut File| {
            file.seek(SeekFrom::Start(self.start + (first * row) as u64))?;
            file.read_exact(&mut bytes)
        };
        // Each read seeks first, so a panic of another reader does no harm.
        let mut file = self.file.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let done = { read }(&mut file);
        drop(file);
        done.map_err(|source| DataError::io(&self.path, source))?;
        let values: Vec<f32> = match self.precision {
            Precision::Single => bytes.as_chunks::<4>().0.iter().map(|&x| f32::from_le_bytes(x)).collect(),
            Precision::Half => bytes.as_chunks::<2>().0.iter().map(|&x| half::f16::from_le_bytes(x).to_f32()).collect(),
        };
        if values.iter().all(|x| x.is_finite()) {
            Ok(Some(values))
        } else {
            Err(DataError::invalid(Location::file(&self.path), VECTORS, "finite values", "others"))
        }
    }
}

/// `n` zeros. The size comes from a file, so there may be no memory for it.
fn zeros(n: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(n).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
    bytes.resize(n, 0);
    Ok(bytes)
}
