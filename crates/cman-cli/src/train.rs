//! `cman train`: trains a model on a corpus.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail};
use clap::ArgGroup;
use cman_data::{Splits, sample};
use cman_model::Config;
use cman_score::Scores;
use cman_train::{Checkpoints, Protocol, RunData, RunPlace, Tested, TrainError, train_and_test};
use serde::Serialize;

use crate::{
    args::{DeviceArgs, MANIFEST},
    hint::{CORPUS_FILES, RESUME, hinted, hinted_corpus},
    notes::{counts, note_unusual},
    progress::{Progress, f1},
};

/// The setting that skips invalid sentences.
const SKIP: &str = "--set data.on_error=skip";
/// The hint for a type that is not allowed, if the corpus is a folder.
const FOLDER_TYPES: &str = "the allowed types are those of the folder's types.json, or of the training data";
/// The hint for a type that is not allowed, if there is no types file.
const TRAINING_TYPES: &str = "`--types FILE` lists the types; by default they are those of the training data";

/// Train a model and write a model directory
///
/// The kept epoch is the one with the best mean of entity and relation F1 on dev data, or the last one without dev data.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cman train --sample --epochs 12 --out model
  cman train --corpus conll04 --vectors glove.6B.50d.txt --set train.batch_size=8 --out model
  cman train --corpus mine --set data.on_error=skip --out model
  cman train --train train.json --dev dev.json --train-dev --epochs 60 --out model")]
#[command(group = ArgGroup::new("data").required(true).args(["corpus", "train", "sample"]))]
pub struct Args {
    /// Corpus folder with files such as train.json, dev.json, test.json, types.json
    #[arg(long, value_name = "DIR")]
    corpus: Option<PathBuf>,
    /// Training data: SpERT JSON or multi-head table
    #[arg(long, value_name = "FILE")]
    train: Option<PathBuf>,
    /// Use the bundled sample corpus
    #[arg(long)]
    sample: bool,
    /// Dev data, to select the epoch
    #[arg(long, value_name = "FILE", conflicts_with_all = ["corpus", "sample"])]
    dev: Option<PathBuf>,
    /// Test data, for the final scores
    #[arg(long, value_name = "FILE", conflicts_with_all = ["corpus", "sample"])]
    test: Option<PathBuf>,
    /// Types file; default: the types of the training data
    #[arg(long, value_name = "FILE", conflicts_with_all = ["corpus", "sample"])]
    types: Option<PathBuf>,
    /// Word vectors in text format, such as glove.6B.50d.txt
    #[arg(long, value_name = "FILE")]
    vectors: Option<PathBuf>,
    /// Configuration file in TOML
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Setting, overriding the configuration file; repeatable
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
    #[command(flatten)]
    device: DeviceArgs,
    /// Random seed, overriding the configuration
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Number of epochs, overriding the configuration
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
    /// Train on train and dev data for all epochs
    #[arg(long)]
    train_dev: bool,
    /// Model directory to write
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Overwrite a model directory or an interrupted run
    #[arg(long)]
    force: bool,
    /// Continue an interrupted run from its last checkpoint
    #[arg(long, conflicts_with = "force")]
    resume: bool,
    /// Minutes between checkpoints within an epoch, in addition to one after every epoch
    #[arg(long, value_name = "N", default_value_t = 10.0, value_parser = minutes)]
    checkpoint_minutes: f64,
}

/// The content of scores.json in the model directory.
#[derive(Serialize)]
struct Summary {
    epoch: usize,
    protocol: Protocol,
    train_sentences: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    dev_sentences: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    test_sentences: Option<usize>,
    /// Test sentences that also occur in the training data.
    #[serde(skip_serializing_if = "Option::is_none")]
    leaked_test_sentences: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dev: Option<Scores>,
    #[serde(skip_serializing_if = "Option::is_none")]
    test: Option<Scores>,
    /// Scores without these test sentences.
    #[serde(skip_serializing_if = "Option::is_none")]
    test_without_leaked: Option<Scores>,
}

/// Runs the subcommand.
pub fn run(args: Args) -> Result<()> {
    let config = args.configuration()?;
    let device = args.device.device.device()?;
    let place = RunPlace {
        folder: &args.out,
        vectors: args.vectors.as_deref(),
        device: &device,
        checkpoint_every: Duration::from_secs_f64(60.0 * args.checkpoint_minutes),
        resume: args.resume,
    };
    check_out(&args, &place.checkpoints())?;
    let Splits { train, dev, test, schema } = args.splits(&config)?;
    note_unusual("train", &train);
    dev.iter().for_each(|dev| note_unusual("dev", dev));
    test.iter().for_each(|test| note_unusual("test", test));
    let [dev, test] = [dev, test].map(|corpus| corpus.map(|corpus| corpus.sentences).unwrap_or_default());
    if args.train_dev && dev.is_empty() {
        bail!("--train-dev: no dev data");
    }
    let protocol = if args.train_dev { Protocol::TrainDev } else { Protocol::Train };
    let data = RunData { schema, train: train.sentences, dev, test }.by(protocol);

    let (seed, epochs) = (config.seed, config.train.epochs);
    let heading = format!("device      {}; seed {seed}, {epochs} epochs, protocol {protocol}", args.device.device);
    let mut progress = Progress::new(heading, epochs, args.resume)?;
    let tested = train_and_test(config, &data, &place, &mut progress);
    progress.finish();
    let tested = tested.map_err(|error| match error {
        TrainError::Stopped { .. } => hinted(error, RESUME),
        error => error.into(),
    })?;
    let report = report(&tested, &data, protocol);
    tested.trained.model.save(&args.out, &Summary::new(&tested, &data, protocol))?;
    place.checkpoints().clear()?;
    writeln!(io::stdout().lock(), "{report}\n\nwrote {}", args.out.display())?;
    Ok(())
}

