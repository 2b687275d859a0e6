//! Reads configurations from files and assignments, and writes them as TOML.

use std::{fs, path::Path};

use cman_data::{TokenizerConfig, plain_types};
use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::Config;
use crate::error::ModelError;

impl Config {
    /// Reads a configuration file (the defaults if `None`) and applies assignments such as `train.batch_size=8`.
    ///
    /// # Errors
    /// A file that cannot be read; a file or an assignment that is not TOML or has unknown keys or values of a wrong
    /// type; a setting that is out of range.
    pub fn load(file: Option<&Path>, assignments: &[String]) -> Result<Self, ModelError> {
        let mut config = match file {
            Some(path) => {
                let text = fs::read_to_string(path).map_err(|source| ModelError::io(path, source))?;
                Self::from_toml(&text, &path.display().to_string())?
            }
            None => Self::default(),
        };
        for assignment in assignments {
            config = config.with(assignment)?;
        }
        config.check()?;
        Ok(config)
    }

    /// Reads a configuration from TOML text. `name` is its source, for error messages.
    ///
    /// # Errors
    /// Text that is not TOML, or has unknown keys or values of a wrong type.
    pub fn from_toml(text: &str, name: &str) -> Result<Self, ModelError> {
        read_toml(text, name)
    }

    /// The configuration as TOML.
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).expect("every setting has a TOML form")
    }

    /// The configuration as TOML, for a hash that identifies a run. The tokenizer of raw text does not change the result
    /// of a run. `auto` is written as `conll04`, the earlier default, so that the hashes of earlier runs stay valid.
    pub fn to_identity(&self) -> String {
        let mut config = self.clone();
        if config.data.tokenizer == TokenizerConfig::Auto {
            config.data.tokenizer = TokenizerConfig::conll04();
        }
        config.to_toml()
    }

    /// The configuration after an assignment `key=value`. The value is TOML; a bare word is a string.
    fn with(&self, assignment: &str) -> Result<Self, ModelError> {
        let fail = |message: String| ModelError::Config { place: format!("--set {assignment}"), message };
        let (key, value) = assignment.split_once('=').ok_or_else(|| fail("expected key=value, found no '='".into()))?;
        let value = format!("x = {value}")
            .parse::<Table>()
            .ok()
            .and_then(|mut table| table.remove("x"))
            .unwrap_or_else(|| Value::String(value.trim().into()));
        let mut root = Table::try_from(self).expect("every setting has a TOML form");
        let mut table = &mut root;
        let (path, last) = key.trim().rsplit_once('.').map_or((None, key.trim()), |(path, last)| (Some(path), last));
        for part in path.into_iter().flat_map(|path| path.split('.')) {
            let no_group = || fail(format!("there is no group of settings '{part}'"));
            let group = table.get_mut(part).ok_or_else(no_group)?;
            // `data.tokenizer` is a name or a group.
            if group.is_str() {
                *group = Value::Table(Table::new());
            }
            table = group.as_table_mut().ok_or_else(no_group)?;
        }
        // `alpha=1` means 1.0 if the setting is a float.
        let value = match (table.get(last), value) {
            (Some(Value::Float(_)), Value::Integer(value)) => Value::Float(value as f64),
            (_, value) => value,
        };
        table.insert(last.into(), value);
        root.try_into().map_err(|error: toml::de::Error| fail(one_line(error.message())))
    }
}

/// Reads a value from TOML text. `name` is its source, for error messages.
///
/// # Errors
/// Text that is not TOML, or has unknown keys or values of a wrong type. The message contains the line.
pub fn read_toml<T: DeserializeOwned>(text: &str, name: &str) -> Result<T, ModelError> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        let place = line.map_or_else(|| name.to_owned(), |line| format!("{name}: line {line}"));
        ModelError::Config { place, message: one_line(error.message()) }
    })
}

