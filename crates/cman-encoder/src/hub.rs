//! Downloads encoders from the Hugging Face hub into its standard cache.
//!
//! The hub names large files by their SHA-256. A file with a different checksum is removed and refused. An interrupted
//! download resumes the next time.

use std::{fs, io, path::PathBuf};

use hf_hub::{
    Cache, Repo, RepoType,
    api::sync::{ApiBuilder, ApiError},
};

use crate::hash::{hexadecimal, sha256};

/// A hub and a local cache.
#[derive(Clone, Debug)]
pub struct Hub {
    endpoint: Option<String>,
    cache: Cache,
    progress: bool,
}

/// A file that cannot be fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// The file is not in the cache and cannot be downloaded.
    #[error(
        "{name}: {file} is not in the cache and cannot be fetched ({reason}); without a connection, put {files} \
         into a folder and name that folder, or copy them into {}",
        cache.display()
    )]
    Unavailable {
        /// The encoder.
        name: String,
        /// The file.
        file: String,
        /// All files that are needed.
        files: String,
        /// The folder of this encoder in the cache.
        cache: PathBuf,
        /// The error of the download.
        reason: String,
    },
    /// The checksum is not the one that the hub announced.
    #[error("{name}: the download of {file} is corrupt: expected SHA-256 {expected}, found {found}; try again")]
    Corrupt {
        /// The encoder.
        name: String,
        /// The file.
        file: String,
        /// The announced checksum.
        expected: String,
        /// The checksum of the download.
        found: String,
    },
    /// The cache cannot be read or written.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
}

impl Hub {
    /// The hub and the cache that the environment names (`HF_ENDPOINT`, `HF_HOME`), with a progress bar.
    pub fn from_env() -> Self {
        Self { endpoint: std::env::var("HF_ENDPOINT").ok(), cache: Cache::from_env(), progress: true }
    }

    /// The hub at `endpoint` with this cache, without a progress bar.
    pub fn new(endpoint: impl Into<String>, cache: impl Into<PathBuf>) -> Self {
        Self { endpoint: Some(endpoint.into()), cache: Cache::new(cache.into()), progress: false }
    }

    /// The folder with these files of `name`. Files that are not in the cache are downloaded.
    ///
    /// # Errors
    /// A file that is not in the cache and cannot be downloaded, or a corrupt download.
    pub fn fetch(&self, name: &str, files: &[&str]) -> Result<PathBuf, HubError> {
        let (id, revision) = name.split_once('@').unwrap_or((name, "main"));
        let repo = || Repo::with_revision(id.into(), RepoType::Model, revision.into());
        // Users may copy files into this folder by hand.
        let by_hand = self.cache.path().join(repo().folder_name()).join("snapshots").join(revision);
        let unavailable = |file: &str, reason: String| HubError::Unavailable {
            name: name.into(),
            file: file.into(),
            files: files.join(", "),
            cache: by_hand.clone(),
            reason,
        };
        let cached = |file: &str| {
            let path = by_hand.join(file);
            if path.is_file() { Some(path) } else { self.cache.repo(repo()).get(file) }
        };
        let fetch = |file: &str| {
            let mut builder = ApiBuilder::from_cache(self.cache.clone()).with_progress(self.progress);
            if let Some(endpoint) = &self.endpoint {
                builder = builder.with_endpoint(endpoint.clone());
            }
            let download = || builder.build()?.repo(repo()).download(file);
            let path = download().map_err(|error: ApiError| unavailable(file, one_line(&error)))?;
            check(name, file, &path)?;
            Ok::<_, HubError>(path)
        };
        let mut folder = PathBuf::new();
        for file in files {
            let path = cached(file).map_or_else(|| fetch(file), Ok)?;
            folder = path.parent().map_or_else(PathBuf::new, PathBuf::from);
        }
        // A new download may be of another revision than the cached files.
        for file in files.iter().filter(|file| !folder.join(file).is_file()).collect::<Vec<_>>() {
            if fetch(file)?.parent() != Some(&folder) {
                return Err(unavailable(file, format!("its revision differs from that of {}", folder.display())));
            }
        }
        Ok(folder)
    }
}

/// Compares a download with the name that the hub gives to its content, if that is a SHA-256.
fn check(name: &str, file: &str, path: &PathBuf) -> Result<(), HubError> {
    let io = |source| HubError::Io { path: path.clone(), source };
    let blob = fs::canonicalize(path).map_err(io)?;
    let expected = blob.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    if expected.len() != 64 || !expected.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(());
    }
    let found = hexadecimal(&sha256(&blob).map_err(io)?);
    if found == expected.to_ascii_lowercase() {
        return Ok(());
    }
    fs::remove_file(&blob).map_err(io)?;
    _ = fs::remove_file(path);
    Err(HubError::Corrupt { name: name.into(), file: file.into(), expected, found })
}

fn one_line(error: &ApiError) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}
