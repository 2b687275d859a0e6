//! A model in one file: a tar archive of the model directory with its encoder, after a card.

mod card;
mod precision;

use std::{
    fs::{self, File},
    io::{self, BufReader, Read, Write},
    path::{Component, Path, PathBuf},
};

use burn::{module::Module, tensor::Device};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tar::{Archive, Builder, Header};
use tempfile::TempDir;

pub use card::{About, Card, Measured, PackedFile, Precision};

use crate::{
    error::ModelError,
    model::{LoadOptions, Model},
};

/// The first entry of a package.
const CARD: &str = "card.json";
/// The largest card that is read.
const CARD_BYTES: u64 = 16 << 20;

/// A model directory on the way to a package. It is a copy of the model with its encoder, so that what is measured with it is
/// what users of the package get.
#[derive(Debug)]
pub struct Packing {
    folder: TempDir,
    card: Card,
}

impl Packing {
    /// Prepares a package of the model directory `folder`, which is loaded on `device`. `options` may name the encoder.
    ///
    /// # Errors
    /// A model or an encoder that cannot be loaded; contextual vectors of a file in place of an encoder; a weight that is too
    /// large for half precision.
    pub fn new(
        folder: &Path,
        device: &Device,
        options: &LoadOptions,
        precision: Precision,
        about: About,
    ) -> Result<Self, ModelError> {
        let model = Model::load_with(folder, device, options)?;
        let scores = model_scores(folder)?;
        let staging = tempfile::tempdir().map_err(|source| ModelError::io(std::env::temp_dir(), source))?;
        let round = |path: &Path| if precision == Precision::Half { precision::halve(path) } else { Ok(()) };
        let encoder = model.save_with_encoder(staging.path(), &scores, options.encoder.as_deref(), &round)?;
        let card = Card {
            format: card::FORMAT,
            library: format!("cman {}", env!("CARGO_PKG_VERSION")),
            about,
            precision,
            parameters: model.network().num_params(),
            entity_types: model.schema().entities.names().to_vec(),
            relation_types: model.schema().relations.names().to_vec(),
            encoder: encoder.map(|identity| identity.to_string()),
            scores,
            measured: Vec::new(),
            files: Vec::new(),
        };
        Ok(Self { folder: staging, card })
    }

    /// The model as users of the package get it.
    ///
    /// # Errors
    /// Those of [`Model::load`].
    pub fn model(&self, device: &Device) -> Result<Model, ModelError> {
        Model::load(self.folder.path(), device)
    }

    /// Adds scores to the card.
    pub fn add(&mut self, measured: Measured) {
        self.card.measured.push(measured);
    }

    /// Writes the package to `path`. Returns its card.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write(self, path: &Path) -> Result<Card, ModelError> {
        let Self { folder, mut card } = self;
        let fail = |source| ModelError::io(path, source);
        let mut files = Vec::new();
        collect(folder.path(), Path::new(""), &mut files).map_err(fail)?;
        files.sort();
        let packed = |name: &PathBuf| {
            let mut file = File::open(folder.path().join(name))?;
            let mut hash = Hashing { to: io::sink(), hash: Sha256::new(), bytes: 0 };
            io::copy(&mut file, &mut hash)?;
            Ok(PackedFile { name: name.to_string_lossy().replace('\\', "/"), bytes: hash.bytes, sha256: hash.hex() })
        };
        card.files = files.iter().map(packed).collect::<io::Result<_>>().map_err(fail)?;
        let draft = cman_data::file::Draft::of(path.to_owned());
        let mut archive = Builder::new(io::BufWriter::new(draft.create().map_err(fail)?));
        let mut text = serde_json::to_vec_pretty(&card).map_err(|error| fail(error.into()))?;
        text.push(b'\n');
        append(&mut archive, CARD, text.len() as u64, &text[..]).map_err(fail)?;
        for (name, packed) in files.iter().zip(&card.files) {
            let file = File::open(folder.path().join(name)).map_err(fail)?;
            append(&mut archive, &packed.name, packed.bytes, BufReader::new(file)).map_err(fail)?;
        }
        archive.into_inner().and_then(|mut writer| writer.flush()).map_err(fail)?;
        draft.publish().map_err(fail)?;
        Ok(card)
    }
}

impl Card {
    /// Reads the card of a package.
    ///
    /// # Errors
    /// A file that is no package.
    pub fn read(path: &Path) -> Result<Self, ModelError> {
        let file = File::open(path).map_err(|source| ModelError::io(path, source))?;
        Self::first_of(BufReader::new(file), path)
    }

    /// Reads the card of a package from its bytes.
    ///
    /// # Errors
    /// Bytes that are no package.
    pub fn from_package(bytes: &[u8]) -> Result<Self, ModelError> {
        Self::first_of(bytes, Path::new("package"))
    }

