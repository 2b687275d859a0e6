//! One typed configuration for data, network and training; the defaults are the paper's for CoNLL04.

use std::{fs, path::Path};

use cman_core::ModelConfig;
use cman_data::{OnError, OverlapPolicy, ReaderBuilder, TokenizerConfig};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::{EncoderConfig, Schedule, TrainError};

/// All settings of a run. `docs/DESIGN.md` gives the reason of every default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Seed of everything random.
    pub seed: u64,
    /// How corpora are read.
    pub data: DataConfig,
    /// Pretrained word vectors.
    pub vectors: VectorConfig,
    /// The contextual encoder; `model.contextual.width` and `layers` follow from it.
    pub encoder: EncoderConfig,
    /// The network.
    pub model: ModelConfig,
    /// The training.
    pub train: TrainConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            seed: 1,
            data: DataConfig::default(),
            vectors: VectorConfig::default(),
            encoder: EncoderConfig::default(),
            model: ModelConfig::default(),
            train: TrainConfig::default(),
        }
    }
}

/// How corpora are read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// What to do with sentences whose entities overlap.
    pub overlap: OverlapPolicy,
    /// What to do with sentences that are not valid.
    pub on_error: OnError,
    /// How raw text becomes tokens when the model reads it.
    pub tokenizer: TokenizerConfig,
}

impl DataConfig {
    /// A reader of corpora.
    pub fn reader(&self) -> ReaderBuilder {
        ReaderBuilder::new().overlap(self.overlap).on_error(self.on_error)
    }
}

/// Pretrained word vectors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VectorConfig {
    /// Which words of the vector file the model keeps.
    pub keep: Keep,
}

/// Which words of a vector file a model keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Keep {
    /// All: words outside of the training data keep their pretrained vector.
    #[default]
    All,
    /// Those of the training data alone.
    Train,
}

/// Settings of the training (section 3.5 and "Implementation Details").
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainConfig {
    /// Passes over the training data.
    pub epochs: usize,
    /// Sentences a batch, at most.
    pub batch_size: usize,
    /// Tokens a batch, padding counted, at most; 0: any number. A longer sentence is a batch of its own.
    pub batch_tokens: usize,
    /// Batches that are sorted by length together before they are cut; 1: no bucketing.
    pub bucket: usize,
    /// Learning rate of Adam.
    pub learning_rate: f64,
    /// How the learning rate changes.
    pub schedule: Schedule,
    /// Largest norm of all gradients together; 0: no clipping.
    pub clip_norm: f64,
    /// Epochs without a better dev score before training stops; 0: never.
    pub patience: usize,
    /// Probability that a word seen once in training is read as the unknown word.
    pub rare_unknown: f64,
    /// Probability, at the last epoch, that the relations of a sentence see predicted tags in training; it rises
    /// linearly from 0 at the first. 0: always gold tags, as in the paper.
    pub predicted_labels: f64,
    /// Whether a batch's loss is the mean over its sentences, or their sum.
    pub mean_loss: bool,
    /// Adversarial training.
    pub adversarial: AdversarialConfig,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            epochs: 180,
            batch_size: 16,
            batch_tokens: 0,
            bucket: 8,
            learning_rate: 5e-4,
            schedule: Schedule::default(),
            clip_norm: 0.0,
            patience: 0,
            rare_unknown: 0.5,
            predicted_labels: 0.0,
            mean_loss: true,
            adversarial: AdversarialConfig::default(),
        }
    }
}

impl TrainConfig {
    /// The learning rate when `at` epochs (with fractions) are done.
    pub(crate) fn rate(&self, at: f64) -> f64 {
        self.learning_rate * self.schedule.factor(at, self.epochs as f64)
    }
}

/// Settings of the adversarial step (eq. 14).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdversarialConfig {
    /// Size of the perturbation relative to the square root of the input's width; 0: no adversarial step.
    pub alpha: f64,
    /// What is perturbed.
    pub scope: Scope,
}

impl Default for AdversarialConfig {
    fn default() -> Self {
        Self { alpha: 0.01, scope: Scope::All }
    }
}

/// Which part of the input is perturbed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// The whole concatenated input.
    #[default]
    All,
    /// Words and characters, not the contextual vectors.
    Embeddings,
}

