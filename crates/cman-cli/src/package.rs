//! `cman package` and `cman card`: a model in one file, and what it says about itself.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow, bail};
use cman_data::{Corpus, ReaderBuilder};
use cman_model::{About, Card, LoadOptions, Measured, Model, Packing, Precision};
use cman_train::EVALUATION_BATCH;

use crate::{
    args::DeviceArgs,
    hint::{hinted, hinted_corpus},
    notes::note,
    output::is_same_file,
};

/// Put a model, its encoder and its card into one file
///
/// `predict`, `evaluate`, `serve` and the library take the file in place of a model directory. The card states data, scores,
/// limits and licence, and the checksum of every file; loading verifies them. `cman card` prints it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cman package model news.cman --name news --licence CC-BY-4.0
  cman package model news.cman --half --data test.json
  cman predict --model news.cman documents.txt")]
pub struct Args {
    /// Model directory written by `cman train`
    #[arg(value_name = "DIR")]
    model: PathBuf,
    /// File to write
    #[arg(value_name = "FILE")]
    out: PathBuf,
    /// Store the weights in half precision
    #[arg(long)]
    half: bool,
    /// Annotated data on which the packaged model is scored for its card
    #[arg(long, value_name = "FILE")]
    data: Vec<PathBuf>,
    /// Folder of the encoder, if it is not where the model says
    #[arg(long, value_name = "DIR")]
    encoder: Option<PathBuf>,
    /// Name of the model; default: that of the directory
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// What the model is for
    #[arg(long, value_name = "TEXT", default_value_t, hide_default_value = true)]
    description: String,
    /// Licence of the model
    #[arg(long, value_name = "LICENCE", default_value_t, hide_default_value = true)]
    licence: String,
    /// The data that it was trained on
    #[arg(long, value_name = "TEXT", default_value_t, hide_default_value = true)]
    trained_on: String,
    /// What it cannot do
    #[arg(long, value_name = "TEXT", default_value_t, hide_default_value = true)]
    limits: String,
    /// Replace a file that exists
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    device: DeviceArgs,
}

/// Print the card of a packaged model
#[derive(Debug, clap::Args)]
pub struct CardArgs {
    /// Package written by `cman package`
    #[arg(value_name = "FILE")]
    package: PathBuf,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

/// Runs `cman package`.
pub fn run(args: &Args) -> Result<()> {
    if !args.model.is_dir() {
        bail!("{}: expected a model directory", args.model.display());
    }
    if args.out.exists() && !args.force {
        return Err(hinted(anyhow!("{}: exists", args.out.display()), "`--force` replaces the file"));
    }
    if args.data.iter().any(|data| is_same_file(data, &args.out)) {
        bail!("{}: the output is an input file", args.out.display());
    }
    let name = args.name.clone().or_else(|| {
        let folder = fs::canonicalize(&args.model).ok()?;
        Some(folder.file_name()?.to_string_lossy().into_owned())
    });
    let about = About {
        name: name.unwrap_or_default(),
        description: args.description.clone(),
        licence: args.licence.clone(),
        data: args.trained_on.clone(),
        limits: args.limits.clone(),
    };
    let options = LoadOptions { encoder: args.encoder.clone(), ..LoadOptions::default() };
    let precision = if args.half { Precision::Half } else { Precision::Single };
    let device = args.device.device.device()?;
    let mut packing = Packing::new(&args.model, &device, &options, precision, about)?;
    if !args.data.is_empty() {
        let packed = packing.model(&device)?;
        let full = Model::load_with(&args.model, &device, &options)?;
        for data in &args.data {
            let measured = measure(&packed, data)?;
            if args.half {
                let before = measure(&full, data)?;
                note(format_args!(
                    "{}: F1 in single precision {:.2} / {:.2}, in half precision {:.2} / {:.2}",
                    data.display(),
                    before.entities,
                    before.relations,
                    measured.entities,
                    measured.relations
                ));
            }
            packing.add(measured);
        }
    }
    let card = packing.write(&args.out)?;
    print(&card, false)
}

/// Runs `cman card`.
pub fn run_card(args: &CardArgs) -> Result<()> {
    print(&Card::read(&args.package)?, args.json)
}

fn print(card: &Card, json: bool) -> Result<()> {
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string_pretty(card)?)?
    } else {
        write!(out, "{card}")?
    }
    Ok(())
}

fn measure(model: &Model, data: &Path) -> Result<Measured> {
    let reader = ReaderBuilder::new().schema(model.schema().clone()).overlap(model.config().data.overlap);
    let types = "a model is scored on the types that it was trained with";
    let gold = Corpus::read(data, &reader).map_err(|error| hinted_corpus(error, Some(types), None))?.sentences;
    let scores = cman_train::evaluate(model, &gold, EVALUATION_BATCH, false)?.scores;
    let percent = |f1: f64| (1e4 * f1).round() / 1e2;
    Ok(Measured {
        data: data.file_name().with_context(|| data.display().to_string())?.to_string_lossy().into_owned(),
        sentences: gold.len(),
        entities: percent(scores.entities.strict.micro.f1),
        relations: percent(scores.relations.strict.micro.f1),
    })
}
