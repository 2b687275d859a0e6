//! `cman train`: from a corpus to a model directory.

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
    notes::{counts, note_unusual},
    progress::{Progress, f1},
};

/// Train a model and write its directory
///
/// The epoch with the best mean of entity and relation F1 on dev is kept; without dev data it is the last.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cman train --sample --epochs 12 --out model
  cman train --corpus conll04 --vectors glove.6B.50d.txt --set train.batch_size=8 --out model
  cman train --corpus mine --set data.on_error=skip --out model
  cman train --train train.json --dev dev.json --train-dev --epochs 60 --out model")]
#[command(group = ArgGroup::new("data").required(true).args(["corpus", "train", "sample"]))]
pub struct Args {
    /// Folder with files of the usual names, such as train.json, dev.json, test.json, types.json
    #[arg(long, value_name = "DIR")]
    corpus: Option<PathBuf>,
    /// Training data: SpERT's JSON or the multi-head table
    #[arg(long, value_name = "FILE")]
    train: Option<PathBuf>,
    /// The sample corpus that comes with the program
    #[arg(long)]
    sample: bool,
    /// Dev data, to choose the epoch by
    #[arg(long, value_name = "FILE", conflicts_with_all = ["corpus", "sample"])]
    dev: Option<PathBuf>,
    /// Test data, to report on
    #[arg(long, value_name = "FILE", conflicts_with_all = ["corpus", "sample"])]
    test: Option<PathBuf>,
    /// Types file; default: the types of the training data
    #[arg(long, value_name = "FILE", conflicts_with_all = ["corpus", "sample"])]
    types: Option<PathBuf>,
    /// Word vectors in text form, such as glove.6B.50d.txt
    #[arg(long, value_name = "FILE")]
    vectors: Option<PathBuf>,
    /// Configuration file in TOML
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A setting, over the configuration file; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
    #[command(flatten)]
    device: DeviceArgs,
    /// Seed of everything random, over the configuration
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Passes over the training data, over the configuration
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
    /// Train on train and dev together for all epochs
    #[arg(long)]
    train_dev: bool,
    /// Model directory to write
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Overwrite a model directory, or start anew where a run was broken off
    #[arg(long)]
    force: bool,
    /// Go on with a run that was broken off, from its last checkpoint
    #[arg(long, conflicts_with = "force")]
    resume: bool,
    /// Minutes between checkpoints within an epoch; there is one after every epoch
    #[arg(long, value_name = "N", default_value_t = 10.0, value_parser = minutes)]
    checkpoint_minutes: f64,
}

/// What the directory keeps of the run: scores.json.
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
    /// Scores on the other test sentences.
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
    check_place(&args, &place.checkpoints())?;
    let Splits { train, dev, test, schema } = args.splits(&config)?;
    note_unusual("train", &train);
    dev.iter().for_each(|dev| note_unusual("dev", dev));
    test.iter().for_each(|test| note_unusual("test", test));
    let [dev, test] = [dev, test].map(|corpus| corpus.map(|corpus| corpus.sentences).unwrap_or_default());
    if args.train_dev && dev.is_empty() {
        bail!("--train-dev: there is no dev data");
    }
    let protocol = if args.train_dev { Protocol::TrainDev } else { Protocol::Train };
    let data = RunData { schema, train: train.sentences, dev, test }.by(protocol);

    let (seed, epochs) = (config.seed, config.train.epochs);
    let heading = format!("device      {}; seed {seed}, {epochs} epochs, protocol {protocol}", args.device.device);
    let mut progress = Progress::new(heading, epochs, args.resume)?;
    let tested = train_and_test(config, &data, &place, &mut progress);
    progress.finish();
    let tested = tested.map_err(|error| match error {
        TrainError::Stopped { .. } => anyhow!("{error}; the same command with --resume goes on"),
        error => error.into(),
    })?;
    let report = report(&tested, &data, protocol);
    tested.trained.model.save(&args.out, &Summary::new(&tested, &data, protocol))?;
    place.checkpoints().clear()?;
    writeln!(io::stdout().lock(), "{report}\n\nwrote {}", args.out.display())?;
    Ok(())
}

/// What is printed at the end.
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
            (Some(folder), _) => Splits::read_dir(folder, &options)?,
            (None, Some(train)) => {
                let [dev, test, types] = [&self.dev, &self.test, &self.types].map(Option::as_deref);
                Splits::read(train, dev, test, types, &options)?
            }
            (None, None) => sample::corpus()?,
        })
    }
}

/// Minutes between checkpoints.
fn minutes(text: &str) -> Result<f64, String> {
    let minutes: f64 = text.parse().map_err(|_| "expected a number".to_owned())?;
    if (0.0..1e6).contains(&minutes) { Ok(minutes) } else { Err("expected minutes from 0 to a million".into()) }
}

/// Refuses a place that holds something else, before hours go by.
fn check_place(args: &Args, checkpoints: &Checkpoints) -> Result<()> {
    let (folder, force) = (args.out.as_path(), args.force);
    let name = folder.display();
    match (checkpoints.exists(), args.resume) {
        (true, true) => return Ok(()),
        (false, true) => bail!("{name}: there is no checkpoint to resume"),
        (true, false) if !force => {
            bail!("{name}: holds a run that was broken off (--resume goes on with it, --force starts anew)")
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
        return if force { Ok(()) } else { bail!("{name}: holds a model already (--force overwrites it)") };
    }
    let mut entries = fs::read_dir(folder).with_context(|| name.to_string())?;
    // A run that ended early has left its log.
    if entries.next().is_some() && !folder.join("log.jsonl").exists() {
        bail!("{name}: neither empty nor a model directory");
    }
    Ok(())
}