    fn first_of(package: impl Read, path: &Path) -> Result<Self, ModelError> {
        let mut archive = Archive::new(package);
        let mut entries = archive.entries().map_err(|_| no_package(path))?;
        read_card(&mut entries, path)
    }
}

/// Unpacks a package into a folder that is removed when it is dropped.
///
/// # Errors
/// A file that is no package, or is damaged.
pub(crate) fn unpack(path: &Path) -> Result<TempDir, ModelError> {
    let file = File::open(path).map_err(|source| ModelError::io(path, source))?;
    unpack_from(BufReader::new(file), path)
}

/// Unpacks a package that is read from `bytes`; messages call it `path`.
///
/// # Errors
/// As [`unpack`].
pub(crate) fn unpack_from(bytes: impl Read, path: &Path) -> Result<TempDir, ModelError> {
    let damaged = |reason: String| ModelError::directory(path, reason);
    let mut archive = Archive::new(bytes);
    let mut entries = archive.entries().map_err(|_| no_package(path))?;
    let card = read_card(&mut entries, path)?;
    if let Some(unsafe_name) = card.files.iter().map(|file| &file.name).find(|name| !is_inside(name)) {
        return Err(damaged(format!("expected the name of a file inside of the package, found {unsafe_name:?}")));
    }
    let folder = tempfile::tempdir().map_err(|source| ModelError::io(std::env::temp_dir(), source))?;
    for expected in &card.files {
        let name = &expected.name;
        let mut entry = match entries.next() {
            Some(Ok(entry)) if entry.path_bytes() == name.as_bytes() => entry,
            Some(Ok(entry)) => {
                let found = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
                return Err(damaged(format!("expected {name}, as in its card, found {found:?}")));
            }
            Some(Err(error)) => return Err(damaged(format!("{name}: {error}"))),
            None => return Err(damaged(format!("ends before {name}"))),
        };
        let place = folder.path().join(name);
        let mut write = || {
            fs::create_dir_all(place.parent().unwrap_or(folder.path()))?;
            let mut to = Hashing { to: File::create(&place)?, hash: Sha256::new(), bytes: 0 };
            io::copy(&mut entry, &mut to)?;
            io::Result::Ok((to.bytes, to.hex()))
        };
        let (bytes, sha256) = write().map_err(|error| damaged(format!("{name}: {error}")))?;
        if (bytes, &sha256) != (expected.bytes, &expected.sha256) {
            return Err(damaged(format!(
                "{name} is damaged: expected {} bytes with the SHA-256 {}, found {bytes} with {sha256}",
                expected.bytes, expected.sha256
            )));
        }
    }
    if entries.next().is_some() {
        return Err(damaged("expected no file that is not in its card".into()));
    }
    Ok(folder)
}

/// The card is the first entry.
fn read_card<R: Read>(entries: &mut tar::Entries<R>, path: &Path) -> Result<Card, ModelError> {
    let Some(Ok(entry)) = entries.next() else { return Err(no_package(path)) };
    if entry.path_bytes() != CARD.as_bytes() {
        return Err(no_package(path));
    }
    let mut text = Vec::new();
    entry.take(CARD_BYTES).read_to_end(&mut text).map_err(|source| ModelError::io(path, source))?;
    let value: Value =
        serde_json::from_slice(&text).map_err(|error| ModelError::directory(path, format!("{CARD}: {error}")))?;
    match value.get("format").and_then(Value::as_u64) {
        Some(format) if format == u64::from(card::FORMAT) => {}
        format => {
            let found = format.map_or("none".into(), |format| format.to_string());
            let reason = format!("{CARD}: format: expected {}, found {found}", card::FORMAT);
            return Err(ModelError::directory(path, reason));
        }
    }
    serde_json::from_value(value).map_err(|error| ModelError::directory(path, format!("{CARD}: {error}")))
}

fn no_package(path: &Path) -> ModelError {
    ModelError::directory(path, "expected a model directory or a package of `cman package`")
}

/// The scores file of a model directory.
fn model_scores(folder: &Path) -> Result<Value, ModelError> {
    let path = folder.join("scores.json");
    let text = fs::read(&path).map_err(|source| ModelError::io(&path, source))?;
    serde_json::from_slice(&text).map_err(|error| ModelError::directory(&path, error.to_string()))
}

fn append(archive: &mut Builder<impl Write>, name: &str, bytes: u64, content: impl Read) -> io::Result<()> {
    // No times and owners: equal models give equal packages.
    let mut header = Header::new_gnu();
    header.set_size(bytes);
    header.set_mode(0o644);
    archive.append_data(&mut header, name, content)
}

/// The files below `folder`, relative to it.
fn collect(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            collect(root, &path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

/// Whether a path has only plain names.
fn is_inside(name: &str) -> bool {
    !name.is_empty() && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)))
}

/// Passes bytes on, counts and hashes them.
struct Hashing<W> {
    to: W,
    hash: Sha256,
    bytes: u64,
}

impl<W> Hashing<W> {
    fn hex(self) -> String {
        self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
