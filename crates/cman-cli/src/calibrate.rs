//! `cman calibrate`: compares confidences with how often they are right, and corrects them.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};
use cman_data::{Corpus, ReaderBuilder, Sentence};
use cman_model::{Calibration, Model};
use cman_score::Reliability;
use cman_train::JudgedPredictions;
use serde::Serialize;

use crate::{args::ModelArgs, hint::hinted_corpus, output};

/// Compare confidences with how often they are right
///
/// A temperature for entities and one for relations are fitted on the data, so that a confidence of 0.9 is right nine times
/// in ten. `--save` keeps them with the model; `predict` then reports calibrated confidences. Which entities and relations
/// are predicted does not change. Fit them on dev data, not on the data of training or test.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cman calibrate --model model --data dev.json
  cman calibrate --model model --data dev.json --test test.json --save")]
pub struct Args {
    #[command(flatten)]
    model: ModelArgs,
    /// Annotated data to fit the temperatures on
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Other annotated data to measure them on
    #[arg(long, value_name = "FILE")]
    test: Option<PathBuf>,
    /// Keep the temperatures with the model
    #[arg(long)]
    save: bool,
    /// Write temperatures and curves as JSON; `-` is standard output, in place of the tables
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// The JSON output.
#[derive(Serialize)]
struct Outcome {
    temperatures: Calibration,
    data: Curves,
    #[serde(skip_serializing_if = "Option::is_none")]
    test: Option<Curves>,
}

/// The curves of some data.
#[derive(Serialize)]
struct Curves {
    sentences: usize,
    entities: BeforeAndAfter,
    relations: BeforeAndAfter,
}

/// A curve without and with the temperature.
#[derive(Serialize)]
struct BeforeAndAfter {
    before: Reliability,
    after: Reliability,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> Result<()> {
    let folder = args.model.path().filter(|path| path.is_dir());
    if args.save && folder.is_none() {
        let name = args.model.path().unwrap_or(Path::new("the demo model")).display();
        bail!("{name}: a package cannot be changed: calibrate its model directory");
    }
    let model = args.model.load()?;
    let gold = read(&model, &args.data)?;
    let judged = JudgedPredictions::of(&model, &gold)?;
    let temperatures = judged.fit();
    let test = match &args.test {
        Some(path) => {
            let gold = read(&model, path)?;
            Some(curves(&JudgedPredictions::of(&model, &gold)?, gold.len(), temperatures))
        }
        None => None,
    };
    let outcome = Outcome { temperatures, data: curves(&judged, gold.len(), temperatures), test };
    if let Some(path) = &args.json {
        output::write_json(path, &outcome)?;
    }
    if !args.json.as_deref().is_some_and(output::is_stdout) {
        print(args, &outcome)?;
    }
    if let Some(folder) = folder.filter(|_| args.save) {
        Model::save_calibration(folder, temperatures)?;
    }
    Ok(())
}

fn read(model: &Model, path: &Path) -> Result<Vec<Sentence>> {
    let options = ReaderBuilder::new().schema(model.schema().clone()).overlap(model.config().data.overlap);
    let types = "a model is calibrated on the types that it was trained with";
    Ok(Corpus::read(path, &options).map_err(|error| hinted_corpus(error, Some(types), None))?.sentences)
}

fn curves(judged: &JudgedPredictions, sentences: usize, temperatures: Calibration) -> Curves {
    let [entities, relations] = judged.curves(Calibration::default());
    let [entities_after, relations_after] = judged.curves(temperatures);
    Curves {
        sentences,
        entities: BeforeAndAfter { before: entities, after: entities_after },
        relations: BeforeAndAfter { before: relations, after: relations_after },
    }
}

fn print(args: &Args, outcome: &Outcome) -> Result<()> {
    let mut out = io::stdout().lock();
    let files = [Some((&args.data, &outcome.data)), args.test.as_ref().zip(outcome.test.as_ref())];
    for (path, curves) in files.into_iter().flatten() {
        for (task, temperature, curve) in [
            ("entities", outcome.temperatures.entities, &curves.entities),
            ("relations", outcome.temperatures.relations, &curves.relations),
        ] {
            let (path, sentences) = (path.display(), curves.sentences);
            writeln!(out, "{path} ({sentences} sentences), {task}: {}", curve.before)?;
            writeln!(out, "with temperature {temperature:.3}: {}", curve.after)?;
        }
    }
    let saved = if args.save { "saved with the model" } else { "not saved: `--save` keeps them with the model" };
    let Calibration { entities, relations } = outcome.temperatures;
    writeln!(out, "temperatures: entities {entities:.3}, relations {relations:.3} ({saved})")?;
    Ok(())
}
