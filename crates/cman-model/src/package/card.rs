//! What a package says about its model.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Version of the layout of a package.
pub(super) const FORMAT: u32 = 1;

/// The card of a packaged model: what it is, where it comes from, how good it is, and the files of the package.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// Version of the layout of the package.
    pub format: u32,
    /// The program that wrote it.
    pub library: String,
    /// What the author says about the model.
    #[serde(flatten)]
    pub about: About,
    /// How the weights are stored.
    pub precision: Precision,
    /// Number of weights, those of the encoder not counted.
    pub parameters: usize,
    /// The entity types.
    pub entity_types: Vec<String>,
    /// The relation types.
    pub relation_types: Vec<String>,
    /// The contextual encoder, if there is one, and its hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoder: Option<String>,
    /// The scores of the training run: those of the kept epoch on dev, and those on test if there were.
    pub scores: Value,
    /// Micro F1 in percent on other data, measured with the packaged weights.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub measured: Vec<Measured>,
    /// The other files of the package.
    pub files: Vec<PackedFile>,
}

/// What the author says about a model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The licence under which it may be used.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub licence: String,
    /// The data that it was trained on.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub data: String,
    /// What it cannot do.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub limits: String,
}

/// How weights are stored. They are always computed with in single precision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32 bits.
    #[default]
    Single,
    /// 16 bits: half the size. Every weight is rounded.
    Half,
}

/// The scores of a packaged model on data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The file.
    pub data: String,
    /// Sentences.
    pub sentences: usize,
    /// Micro F1 of the entities, in percent.
    pub entities: f64,
    /// Micro F1 of the relations, in percent.
    pub relations: f64,
}

/// A file of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackedFile {
    /// Its path in the package.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// The SHA-256 of its content, in hexadecimal.
    pub sha256: String,
}

impl fmt::Display for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let about = &self.about;
        let line = |f: &mut fmt::Formatter<'_>, what: &str, value: &str| {
            if value.is_empty() { Ok(()) } else { writeln!(f, "{what:<12}{value}") }
        };
        line(f, "model", &about.name)?;
        line(f, "", &about.description)?;
        line(f, "licence", &about.licence)?;
        line(f, "data", &about.data)?;
        line(f, "limits", &about.limits)?;
        line(f, "entities", &self.entity_types.join(", "))?;
        line(f, "relations", &self.relation_types.join(", "))?;
        let precision = match self.precision {
            Precision::Single => "single precision",
            Precision::Half => "half precision",
        };
        line(f, "weights", &format!("{}, {precision}", self.parameters))?;
        line(f, "encoder", self.encoder.as_deref().unwrap_or_default())?;
        for measured in &self.measured {
            let Measured { data, sentences, entities, relations } = measured;
            let scores = format!("entities {entities:.2}, relations {relations:.2} on {data} ({sentences} sentences)");
            line(f, "F1", &scores)?;
        }
        let bytes: u64 = self.files.iter().map(|file| file.bytes).sum();
        line(f, "size", &format!("{:.1} MB in {} files", bytes as f64 / 1e6, self.files.len()))?;
        line(f, "written by", &self.library)
    }
}