impl Config {
    /// Reads a configuration file (none: the defaults), then applies assignments such as `train.batch_size=8`.
    ///
    /// # Errors
    /// A file that cannot be read, is no TOML, has unknown keys or values of another type; an assignment likewise; a
    /// setting outside of its range.
    pub fn load(file: Option<&Path>, assignments: &[String]) -> Result<Self, TrainError> {
        let mut config = match file {
            Some(path) => {
                let text = fs::read_to_string(path).map_err(|source| TrainError::io(path, source))?;
                Self::from_toml(&text, &path.display().to_string())?
            }
            None => Self::default(),
        };
        for assignment in assignments {
            config = config.with(assignment)?;
        }
        config.validate()?;
        Ok(config)
    }

    /// Reads TOML text that came from `name`.
    ///
    /// # Errors
    /// Text that is no TOML, has unknown keys or values of another type.
    pub fn from_toml(text: &str, name: &str) -> Result<Self, TrainError> {
        toml::from_str(text).map_err(|error| toml_error(&error, text, name))
    }

    /// The configuration as TOML.
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).expect("every setting has a TOML form")
    }

    /// The configuration after an assignment `key=value`, the value in TOML (a bare word is a string).
    fn with(&self, assignment: &str) -> Result<Self, TrainError> {
        let fail = |message: String| TrainError::Config { place: format!("--set {assignment}"), message };
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
            table = table
                .get_mut(part)
                .and_then(Value::as_table_mut)
                .ok_or_else(|| fail(format!("no group of settings is called '{part}'")))?;
        }
        // `alpha=1` means 1.0 where the setting is a real number.
        let value = match (table.get(last), value) {
            (Some(Value::Float(_)), Value::Integer(value)) => Value::Float(value as f64),
            (_, value) => value,
        };
        table.insert(last.into(), value);
        root.try_into().map_err(|error: toml::de::Error| fail(one_line(error.message())))
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// The first setting outside of its range.
    pub fn validate(&self) -> Result<(), TrainError> {
        self.model.validate()?;
        self.encoder.validate()?;
        let train = &self.train;
        let check = |ok: bool, field: &'static str, expected: &'static str, found: String| {
            if ok { Ok(()) } else { Err(TrainError::Setting { field, expected, found }) }
        };
        check(self.seed <= i64::MAX as u64, "seed", "at most 2^63 - 1", self.seed.to_string())?;
        for (field, value) in
            [("train.epochs", train.epochs), ("train.batch_size", train.batch_size), ("train.bucket", train.bucket)]
        {
            check(value > 0, field, "at least 1", value.to_string())?;
        }
        let positive = |x: f64| x.is_finite() && x > 0.0;
        let rate = train.learning_rate;
        check(positive(rate), "train.learning_rate", "a number above 0", rate.to_string())?;
        for (field, value) in [
            ("train.clip_norm", train.clip_norm),
            ("train.adversarial.alpha", train.adversarial.alpha),
            ("train.schedule.warmup_epochs", train.schedule.warmup_epochs),
        ] {
            check(value.is_finite() && value >= 0.0, field, "a number not below 0", value.to_string())?;
        }
        let decay = train.schedule.decay;
        check(decay > 0.0 && decay <= 1.0, "train.schedule.decay", "a factor in (0, 1]", decay.to_string())?;
        for (field, value) in
            [("train.rare_unknown", train.rare_unknown), ("train.predicted_labels", train.predicted_labels)]
        {
            check((0.0..=1.0).contains(&value), field, "a probability in [0, 1]", value.to_string())?;
        }
        Ok(())
    }
}

/// What is wrong with the TOML text that came from `name`, with its line.
pub(crate) fn toml_error(error: &toml::de::Error, text: &str, name: &str) -> TrainError {
    let line = error.span().map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
    let place = line.map_or_else(|| name.to_owned(), |line| format!("{name}: line {line}"));
    TrainError::Config { place, message: one_line(error.message()) }
}