/// The text printed at the end.
fn report(tested: &Tested, data: &RunData, protocol: Protocol) -> String {
    let mut report = format!("\nkept epoch {}", tested.trained.epoch);
    if let Some(scores) = &tested.trained.dev {
        report += &format!(": dev {}", f1(scores));
    }
    if let Some(test) = &tested.test {
        report += &format!(
            "\n\ntest: {}; trained on {} sentences ({protocol})\n\n{}\n{}",
            counts(&data.test),
            data.train.len(),
            test.all.scores,
            test.leakage,
        );
    }
    report
}

impl Summary {
    fn new(tested: &Tested, data: &RunData, protocol: Protocol) -> Self {
        let test = tested.test.as_ref();
        Self {
            epoch: tested.trained.epoch,
            protocol,
            train_sentences: data.train.len(),
            dev_sentences: (!data.dev.is_empty()).then_some(data.dev.len()),
            test_sentences: test.map(|_| data.test.len()),
            leaked_test_sentences: test.map(|test| test.leakage.leaked.len()),
            dev: tested.trained.dev.clone(),
            test: test.map(|test| test.all.scores.clone()),
            test_without_leaked: test.map(|test| test.leakage.new.clone()),
        }
    }
}

impl Args {
    fn configuration(&self) -> Result<Config> {
        let mut config = Config::load(self.config.as_deref(), &self.settings)?;
        config.seed = self.seed.unwrap_or(config.seed);
        config.train.epochs = self.epochs.unwrap_or(config.train.epochs);
        config.check()?;
        Ok(config)
    }

    fn splits(&self, config: &Config) -> Result<Splits> {
        let options = config.data.reader();
        Ok(match (&self.corpus, &self.train) {
            (Some(folder), _) => Splits::read_dir(folder, &options).map_err(|error| match folder.is_dir() {
                true => hinted_corpus(error, Some(FOLDER_TYPES), Some(SKIP)),
                false => hinted(error, CORPUS_FILES),
            })?,
            (None, Some(train)) => {
                let [dev, test, types] = [&self.dev, &self.test, &self.types].map(Option::as_deref);
                let allowed = types.map_or_else(
                    || TRAINING_TYPES.into(),
                    |types| format!("{} lists the allowed types", types.display()),
                );
                Splits::read(train, dev, test, types, &options)
                    .map_err(|error| hinted_corpus(error, Some(&allowed), Some(SKIP)))?
            }
            (None, None) => sample::corpus()?,
        })
    }
}

/// Parses the minutes between checkpoints.
fn minutes(text: &str) -> Result<f64, String> {
    let minutes: f64 = text.parse().map_err(|_| "expected a number".to_owned())?;
    if (0.0..1e6).contains(&minutes) { Ok(minutes) } else { Err("expected at least 0 and less than 1000000".into()) }
}

/// Checks the output directory before training.
fn check_out(args: &Args, checkpoints: &Checkpoints) -> Result<()> {
    let (folder, force) = (args.out.as_path(), args.force);
    let name = folder.display();
    match (checkpoints.exists(), args.resume) {
        (true, true) => return Ok(()),
        (false, true) => {
            let error = anyhow!("{name}: no checkpoint to resume");
            return Err(hinted(error, "the same command without `--resume` starts a new run"));
        }
        (true, false) if !force => {
            let error = anyhow!("{name}: contains an interrupted run");
            return Err(hinted(error, "`--resume` continues the run, `--force` starts a new one"));
        }
        (_, false) => {}
    }
    if !folder.exists() {
        return Ok(());
    }
    if !folder.is_dir() {
        bail!("{name}: expected a directory, found a file");
    }
    if folder.join(MANIFEST).exists() {
        return if force {
            Ok(())
        } else {
            Err(hinted(anyhow!("{name}: already contains a model"), "`--force` overwrites it"))
        };
    }
    let mut entries = fs::read_dir(folder).with_context(|| name.to_string())?;
    // A run without a checkpoint leaves only its log.
    if entries.next().is_some() && !folder.join("log.jsonl").exists() {
        bail!("{name}: neither empty nor a model directory");
    }
    Ok(())
}
