//! `cman score`: scores a file of predictions.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use anyhow::{Context, Result};
use cman_data::Corpus;
use cman_score::{Bootstrap, Comparison, Definition, Scores, score_as};
use serde::Serialize;

use crate::{
    args::{TypesArgs, definitions},
    notes::{counts, note_unusual},
    output, predictions,
};

/// Score a file of predictions
///
/// Predictions are SpERT JSON, the output of SpERT, the output of `cman predict`, or a multi-head table, with the gold
/// sentences in the same order.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cman score --gold test.json --pred predicted.json --types types.json
  cman score --gold test.json --pred baseline.json --against predicted.json")]
pub struct Args {
    /// Gold data: SpERT JSON or multi-head table
    #[arg(long, value_name = "FILE")]
    gold: PathBuf,
    /// Predictions
    #[arg(long, value_name = "FILE")]
    pred: PathBuf,
    /// Predictions of another system, compared with a paired bootstrap
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Scorer whose rules to use
    #[arg(
        long = "as",
        value_name = "SCORER",
        default_value_t,
        value_parser = definitions(),
        conflicts_with = "against"
    )]
    definition: Definition,
    /// Write the scores as JSON; `-` is standard output, in place of the table
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    #[command(flatten)]
    types: TypesArgs,
}

/// The JSON output: the scores and, with another system, its scores and the comparison.
#[derive(Serialize)]
struct Outcome {
    #[serde(flatten)]
    scores: Scores,
    #[serde(skip_serializing_if = "Option::is_none")]
    against: Option<Scores>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comparison: Option<Comparison>,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> Result<()> {
    let gold = Corpus::read(&args.gold, &args.types.reader()?).map_err(|error| args.types.hinted(error, None))?;
    note_unusual(args.gold.display(), &gold);
    let (gold, schema) = (gold.sentences, gold.schema);
    let read = |path: &PathBuf| {
        let predicted = predictions::read(path, &gold)?;
        let scores = score_as(args.definition, &gold, &predicted, &schema);
        Ok::<_, anyhow::Error>((scores.with_context(|| path.display().to_string())?, predicted))
    };
    let (scores, predicted) = read(&args.pred)?;
    let mut outcome = Outcome { scores, against: None, comparison: None };
    if let Some(path) = &args.against {
        let (scores, other) = read(path)?;
        outcome.comparison = Some(Bootstrap::default().compare(&gold, &predicted, &other)?);
        outcome.against = Some(scores);
    }
    if let Some(path) = &args.json {
        output::write_json(path, &outcome)?;
        if output::is_stdout(path) {
            return Ok(());
        }
    }
    let mut out = io::stdout().lock();
    writeln!(out, "{}: {}; rules of {}", args.gold.display(), counts(&gold), args.definition)?;
    writeln!(out, "\n{}\n\n{}", args.pred.display(), outcome.scores)?;
    if let (Some(path), Some(scores), Some(comparison)) = (&args.against, &outcome.against, &outcome.comparison) {
        writeln!(out, "{}\n\n{scores}", path.display())?;
        writeln!(out, "a: {}\nb: {}\n{comparison}", args.pred.display(), path.display())?;
    }
    Ok(())
}