/// The message on one line, without the rest of a word that is longer than any of ours.
fn one_line(message: &str) -> String {
    let clip = |word: &str| match word.char_indices().nth(80) {
        Some((end, _)) => format!("{}..", &word[..end]),
        None => word.to_owned(),
    };
    message.split_whitespace().map(clip).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ScheduleKind;

    fn load(text: &str, assignments: &[&str]) -> Result<Config, String> {
        let read = Config::from_toml(text, "a.toml").map_err(|error| error.to_string())?;
        let assign = |config: Config, a: &&str| config.with(a).map_err(|error| error.to_string());
        let config = assignments.iter().try_fold(read, assign)?;
        config.validate().map_err(|error| error.to_string())?;
        Ok(config)
    }

    #[test]
    fn a_part_of_a_schedule_leaves_the_rest_as_it_is() {
        let text = "[encoder.schedule]\nwarmup_epochs = 2.0\n[train.schedule]\nwarmup_epochs = 2.0\n";
        let from_file = load(text, &[]).unwrap();
        let set = load("", &["encoder.schedule.warmup_epochs=2", "train.schedule.warmup_epochs=2"]).unwrap();
        assert_eq!(from_file, set);
        assert_eq!(from_file.encoder.schedule.kind, ScheduleKind::Linear);
    }

    #[test]
    fn a_configuration_survives_its_file() {
        let mut config = Config::default();
        config.train.adversarial.alpha = 0.001;
        config.model.label.width = 7;
        assert_eq!(load(&config.to_toml(), &[]).unwrap(), config);
        assert_eq!(load("", &[]).unwrap(), Config::default());
    }

    #[test]
    fn assignments_reach_every_kind_of_setting() {
        let set = ["train.batch_size=8", "train.adversarial.alpha=0", "model.relation.ends=any", "seed=9"];
        let config = load("[train]\nepochs = 3", &set).unwrap();
        let encoder = load("", &["encoder.kind=bert", "encoder.path=a/b@c", "encoder.layers=[1, 3]"]).unwrap().encoder;
        assert_eq!((encoder.path.as_str(), &encoder.layers[..]), ("a/b@c", &[1, 3][..]));
        assert_eq!((config.train.batch_size, config.train.epochs, config.seed), (8, 3, 9));
        assert_eq!(config.train.adversarial.alpha, 0.0);
        assert_eq!(config.model.relation.ends, cman_core::relation::Ends::Any);
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        let cases = [
            ("x = ", [].as_slice(), "a.toml: line 1: "),
            ("\n[train]\nepoch = 3", &[], "a.toml: line 3: unknown field `epoch`, expected one of `epochs`"),
            ("[train]\nepochs = 'a'", &[], "a.toml: line 2: invalid type: string \"a\", expected usize"),
            ("[model]\nsequence = 'gru'", &[], "a.toml: line 2: unknown variant `gru`, expected `bilstm` or `mlp`"),
            (
                &format!("{} = 1", "k".repeat(999)),
                &[],
                &format!("a.toml: line 1: unknown field `{}.. expected", "k".repeat(79)),
            ),
            ("", &["epochs"], "--set epochs: expected key=value, found no '='"),
            ("", &["train.epoch=3"], "--set train.epoch=3: unknown field `epoch`"),
            ("", &["trains.epochs=3"], "--set trains.epochs=3: no group of settings is called 'trains'"),
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
                "configuration: encoder.fine_tune: expected false (only an encoder of kind bert is trained), found true",
            ),
            (
                "",
                &["encoder.kind=elmo", "encoder.path=e", "encoder.pooling=max"],
                "configuration: encoder.pooling: expected first, the default (an ELMo reads whole words), found max",
            ),
            (
                "",
                &["encoder.layers=[3, 1]"],
                "configuration: encoder.layers: expected layers in rising order, found [3, 1]",
            ),
            ("", &["encoder.weight_decay=-1"], "configuration: encoder.weight_decay: expected a number not below 0"),
            ("", &["encoder.kind=gpt"], "--set encoder.kind=gpt: unknown variant `gpt`, expected one of `none`"),
            ("", &["train.learning_rate=nan"], "configuration: train.learning_rate: expected a number above 0, found"),
        ];
        for (text, set, expected) in cases {
            let found = load(text, set).unwrap_err();
            assert!(found.starts_with(expected), "{found:?} for {expected:?}");
        }
    }
}
