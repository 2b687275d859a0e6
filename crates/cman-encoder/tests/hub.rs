//! Downloads of encoders, from a mock hub on the loopback interface.
#![cfg(feature = "hub")]

use std::{
    collections::HashMap,
    fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::{Arc, Mutex},
    thread,
};

use cman_encoder::{Hub, HubError};
use sha2::{Digest, Sha256};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const FILES: [&str; 2] = ["config.json", "model.safetensors"];

/// A fault of the server.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    /// Closes the connection in the middle of the weights.
    Interrupts,
    /// Sends other bytes than announced.
    Corrupts,
}

struct MockHub {
    address: String,
    fault: Arc<Mutex<Fault>>,
    /// (path, first byte) of each request.
    requests: Arc<Mutex<Vec<(String, usize)>>>,
    weights: Vec<u8>,
}

impl MockHub {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let weights: Vec<u8> = (0..3_000_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let files: HashMap<&str, Vec<u8>> =
            HashMap::from([("config.json", b"{}".to_vec()), ("model.safetensors", weights.clone())]);
        let (fault, requests) = (Arc::new(Mutex::new(Fault::None)), Arc::new(Mutex::new(Vec::new())));
        let shared = (fault.clone(), requests.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                // Write errors are ignored: some tests disconnect.
                _ = answer(stream.unwrap(), &files, *shared.0.lock().unwrap(), &shared.1);
            }
        });
        Self { address, fault, requests, weights }
    }

    fn set(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }

    fn fetch(&self, cache: &Path, name: &str) -> Result<std::path::PathBuf, HubError> {
        Hub::new(&self.address, cache).fetch(name, &FILES)
    }
}

fn answer(
    mut stream: TcpStream,
    files: &HashMap<&str, Vec<u8>>,
    fault: Fault,
    requests: &Mutex<Vec<(String, usize)>>,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().unwrap()?;
    let path = request.split(' ').nth(1).unwrap().to_owned();
    let mut range = String::new();
    for line in lines {
        let line = line?.to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("range: bytes=") {
            range = value.to_owned();
        }
        if line.is_empty() {
            break;
        }
    }
    let (first, last) = range.split_once('-').unwrap_or(("0", ""));
    let first: usize = first.parse().unwrap_or(0);
    requests.lock().unwrap().push((path.clone(), first));
    let file = path.rsplit('/').next().unwrap();
    let Some(content) = files.get(file).filter(|_| path.starts_with("/org/tiny/resolve/")) else {
        return stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    };
    let end = last.parse::<usize>().map_or(content.len(), |last| last + 1);
    let mut body = content[first..end].to_vec();
    let hash: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
    // Small files have another kind of hash.
    let etag = if file == "config.json" { COMMIT.to_owned() } else { hash };
    write!(
        stream,
        "HTTP/1.1 206 Partial Content\r\nContent-Length: {}\r\nContent-Range: bytes {first}-{}/{}\r\nETag: \"{etag}\"\r\n\
         X-Repo-Commit: {COMMIT}\r\nConnection: close\r\n\r\n",
        body.len(),
        end - 1,
        content.len()
    )?;
    let whole = body.len() > 1;
    if fault == Fault::Corrupts && whole && file == "model.safetensors" {
        let middle = body.len() / 2;
        body[middle] ^= 1;
    }
    if fault == Fault::Interrupts && whole && file == "model.safetensors" {
        body.truncate(body.len() / 2);
    }
    stream.write_all(&body)
}

