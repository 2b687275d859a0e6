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
        let mut one = HashWriter(Sha256::new());
        File::open(path)
            .and_then(|mut file| io::copy(&mut file, &mut one))
            .map_err(|source| EncoderError::io(path, source))?;
        all.update(one.0.finalize());
    }
    Ok(all.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
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
