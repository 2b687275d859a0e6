//! The key of a service.

use std::{fmt, fs, path::Path};

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::error::ServeError;

/// A key that clients send as `Authorization: Bearer KEY`. Only its hash is kept.
///
/// ```
/// let key = cman_serve::ApiKey::new("secret-7")?;
/// assert!(key.is("secret-7") && !key.is("secret-8"));
/// assert_eq!(format!("{key:?}"), "ApiKey");
/// # Ok::<(), cman_serve::ServeError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey([u8; 32]);

impl ApiKey {
    /// A key of visible ASCII characters.
    ///
    /// # Errors
    /// [`ServeError::Key`] if it is empty or has other characters.
    pub fn new(key: &str) -> Result<Self, ServeError> {
        Self::checked(key).ok_or(ServeError::Key { path: None, expected: EXPECTED })
    }

    /// The key in a file. White space around it is ignored.
    ///
    /// # Errors
    /// A file that cannot be read, or that holds no key.
    pub fn read(path: &Path) -> Result<Self, ServeError> {
        let text = fs::read_to_string(path).map_err(|source| ServeError::Io { path: path.into(), source })?;
        Self::checked(text.trim()).ok_or(ServeError::Key { path: Some(path.into()), expected: EXPECTED })
    }

    fn checked(key: &str) -> Option<Self> {
        let is_sendable = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic());
        is_sendable.then(|| Self(Sha256::digest(key).into()))
    }

    /// Whether this is the key. The time does not depend on where they differ, nor on the length of the key.
    pub fn is(&self, other: &str) -> bool {
        let hash: [u8; 32] = Sha256::digest(other).into();
        hash.ct_eq(&self.0).into()
    }
}

const EXPECTED: &str = "a key of visible ASCII characters without spaces";

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_from_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, "  abc-1\n").unwrap();
        assert_eq!(ApiKey::read(&path).unwrap(), ApiKey::new("abc-1").unwrap());
        for wrong in ["", "\n", "a b", "clé"] {
            fs::write(&path, wrong).unwrap();
            let message = ApiKey::read(&path).unwrap_err().to_string();
            assert!(message.starts_with(&path.display().to_string()) && message.ends_with(EXPECTED), "{message}");
        }
        assert_eq!(ApiKey::new("").unwrap_err().to_string(), format!("API key: expected {EXPECTED}"));
    }
}