#[test]
fn an_encoder_is_downloaded_once() {
    let (hub, cache) = (MockHub::start(), tempfile::tempdir().unwrap());
    let folder = hub.fetch(cache.path(), "org/tiny").unwrap();
    assert_eq!(fs::read(folder.join("model.safetensors")).unwrap(), hub.weights);
    assert_eq!(fs::read(folder.join("config.json")).unwrap(), b"{}");
    // The place where other libraries look for it.
    assert_eq!(folder, cache.path().join("models--org--tiny/snapshots").join(COMMIT));
    let n_requests = hub.requests.lock().unwrap().len();
    assert_eq!(hub.fetch(cache.path(), "org/tiny").unwrap(), folder);
    assert_eq!(hub.requests.lock().unwrap().len(), n_requests);
    hub.fetch(cache.path(), "org/tiny@v2").unwrap();
    assert!(hub.requests.lock().unwrap().iter().any(|(path, _)| path == "/org/tiny/resolve/v2/config.json"));
}

#[test]
fn files_of_two_revisions_are_never_mixed() {
    let (hub, cache) = (MockHub::start(), tempfile::tempdir().unwrap());
    // The state after a download was interrupted after its first file and the repository got a new revision.
    let repo = cache.path().join("models--org--tiny");
    let old = repo.join("snapshots/old");
    fs::create_dir_all(&old).unwrap();
    fs::create_dir_all(repo.join("refs")).unwrap();
    fs::write(old.join("config.json"), "old").unwrap();
    fs::write(repo.join("refs/main"), "old").unwrap();
    let folder = hub.fetch(cache.path(), "org/tiny").unwrap();
    assert_eq!(folder, repo.join("snapshots").join(COMMIT));
    assert_eq!(fs::read(folder.join("config.json")).unwrap(), b"{}");
}

#[test]
fn an_interrupted_download_resumes() {
    let (hub, cache) = (MockHub::start(), tempfile::tempdir().unwrap());
    hub.set(Fault::Interrupts);
    let error = hub.fetch(cache.path(), "org/tiny").unwrap_err().to_string();
    assert!(error.starts_with("org/tiny: model.safetensors is not in the cache and cannot be fetched ("), "{error}");
    hub.set(Fault::None);
    let folder = hub.fetch(cache.path(), "org/tiny").unwrap();
    assert_eq!(fs::read(folder.join("model.safetensors")).unwrap(), hub.weights);
    assert!(hub.requests.lock().unwrap().iter().any(|(_, first)| *first > 0), "only the second half is requested");
}

#[test]
fn a_corrupt_download_is_removed_and_refused() {
    let (hub, cache) = (MockHub::start(), tempfile::tempdir().unwrap());
    hub.set(Fault::Corrupts);
    for _ in 0..2 {
        let error = hub.fetch(cache.path(), "org/tiny").unwrap_err();
        assert!(matches!(&error, HubError::Corrupt { file, .. } if file == "model.safetensors"), "{error}");
    }
    hub.set(Fault::None);
    let folder = hub.fetch(cache.path(), "org/tiny").unwrap();
    assert_eq!(fs::read(folder.join("model.safetensors")).unwrap(), hub.weights);
}

#[test]
fn without_a_connection_the_advice_of_the_message_works() {
    let cache = tempfile::tempdir().unwrap();
    // A port without a listener.
    let address = format!("http://{}", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap());
    let fetch = || Hub::new(&address, cache.path()).fetch("org/tiny@v1", &FILES);
    let error = fetch().unwrap_err();
    let HubError::Unavailable { cache: place, .. } = &error else { panic!("{error}") };
    let message = error.to_string();
    assert!(message.contains("put config.json, model.safetensors into a folder and name that folder"), "{message}");
    assert!(message.contains(&place.display().to_string()), "{message}");
    fs::create_dir_all(place).unwrap();
    FILES.iter().for_each(|file| fs::write(place.join(file), "x").unwrap());
    assert_eq!(&fetch().unwrap(), place);
}

#[test]
fn an_encoder_that_is_not_on_the_hub_is_an_error() {
    let (hub, cache) = (MockHub::start(), tempfile::tempdir().unwrap());
    let error = hub.fetch(cache.path(), "org/none").unwrap_err().to_string();
    assert!(error.contains("404"), "{error}");
}
