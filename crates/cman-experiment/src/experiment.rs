//! The experiment file: systems, corpora, protocols, seeds, and published scores for comparison.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use cman_model::read_toml;
use cman_train::Protocol;
use serde::{Deserialize, Serialize};

use crate::{corpus::CorpusSource, error::ExperimentError};

/// An experiment: every system is trained on every corpus and fold, with every protocol and every seed.
///
/// ```
/// use cman_experiment::Experiment;
///
/// let experiment = Experiment::from_toml(
///     r#"
///     name = "attention"
///     title = "What self-attention is worth"
///     config = "../configs/conll04.toml"
///     seeds = [1, 2, 3]
///
///     [[corpora]]
///     name = "CoNLL04"
///     folder = "conll04/multihead"
///
///     [[systems]]
///     name = "CMAN"
///
///     [[systems]]
///     name = "- self-attention"
///     set = ["model.self_attention=false"]
///     "#,
///     "attention.toml",
/// )?;
/// assert_eq!(experiment.systems.len(), 2);
/// # Ok::<(), cman_experiment::ExperimentError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Short name.
    pub name: String,
    /// Title of the report.
    pub title: String,
    /// Notes for readers of the report.
    #[serde(default)]
    pub notes: String,
    /// Configuration file of systems without their own, relative to the experiment file. Default: the default
    /// configuration.
    pub config: Option<PathBuf>,
    /// Word vectors, relative to the data folder.
    pub vectors: Option<PathBuf>,
    /// Settings of every system. They override the configuration file.
    #[serde(default)]
    pub set: Vec<String>,
    /// The seeds.
    #[serde(default = "one_seed")]
    pub seeds: Vec<u64>,
    /// The training protocols.
    #[serde(default = "train_protocol")]
    pub protocols: Vec<Protocol>,
    /// The average over types in the comparison with published scores.
    #[serde(default)]
    pub average: Average,
    /// The system that all others are compared with.
    pub baseline: Option<String>,
    /// Lists of values for settings. Every system is trained with every combination.
    #[serde(default)]
    pub grid: BTreeMap<String, Vec<toml::Value>>,
    /// The corpora.
    pub corpora: Vec<CorpusSource>,
    /// The systems.
    pub systems: Vec<System>,
    /// Published scores, for comparison.
    #[serde(default)]
    pub published: Vec<Published>,
}

/// A named configuration.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct System {
    /// Name in the report.
    pub name: String,
    /// Configuration file that replaces the experiment's, relative to the experiment file.
    pub config: Option<PathBuf>,
    /// Settings. They override the configuration file and the experiment's settings.
    #[serde(default)]
    pub set: Vec<String>,
}

/// An average over types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Average {
    /// Counts are summed over types.
    #[default]
    Micro,
    /// The mean of the types' scores.
    Macro,
}

/// A row of a published table. Scores are in percent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// The system. If the experiment trains a system of this name, both scores are shown in one row.
    pub system: String,
    /// The publication.
    pub source: String,
    /// Entity F1.
    pub entities: f64,
    /// Relation F1.
    pub relations: f64,
}

fn one_seed() -> Vec<u64> {
    vec![1]
}

fn train_protocol() -> Vec<Protocol> {
    vec![Protocol::Train]
}

impl Experiment {
    /// Reads an experiment file.
    ///
    /// # Errors
    /// A file that cannot be read, is not TOML, has unknown keys, or defines no runs.
    pub fn load(path: &Path) -> Result<Self, ExperimentError> {
        let text = fs::read_to_string(path).map_err(|source| ExperimentError::io(path, source))?;
        Self::from_toml(&text, &path.display().to_string())
    }

    /// Parses TOML text. `name` is the place in error messages.
    ///
    /// # Errors
    /// Text that is not TOML, has unknown keys, or defines no runs.
    pub fn from_toml(text: &str, name: &str) -> Result<Self, ExperimentError> {
        let fail = |message: String| ExperimentError::Config { place: name.to_owned(), message };
        let experiment: Self = read_toml(text, name)?;
        experiment.validate().map_err(fail)?;
        Ok(experiment)
    }

