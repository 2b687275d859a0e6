//! Encoders by their name on the Hugging Face hub: fetched once into the usual cache.
//!
//! The hub names large files by their SHA-256; a file whose content is another one is removed and refused. A download
//! that broke off goes on where it was the next time.

use std::{fs, io, path::PathBuf};

use hf_hub::{
    Cache, Repo, RepoType,
    api::sync::{ApiBuilder, ApiError},
};

use crate::checksum;

/// Where encoders are fetched from and kept.
#[derive(Clone, Debug)]
pub struct Hub {
    endpoint: Option<String>,
    cache: Cache,
    progress: bool,
}

/// A file that the hub does not give.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// It is neither in the cache nor to be had.
    #[error(
        "{name}: {file} is not in the cache and cannot be fetched ({reason}); without a connection, put {files} of it \
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
        /// Where the cache looks.
        cache: PathBuf,
        /// What went wrong.
        reason: String,
    },
    /// Its content is not what the hub announced.
    #[error(
        "{name}: {file} was damaged on the way: expected SHA-256 {expected}, found {found}; it is removed, try again"
    )]
    Corrupt {
        /// The encoder.
        name: String,
        /// The file.
        file: String,
        /// The announced hash.
        expected: String,
        /// That of the content.
        found: String,
    },
    /// The cache cannot be read or written.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Hub {
    /// The hub and the cache that the environment names (`HF_ENDPOINT`, `HF_HOME`), with a progress bar.
    pub fn from_env() -> Self {
        Self { endpoint: std::env::var("HF_ENDPOINT").ok(), cache: Cache::from_env(), progress: true }
    }

    /// Another hub and cache, without a progress bar.
    pub fn new(endpoint: impl Into<String>, cache: impl Into<PathBuf>) -> Self {
        Self { endpoint: Some(endpoint.into()), cache: Cache::new(cache.into()), progress: false }
    }

    /// The folder with these files of `name`; what is not in the cache is fetched.
    ///
    /// # Errors
    /// A file that is not in the cache and cannot be fetched, or arrives damaged.
    pub fn fetch(&self, name: &str, files: &[&str]) -> Result<PathBuf, HubError> {
        let (id, revision) = name.split_once('@').unwrap_or((name, "main"));
        let repo = || Repo::with_revision(id.into(), RepoType::Model, revision.into());
        let unavailable = |file: &str, reason: String| HubError::Unavailable {
            name: name.into(),
            file: file.into(),
            files: files.join(", "),
            cache: self.cache.path().join(repo().folder_name()).join("snapshots").join(revision),
            reason,
        };
        // A folder of snapshots that somebody filled by hand is as good as a fetched one.
        let by_hand = self.cache.path().join(repo().folder_name()).join("snapshots").join(revision);
        let at_hand = |file: &str| {
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
            let path = at_hand(file).map_or_else(|| fetch(file), Ok)?;
            folder = path.parent().map_or_else(PathBuf::new, PathBuf::from);
        }
        // The last one may be of another revision than what was there before it.
        for file in files.iter().filter(|file| !folder.join(file).is_file()).collect::<Vec<_>>() {
            if fetch(file)?.parent() != Some(&folder) {
                return Err(unavailable(file, format!("its revision is another than that of {}", folder.display())));
            }
        }
        Ok(folder)
    }
}

/// Holds a fetched file against the name that the hub gave to its content, where that is a SHA-256.
fn check(name: &str, file: &str, path: &PathBuf) -> Result<(), HubError> {
    let io = |source| HubError::Io { path: path.clone(), source };
    let blob = fs::canonicalize(path).map_err(io)?;
    let expected = blob.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    if expected.len() != 64 || !expected.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(());
    }
    let found = checksum::of_file(&blob).map_err(io)?;
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