/// The message on one line, with very long words clipped.
fn one_line(message: &str) -> String {
    let clip = |word: &str| match word.char_indices().nth(80) {
        Some((end, _)) => format!("{}..", &word[..end]),
        None => word.to_owned(),
    };
    plain_types(message).split_whitespace().map(clip).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::ScheduleKind;

    fn load(text: &str, assignments: &[&str]) -> Result<Config, String> {
        let read = Config::from_toml(text, "a.toml").map_err(|error| error.to_string())?;
        let assign = |config: Config, a: &&str| config.with(a).map_err(|error| error.to_string());
        let config = assignments.iter().try_fold(read, assign)?;
        config.check().map_err(|error| error.to_string())?;
        Ok(config)
    }

    #[test]
    fn a_partial_schedule_keeps_the_defaults_of_the_rest() {
        let text = "[encoder.schedule]\nwarmup_epochs = 2.0\n[train.schedule]\nwarmup_epochs = 2.0\n";
        let from_file = load(text, &[]).unwrap();
        let set = load("", &["encoder.schedule.warmup_epochs=2", "train.schedule.warmup_epochs=2"]).unwrap();
        assert_eq!(from_file, set);
        assert_eq!(from_file.encoder.schedule.kind, ScheduleKind::Linear);
    }

    #[test]
    fn a_configuration_survives_a_round_trip() {
        let mut config = Config::default();
        config.train.adversarial.alpha = 0.001;
        config.model.label.width = 7;
        assert_eq!(load(&config.to_toml(), &[]).unwrap(), config);
        assert_eq!(load("", &[]).unwrap(), Config::default());
    }

    #[test]
    fn assignments_set_every_kind_of_value() {
        let set = ["train.batch_size=8", "train.adversarial.alpha=0", "model.relation.ends=any", "seed=9"];
        let config = load("[train]\nepochs = 3", &set).unwrap();
        let encoder = load("", &["encoder.kind=bert", "encoder.path=a/b@c", "encoder.layers=[1, 3]"]).unwrap().encoder;
        assert_eq!((encoder.path.as_str(), &encoder.layers[..]), ("a/b@c", &[1, 3][..]));
        assert_eq!((config.train.batch_size, config.train.epochs, config.seed), (8, 3, 9));
        assert_eq!(config.train.adversarial.alpha, 0.0);
        assert_eq!(config.model.relation.ends, cman_core::relation::Ends::Any);
    }

    #[test]
    fn a_tokenizer_is_a_name_or_a_table() {
        let tokenizer = |text: &str, set: &[&str]| load(text, set).unwrap().data.tokenizer;
        assert_eq!(tokenizer("", &[]), TokenizerConfig::Auto);
        for (text, set) in [
            ("[data]\ntokenizer = 'ade'", [].as_slice()),
            ("[data.tokenizer]\nsplit_hyphens = true\nsplit_numbers = false", &[]),
            ("", &["data.tokenizer=ade"]),
            ("", &["data.tokenizer.split_hyphens=true", "data.tokenizer.split_numbers=false"]),
        ] {
            assert_eq!(tokenizer(text, set), TokenizerConfig::ade(), "{text} {set:?}");
        }
        let characters = load("", &["data.tokenizer=characters"]).unwrap();
        assert_eq!(load(&characters.to_toml(), &[]).unwrap(), characters);
    }

    #[test]
    fn an_automatic_tokenizer_does_not_change_the_identity_of_a_run() {
        let identity = |set: &[&str]| load("", set).unwrap().to_identity();
        let conll04 = "[data.tokenizer]\nsplit_hyphens = false\nsplit_numbers = true\n";
        assert!(identity(&[]).contains(conll04), "{}", identity(&[]));
        assert_eq!(identity(&[]), identity(&["data.tokenizer=conll04"]));
        assert_ne!(identity(&[]), identity(&["data.tokenizer=ade"]));
    }

    #[test]
    fn errors_name_their_location() {
        let cases = [
            ("x = ", [].as_slice(), "a.toml: line 1: "),
            ("\n[train]\nepoch = 3", &[], "a.toml: line 3: unknown field `epoch`, expected one of `epochs`"),
            (
                "[train]\nepochs = 'a'",
                &[],
                "a.toml: line 2: invalid type: string \"a\", expected a whole number of at least 0",
            ),
            ("[model]\nsequence = 'gru'", &[], "a.toml: line 2: unknown variant `gru`, expected `bilstm` or `mlp`"),
            (
                &format!("{} = 1", "k".repeat(999)),
                &[],
                &format!("a.toml: line 1: unknown field `{}.. expected", "k".repeat(79)),
            ),
            ("", &["epochs"], "--set epochs: expected key=value, found no '='"),
            ("", &["train.epoch=3"], "--set train.epoch=3: unknown field `epoch`"),
            ("", &["trains.epochs=3"], "--set trains.epochs=3: there is no group of settings 'trains'"),
            ("", &["data.tokenizer=word"], "--set data.tokenizer=word: unknown variant `word`, expected one of `auto`"),
            ("", &["data.tokenizer.x=1"], "--set data.tokenizer.x=1: unknown field `x`, expected `split_hyphens`"),
            ("", &["train.epochs.x=1"], "--set train.epochs.x=1: there is no group of settings 'epochs'"),
            (
                "[data]\ntokenizer = 1",
                &[],
                "a.toml: line 2: invalid type: integer `1`, expected the name of a tokenizer",
            ),
            ("", &["train.epochs=-1"], "--set train.epochs=-1: invalid value: integer `-1`"),
            ("", &["train.epochs=0"], "configuration: train.epochs: expected at least 1, found 0"),
            ("", &["model.heads=3"], "configuration: model.heads: expected a divisor of 2 hidden = 256, found 3"),
            ("", &["encoder.kind=bert"], "configuration: encoder.path: expected a folder, a file or a name on the hub"),
            ("", &["encoder.frozen_epochs=2"], "configuration: encoder.frozen_epochs: expected 0 without"),
            ("", &["encoder.frozen_layers=2"], "configuration: encoder.frozen_layers: expected 0 without"),
            ("", &["encoder.fine_tune=true"], "configuration: encoder.fine_tune: expected false (only an encoder"),
            (
                "",
                &["encoder.kind=elmo", "encoder.path=e", "encoder.fine_tune=true"],
                "configuration: encoder.fine_tune: expected false (only an encoder of kind bert can be trained), found",
            ),
            (
                "",
                &["encoder.kind=elmo", "encoder.path=e", "encoder.pooling=max"],
                "configuration: encoder.pooling: expected first, the default (ELMo reads whole words), found max",
            ),
            (
                "",
                &["encoder.layers=[3, 1]"],
                "configuration: encoder.layers: expected layers in increasing order, found [3, 1]",
            ),
            ("", &["encoder.weight_decay=-1"], "configuration: encoder.weight_decay: expected a number of at least 0"),
            ("", &["encoder.kind=gpt"], "--set encoder.kind=gpt: unknown variant `gpt`, expected one of `none`"),
            ("", &["train.learning_rate=nan"], "configuration: train.learning_rate: expected a number above 0, found"),
        ];
        for (text, set, expected) in cases {
            let found = load(text, set).unwrap_err();
            assert!(found.starts_with(expected), "{found:?} for {expected:?}");
        }
    }
}