    /// Checks that there is at least one run and that names are unique.
    pub(crate) fn validate(&self) -> Result<(), String> {
        let lists = [
            ("seeds", self.seeds.is_empty()),
            ("protocols", self.protocols.is_empty()),
            ("corpora", self.corpora.is_empty()),
            ("systems", self.systems.is_empty()),
        ];
        for (key, empty) in lists {
            if empty {
                return Err(format!("{key}: expected at least one, found none"));
            }
        }
        if let Some((key, _)) = self.grid.iter().find(|(_, values)| values.is_empty()) {
            return Err(format!("grid.{key}: expected at least one value, found none"));
        }
        unique("seeds", self.seeds.iter().map(ToString::to_string))?;
        unique("protocols", self.protocols.iter().map(ToString::to_string))?;
        unique("corpora", self.corpora.iter().map(|corpus| corpus.name.clone()))?;
        unique("systems", self.systems().into_iter().map(|system| system.name))?;
        let settings = self.systems.iter().flat_map(|system| &system.set).chain(&self.set);
        refuse_seed(settings.map(String::as_str).chain(self.grid.keys().map(String::as_str)))?;
        if let Some(baseline) = &self.baseline
            && !self.systems().iter().any(|system| system.name == *baseline)
        {
            let names: Vec<String> = self.systems().into_iter().map(|system| system.name).collect();
            return Err(format!("baseline: expected one of {}, found `{baseline}`", names.join(", ")));
        }
        self.corpora.iter().try_for_each(CorpusSource::validate)
    }

    /// The systems, expanded by every combination of the grid's values.
    pub fn systems(&self) -> Vec<System> {
        let mut systems = self.systems.clone();
        for (key, values) in &self.grid {
            let short = key.rsplit('.').next().unwrap_or(key);
            let with = |system: &System, value: &toml::Value| {
                let mut system = system.clone();
                system.name = format!("{}, {short} = {}", system.name, value.to_string().trim_matches('"'));
                system.set.push(format!("{key}={value}"));
                system
            };
            systems = systems.iter().flat_map(|system| values.iter().map(move |value| with(system, value))).collect();
        }
        systems
    }
}

/// Rejects settings of the seed, because an experiment has a list of seeds.
pub(crate) fn refuse_seed<'a>(mut settings: impl Iterator<Item = &'a str>) -> Result<(), String> {
    let is_seed = |setting: &str| setting.split('=').next().is_some_and(|key| key.trim() == "seed");
    match settings.find(|setting| is_seed(setting)) {
        Some(setting) => Err(format!("`{setting}`: seeds are not a setting, use `seeds` or --seeds")),
        None => Ok(()),
    }
}

/// Rejects empty and duplicate names.
fn unique(key: &str, names: impl Iterator<Item = String>) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for name in names {
        if name.is_empty() {
            return Err(format!("{key}: expected a name, found an empty string"));
        }
        if !seen.insert(name.clone()) {
            return Err(format!("{key}: duplicate `{name}`"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str =
        "name = 'a'\ntitle = 'A'\ncorpora = [{ name = 'c', folder = 'c' }]\nsystems = [{ name = 's' }]\n";

    #[test]
    fn every_system_has_every_combination_of_the_grid() {
        let text = format!("{SMALL}[grid]\n'model.heads' = [4, 8]\n'model.relation.ends' = ['any']\n");
        let systems = Experiment::from_toml(&text, "a.toml").unwrap().systems();
        let names: Vec<&str> = systems.iter().map(|system| system.name.as_str()).collect();
        assert_eq!(names, ["s, heads = 4, ends = any", "s, heads = 8, ends = any"]);
        assert_eq!(systems[1].set, ["model.heads=8", "model.relation.ends=\"any\""]);
    }

    #[test]
    fn optional_keys_have_defaults() {
        let experiment = Experiment::from_toml(SMALL, "a.toml").unwrap();
        assert_eq!((experiment.seeds, experiment.protocols), (vec![1], vec![Protocol::Train]));
        assert_eq!((experiment.average, experiment.baseline), (Average::Micro, None));
    }

    #[test]
    fn errors_name_file_and_key() {
        let cases = [
            ("seed = 3\n", "a.toml: line 1: unknown field `seed`, expected one of `name`"),
            ("seeds = []\n", "a.toml: seeds: expected at least one, found none"),
            ("seeds = [1, 1]\n", "a.toml: seeds: duplicate `1`"),
            ("protocols = ['train', 'train']\n", "a.toml: protocols: duplicate `train`"),
            ("grid = { 'model.heads' = [8, 8] }\n", "a.toml: systems: duplicate `s, heads = 8`"),
            ("grid = { seed = [1, 2] }\n", "a.toml: `seed`: seeds are not a setting"),
            ("set = ['seed = 3']\n", "a.toml: `seed = 3`: seeds are not a setting"),
            ("protocols = ['dev']\n", "a.toml: line 1: unknown variant `dev`, expected `train` or `train+dev`"),
            ("baseline = 'x'\n", "a.toml: baseline: expected one of s, found `x`"),
            ("grid = { 'seed' = [] }\n", "a.toml: grid.seed: expected at least one value, found none"),
        ];
        for (line, expected) in cases {
            let found = Experiment::from_toml(&format!("{line}{SMALL}"), "a.toml").unwrap_err().to_string();
            assert!(found.starts_with(expected), "{found:?} for {expected:?}");
        }
    }
}
