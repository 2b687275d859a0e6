//! `cman train`: trains a model on a corpus.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Result, anyhow, bail};
use clap::ArgGroup;
use cman_data::{DataError, LongTokens, SplitFiles, Splits, recognize_annotations, sample};
use cman_model::{Config, EncoderConfig, EncoderKind, SearchPath};
use cman_score::Scores;
use cman_train::{LeftOut, Protocol, RunData, RunIdentity, RunPlace, Tested, TrainError, train_and_test};
use serde::Serialize;

use crate::{
    args::{DeviceArgs, MemoryArgs},
    corpus::AnnotationArgs,
    hint::{CORPUS_FILES, RESUME, hinted, hinted_corpus},
    losses::note_losses,
    model_folder::{self, Start},
    notes::{counts, note, note_long_tokens, note_unusual},
    progress::{Progress, f1},
};

/// The setting that skips invalid sentences.
const SKIP: &str = "--set data.on_error=skip";
/// The hint for a type that does not occur in the training data.
const OTHER_TYPES: &str = "`--types FILE` lists the types, by default those of the training data; with `--train-dev` they \
     are those of train and dev data";

/// Train a model and write a model directory
///
/// The kept epoch is the one with the best mean of entity and relation F1 on dev data, or the last one without dev data.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cman train --sample --epochs 12 --out model
  cman train --corpus conll04 --vectors glove.6B.50d.txt --set train.batch_size=8 --out model
  cman train --corpus mine --set data.on_error=skip --out model
  cman train --train train.json --dev dev.json --train-dev --epochs 60 --out model
  cman train --sample --epochs 12 --keep-checkpoint --out model
  cman train --sample --epochs 20 --resume --out model")]
#[command(group = ArgGroup::new("data").required(true).args(["corpus", "train", "sample"]))]
pub struct Args {
    /// Corpus folder with files such as train.json, dev.json, test.json, types.json, or with folders of brat
    #[arg(long, value_name = "DIR")]
    corpus: Option<PathBuf>,
    /// Training data: SpERT JSON (an array, or one record per line), multi-head table, tagged columns, or a file or folder
    /// of an annotation tool
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
    /// Types file; default: that of the corpus folder, or the types of the data that is trained on
    #[arg(long, value_name = "FILE", conflicts_with = "sample")]
    types: Option<PathBuf>,
    /// Word vectors of GloVe or word2vec, such as glove.6B.50d.txt
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
    #[command(flatten)]
    memory: MemoryArgs,
    /// Model directory to write
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Overwrite a model directory or an interrupted run
    #[arg(long)]
    force: bool,
    /// Continue a run from its last checkpoint; a finished run stays as it is, or goes on if --epochs is larger
    #[arg(long, conflicts_with = "force")]
    resume: bool,
    /// Keep the last checkpoint of a finished run, so that --resume can train more epochs
    #[arg(long)]
    keep_checkpoint: bool,
    /// Minutes between checkpoints within an epoch, in addition to one after every epoch
    #[arg(long, value_name = "N", default_value_t = 10.0, value_parser = minutes)]
    checkpoint_minutes: f64,
    #[command(flatten)]
    annotation: AnnotationArgs,
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
    /// Records that are left out of the data and of the scores.
    #[serde(skip_serializing_if = "LeftOut::is_none")]
    left_out: LeftOut,
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
    let start = match (args.resume, args.force) {
        (true, _) => Start::Resume,
        (_, true) => Start::Replace,
        _ => Start::New,
    };
    let lock = model_folder::lock(&args.out)?;
    let place = RunPlace {
        lock: &lock,
        vectors: args.vectors.as_deref(),
        device: &device,
        checkpoint_every: Duration::from_secs_f64(60.0 * args.checkpoint_minutes),
        resume: args.resume,
        max_memory: args.memory.max_memory,
    };
    model_folder::check(&args.out, start, &place.checkpoints())?;
    let splits = args.splits(&config)?;
    for (part, corpus) in [("train", Some(&splits.train)), ("dev", splits.dev.as_ref()), ("test", splits.test.as_ref())]
    {
        if let Some(corpus) = corpus {
            note_unusual(part, corpus);
            note_long_tokens(part, &LongTokens::of(&corpus.sentences), &config.model);
        }
    }
    let data = RunData::from(splits);
    if args.train_dev && data.dev.is_empty() {
        bail!("--train-dev: no dev data");
    }
    let protocol = if args.train_dev { Protocol::TrainDev } else { Protocol::Train };
    let data = data.by(protocol);

