//! The manifest of an extraction: what is extracted from what, and how far it is.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow};
use cman_data::{InputFormat, file};
use cman_model::{ExtractOptions, Extractor, Model};
use cman_train::checksum;
use indicatif::HumanCount;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{files::InputFile, part_args::PartArgs, position::Position};
use crate::hint::{RESUME, hinted};

/// The file of the manifest. Engines of tables pass over names that start so.
const MANIFEST: &str = "_manifest.json";
/// The version of its form.
const FORMAT: u32 = 1;

/// What is extracted from what. Runs with equal jobs write equal bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// SHA-256 of the model.
    model: String,
    options: ExtractOptions,
    input_format: Option<String>,
    #[serde(flatten)]
    parts: PartArgs,
    files: Vec<InputFile>,
}

/// A part that has its name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WrittenPart {
    pub file: String,
    #[serde(flatten)]
    pub counts: Counts,
    /// The place in the files after its records.
    pub end: Position,
}

/// What a part has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Records, with those that could not be read.
    pub records: u64,
    /// Records and files that could not be read.
    pub rejected: u64,
    pub sentences: u64,
    /// Sentences that were read in windows.
    pub in_windows: u64,
    pub entities: u64,
    pub relations: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Content {
    format: u32,
    library: String,
    job: Job,
    complete: bool,
    parts: Vec<WrittenPart>,
}

/// The manifest in the folder of the parts.
#[derive(Debug)]
pub struct Manifest {
    path: PathBuf,
    content: Content,
}

impl Job {
    /// The job of an extractor with the model at `model`, or with the demo model.
    pub fn new(
        model: Option<&Path>,
        extractor: &Extractor,
        files: &[InputFile],
        format: Option<InputFormat>,
        parts: &PartArgs,
    ) -> Result<Self> {
        Ok(Self {
            model: model_hash(model)?,
            options: extractor.options().clone(),
            input_format: format.map(|format| format.to_string()),
            parts: parts.clone(),
            files: files.to_vec(),
        })
    }
}

impl Manifest {
    /// The manifest of a new folder, or with `resume` of one that has parts of the same job.
    pub fn open(folder: &Path, job: Job, resume: bool) -> Result<Self> {
        let path = folder.join(MANIFEST);
        let name = || path.display().to_string();
        if !path.exists() {
            let content = Content {
                format: FORMAT,
                library: env!("CARGO_PKG_VERSION").into(),
                job,
                complete: false,
                parts: vec![],
            };
            let manifest = Self { path, content };
            manifest.save()?;
            return Ok(manifest);
        }
        if !resume {
            let hint = format!("{RESUME}; another `--output` leaves it as it is");
            return Err(hinted(anyhow!("{}: already has an extraction", folder.display()), hint));
        }
        let content: Content = serde_json::from_slice(&fs::read(&path).with_context(name)?).with_context(name)?;
        if content.format != FORMAT {
            let found = content.format;
            return Err(anyhow!("{}: format {found}, this program reads format {FORMAT}", name()));
        }
        let mut differences = Vec::new();
        compare("", &serde_json::to_value(&content.job)?, &serde_json::to_value(&job)?, &mut differences);
        if !differences.is_empty() {
            let error = anyhow!("{}: the extraction is another one: {}", folder.display(), differences.join("; "));
            return Err(hinted(error, "another `--output` starts a new one"));
        }
        Ok(Self { path, content })
    }

    /// Whether nothing is left to do.
    pub fn is_complete(&self) -> bool {
        self.content.complete
    }

    /// Number of the parts.
    pub fn parts(&self) -> usize {
        self.content.parts.len()
    }

    /// The place in the files after the last part.
    pub fn end(&self) -> Position {
        self.content.parts.last().map_or_else(Position::default, |part| part.end)
    }

    /// What all parts have.
    pub fn counts(&self) -> Counts {
        let mut all = Counts::default();
        for WrittenPart { counts, .. } in &self.content.parts {
            all.records += counts.records;
            all.rejected += counts.rejected;
            all.sentences += counts.sentences;
            all.in_windows += counts.in_windows;
            all.entities += counts.entities;
            all.relations += counts.relations;
        }
        all
    }

    /// Adds a part, the last one if nothing follows.
    pub fn add(&mut self, part: WrittenPart, is_last: bool) -> Result<()> {
        self.content.parts.push(part);
        self.content.complete = is_last;
        self.save()
    }

    /// Marks the extraction as complete.
    pub fn complete(&mut self) -> Result<()> {
        self.content.complete = true;
        self.save()
    }

    fn save(&self) -> Result<()> {
        let json = serde_json::to_string_pretty(&self.content)?;
        file::replace(&self.path, json.as_bytes()).with_context(|| self.path.display().to_string())
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [records, sentences, entities, relations] =
            [self.records, self.sentences, self.entities, self.relations].map(HumanCount);
        write!(f, "{records} records, {sentences} sentences, {entities} entities, {relations} relations")
    }
}

/// Lists what differs between two values: `options.max_tokens: 512, now 100`.
fn compare(name: &str, old: &Value, new: &Value, differences: &mut Vec<String>) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            for (key, value) in new {
                let dot = if name.is_empty() { "" } else { "." };
                compare(&format!("{name}{dot}{key}"), old.get(key).unwrap_or(&Value::Null), value, differences);
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (i, (old, new)) in old.iter().zip(new).enumerate() {
                compare(&format!("{name}[{i}]"), old, new, differences);
            }
        }
        (Value::Array(old), Value::Array(new)) => {
            differences.push(format!("{name}: {} of them, now {}", old.len(), new.len()));
        }
        _ if old == new => {}
        _ => differences.push(format!("{name}: {old}, now {new}")),
    }
}

/// SHA-256 of a package, of the checksums of the files of a model directory, or of the demo model.
fn model_hash(path: Option<&Path>) -> Result<String> {
    let Some(path) = path else { return Ok(checksum::of(cman_demo::PACKAGE)) };
    let of_file = |path: &Path| checksum::of_file(path).with_context(|| path.display().to_string());
    if !path.is_dir() {
        return of_file(path);
    }
    let files = Model::FILES.map(|name| path.join(name)).into_iter().filter(|file| file.exists());
    let hashes = files.map(|file| of_file(&file)).collect::<Result<Vec<_>>>()?;
    Ok(checksum::of(hashes.concat().as_bytes()))
}
