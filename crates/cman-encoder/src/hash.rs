//! Hashes that identify an encoder by the content of its files.

use std::{
    fs::File,
    io::{self, Write},
    path::Path,
};

use sha2::{Digest, Sha256};

use crate::error::EncoderError;

/// The SHA-256 of the SHA-256 hashes of these files, in the given order, in hexadecimal.
pub(crate) fn hash_files<P: AsRef<Path>>(paths: &[P]) -> Result<String, EncoderError> {
    let mut all = Sha256::new();
    for path in paths {
        let path = path.as_ref();
        all.update(sha256(path).map_err(|source| EncoderError::io(path, source))?);
    }
    Ok(hexadecimal(&all.finalize()))
}

/// The SHA-256 of a file, which is read in pieces.
pub(crate) fn sha256(path: &Path) -> io::Result<[u8; 32]> {
    let mut hash = HashWriter(Sha256::new());
    io::copy(&mut File::open(path)?, &mut hash)?;
    Ok(hash.0.finalize().into())
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

struct HashWriter(Sha256);

impl Write for HashWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
