//! `cman evaluate`: scores a model on annotated data.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::{Result, anyhow, bail};
use cman_data::{LongTokens, OnError, OverlapPolicy, ReaderBuilder, Sentence, write_spert};
use cman_score::{Definition, Scores, score_as, untaggable};
use cman_train::{EVALUATION_BATCH, Evaluation};
use serde::Serialize;

use crate::{
    args::{ModelArgs, definitions, named, overlaps},
    corpus::{self, AnnotationArgs},
    hint::{hinted, hinted_corpus},
    notes::{counts, note, note_long_tokens, note_unusual},
    output,
};

/// The hint for a type that the model does not know.
const MODEL_TYPES: &str = "a model is scored on the types that it was trained with";

/// Score a model on annotated data
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cman evaluate --model model --data test.json
  cman evaluate --model model --data test.json --as spert --json scores.json --predictions predicted.json")]
pub struct Args {
    #[command(flatten)]
    model: ModelArgs,
    /// Annotated data with the types of the model: SpERT JSON (an array, or one record per line), multi-head table, tagged
    /// columns, or a file or folder of an annotation tool
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Write the scores as JSON; `-` is standard output, in place of the table
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the predicted sentences as SpERT JSON
    #[arg(long, value_name = "FILE")]
    predictions: Option<PathBuf>,
    /// Use gold entity labels for relation extraction
    #[arg(long)]
    gold_labels: bool,
    /// Scorer whose rules to use
    #[arg(long = "as", value_name = "SCORER", default_value_t, value_parser = definitions())]
    definition: Definition,
    /// How to treat sentences with overlapping entities; default: as in training
    #[arg(long, value_name = "POLICY", value_parser = overlaps())]
    overlap: Option<OverlapPolicy>,
    /// Maximum sentence length; time grows with its square
    #[arg(long, value_name = "N", default_value_t = 4096)]
    max_tokens: usize,
    /// How to treat invalid records
    #[arg(long, value_name = "POLICY", default_value_t, value_parser = named::<OnError>(["refuse", "skip"]))]
    on_error: OnError,
    #[command(flatten)]
    annotation: AnnotationArgs,
}

/// The JSON output.
#[derive(Serialize)]
struct Outcome<'a> {
    #[serde(flatten)]
    scores: &'a Scores,
    /// Records of the data that the scores leave out.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<usize>,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> Result<()> {
    let is_stdout = |path: &Option<PathBuf>| path.as_deref().is_some_and(output::is_stdout);
    let (json_out, predictions_out) = (is_stdout(&args.json), is_stdout(&args.predictions));
    if json_out && predictions_out {
        bail!("--json -, --predictions -: only one can be written to standard output");
    }
    let model = args.model.load()?;
    let overlap = args.overlap.unwrap_or(model.config().data.overlap);
    let options = ReaderBuilder::new().schema(model.schema().clone()).overlap(overlap).on_error(args.on_error);
    let annotation = args.annotation.options(model.config().data.tokenizer);
    let gold = corpus::read(&args.data, &options, &annotation)
        .map_err(|error| hinted_corpus(error, Some(MODEL_TYPES), Some("--on-error skip")))?;
    check_lengths(&args.data, &gold.sentences, args.max_tokens)?;
    note_unusual(args.data.display(), &gold);
    note_long_tokens(args.data.display(), &LongTokens::of(&gold.sentences), &model.config().model);
    let evaluation = cman_train::evaluate(&model, &gold.sentences, EVALUATION_BATCH, args.gold_labels)?;
    let Evaluation { mut scores, predicted } = evaluation;
    if args.definition != Definition::Cman {
        scores = score_as(args.definition, &gold.sentences, &predicted, model.schema())?;
    }
    let lost = untaggable(&gold.sentences, model.schema());
    if lost.sentences > 0 {
        note(format_args!("{}: {lost}", args.data.display()));
    }
    if let Some(path) = &args.predictions {
        output::write(path, |writer| Ok(write_spert(&predicted, writer)?))?;
    }
    if let Some(path) = &args.json {
        let left_out = Some(gold.report.left_out()).filter(|&count| count > 0);
        output::write_json(path, &Outcome { scores: &scores, left_out })?;
    }
    if !json_out && !predictions_out {
        let labels = if args.gold_labels { "gold" } else { "predicted" };
        let mut out = io::stdout().lock();
        let left_out = match gold.report.left_out() {
            0 => String::new(),
            count => format!("; records left out: {count}"),
        };
        writeln!(out, "{}: {}{left_out}", args.data.display(), counts(&gold.sentences))?;
        writeln!(out, "rules of {}, relations with {labels} labels\n\n{scores}", args.definition)?;
    }
    Ok(())
}

/// Refuses a sentence that is too long to be meant.
fn check_lengths(file: &Path, sentences: &[Sentence], most: usize) -> Result<()> {
    let Some(sentence) = sentences.iter().find(|sentence| sentence.len() > most) else { return Ok(()) };
    let (file, id, tokens) = (file.display(), &sentence.id, sentence.len());
    let error =
        anyhow!("{file}: the sentence with id {id}: its {tokens} tokens exceed the maximum of {most} (--max-tokens)");
    Err(hinted(error, "split the sentence into shorter ones; `--max-tokens` changes the limit"))
}
