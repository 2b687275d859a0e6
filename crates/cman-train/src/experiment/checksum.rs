//! SHA-256 in hexadecimal, as `sha256sum` prints it.

use std::{fs, path::Path};

use sha2::{Digest, Sha256};

use crate::TrainError;

/// The checksum of a file.
pub(super) fn of_file(path: &Path) -> Result<String, TrainError> {
    fs::read(path).map(|bytes| of(&bytes)).map_err(|source| TrainError::io(path, source))
}

/// The checksum of bytes.
pub(super) fn of(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_checksum_is_that_of_the_standard() {
        // FIPS 180-2, appendix B.1.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(super::of(b"abc"), expected);
    }
}