    let identity = || RunIdentity::of(config.clone(), data.training(), place.vectors, &device);
    if let Some(epoch) = model_folder::resume_finished(&args.out, start, &place.checkpoints(), identity)? {
        writeln!(io::stdout().lock(), "{}: finished (epoch {epoch} kept)", args.out.display())?;
        return Ok(());
    }
    // An interrupted run that replaces a model is resumed, and not taken for that model.
    if args.force {
        model_folder::mark_unfinished(&args.out)?;
    }
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
    model_folder::mark_unfinished(&args.out)?;
    tested.trained.model.save(&args.out, &Summary::new(&tested, &data, protocol))?;
    model_folder::mark_finished(&args.out, &tested.identity)?;
    if !args.keep_checkpoint {
        place.checkpoints().clear()?;
    }
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
            "\n\ntest: {}; trained on {} sentences ({protocol}){}\n\n{}\n{}",
            counts(&data.test),
            data.train.len(),
            left_out(&data.left_out),
            test.all.scores,
            test.leakage,
        );
    }
    report
}

/// The records that the scores do not cover, as the end of a sentence.
fn left_out(left_out: &LeftOut) -> String {
    let LeftOut { train, dev, test } = left_out;
    let parts = [("train", train), ("dev", dev), ("test", test)].into_iter().filter(|(_, count)| **count > 0);
    let parts: Vec<String> = parts.map(|(part, count)| format!("{count} of {part}")).collect();
    if parts.is_empty() { String::new() } else { format!("; records left out: {}", parts.join(", ")) }
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
            left_out: data.left_out,
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
        config.encoder.path = self.encoder_path(&config.encoder)?;
        config.seed = self.seed.unwrap_or(config.seed);
        config.train.epochs = self.epochs.unwrap_or(config.train.epochs);
        config.check()?;
        Ok(config)
    }

    /// The place of the encoder. A relative path in the configuration file is looked for relative to that file, then to the
    /// working directory; a path in a setting is relative to the working directory.
    fn encoder_path(&self, encoder: &EncoderConfig) -> Result<String> {
        if encoder.kind == EncoderKind::None {
            return Ok(encoder.path.clone());
        }
        let is_set = self.settings.iter().any(|setting| setting.trim_start().starts_with("encoder.path"));
        let folder = self.config.as_deref().and_then(Path::parent).filter(|_| !is_set).map(Path::to_owned);
        Ok(SearchPath::new(folder).find_encoder(&encoder.path)?.to_string_lossy().into_owned())
    }

    fn splits(&self, config: &Config) -> Result<Splits> {
        let mut files = match (&self.corpus, &self.train) {
            (Some(folder), _) => {
                let files = SplitFiles::find_any(folder).map_err(|error| no_files(error, folder))?;
                note_files(&files);
                files
            }
            (None, Some(train)) => SplitFiles {
                train: train.clone(),
                dev: self.dev.clone(),
                test: self.test.clone(),
                ..SplitFiles::default()
            },
            (None, None) => return Ok(sample::corpus()?),
        };
        files.types = self.types.clone().or(files.types);
        files.dev_types = self.train_dev;
        let allowed = match &files.types {
            Some(types) => format!("{} lists the allowed types", types.display()),
            None => OTHER_TYPES.into(),
        };
        let annotation = self.annotation.options(config.data.tokenizer);
        let (splits, losses) = Splits::read_any(&files, &config.data.reader(), &annotation)
            .map_err(|error| hinted_corpus(error, Some(&allowed), Some(SKIP)))?;
        [&losses.train, &losses.dev, &losses.test].into_iter().for_each(note_losses);
        Ok(splits)
    }
}

/// The error for a folder without training data, with a hint.
fn no_files(error: DataError, folder: &Path) -> anyhow::Error {
    match recognize_annotations(folder) {
        Ok(Some(format)) if matches!(error, DataError::NoCorpus { .. }) => {
            let folder = folder.display();
            let text = format!("`--train {folder}` trains on all of it; `cman split {folder} --out corpus` divides it");
            hinted(anyhow!("{folder}: expected the parts of a corpus, found one folder of {format}"), text)
        }
        _ if folder.is_dir() => error.into(),
        _ => hinted(error, CORPUS_FILES),
    }
}

/// Prints which files of a folder were chosen, and which were not.
fn note_files(files: &SplitFiles) {
    let chosen = [("train", Some(&files.train)), ("dev", files.dev.as_ref()), ("test", files.test.as_ref())];
    for (part, path) in chosen.into_iter().chain([("types", files.types.as_ref())]) {
        let path = path.map_or_else(|| "none".to_owned(), |path| path.display().to_string());
        note(format_args!("{part:5} {path}"));
    }
    if !files.unused.is_empty() {
        let unused: Vec<String> = files.unused.iter().map(ToString::to_string).collect();
        note(format_args!("not used: {}", unused.join(", ")));
    }
}

/// Parses the minutes between checkpoints.
fn minutes(text: &str) -> Result<f64, String> {
    let minutes: f64 = text.parse().map_err(|_| "expected a number".to_owned())?;
    if (0.0..1e6).contains(&minutes) { Ok(minutes) } else { Err("expected at least 0 and less than 1000000".into()) }
}
