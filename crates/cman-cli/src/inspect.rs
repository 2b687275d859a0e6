//! `cman inspect`: statistics of corpus files.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::{Result, anyhow, bail};
use cman_data::{
    AnnotationOptions, Corpus, CorpusDir, DataError, OnError, OverlapPolicy, ReaderBuilder, Report, Sentence,
    Statistics, recognize_annotations,
};
use serde::Serialize;

use crate::{
    args::{TypesArgs, overlaps},
    corpus::AnnotatedTextArgs,
    hint::hinted,
    losses::note_losses,
    notes::{is_unusual, note},
};

/// Print statistics of corpus files
///
/// Invalid records are excluded from the counts, and their reasons are listed; the exit status is then 1.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cman inspect train.json --types types.json
  cman inspect ade --overlap drop --json")]
pub struct Args {
    /// Corpus file or folder, or file or folder of an annotation tool
    #[arg(value_name = "FILE|DIR")]
    path: PathBuf,
    #[command(flatten)]
    types: TypesArgs,
    /// How to treat sentences with overlapping entities
    #[arg(long, value_name = "POLICY", default_value_t, value_parser = overlaps())]
    overlap: OverlapPolicy,
    /// List every invalid record, not only the first of each kind
    #[arg(long)]
    all: bool,
    /// Write JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    annotation: AnnotatedTextArgs,
}

/// One file.
#[derive(Serialize)]
struct Inspection {
    path: PathBuf,
    format: String,
    report: Report,
    statistics: Statistics,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> Result<()> {
    let (files, types) = files(&args.path)?;
    let types = TypesArgs { types: args.types.types.clone().or(types) };
    let mut options = types.reader()?.overlap(args.overlap).on_error(OnError::Skip);
    if args.all {
        options = options.all_messages();
    }
    let mut out = io::stdout().lock();
    let (mut inspections, mut invalid_files, mut invalid_records) = (Vec::new(), 0, 0);
    for path in files {
        let inspection = match inspect(&path, &options, &args.annotation.options()) {
            Ok(inspection) => inspection,
            // An error in the only file ends the command; otherwise the other files are still inspected.
            Err(error) if path == args.path => return Err(error.into()),
            Err(error) => {
                note(format_args!("error: {error}"));
                invalid_files += 1;
                continue;
            }
        };
        invalid_records += inspection.report.skipped;
        if args.json {
            inspections.push(inspection);
        } else {
            let before = if inspections.is_empty() { "" } else { "\n" };
            writeln!(out, "{before}{} ({})", inspection.path.display(), inspection.format)?;
            if is_unusual(&inspection.report) {
                writeln!(out, "{}", inspection.report)?;
            }
            writeln!(out, "{}", inspection.statistics)?;
            inspections.push(inspection);
        }
    }
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&inspections)?)?;
    }
    let all = "`--all` lists every invalid record";
    match (invalid_files, invalid_records) {
        (0, 0) => Ok(()),
        (0, records) if args.all => bail!("{}: invalid records: {records}", args.path.display()),
        (0, records) => Err(hinted(anyhow!("{}: invalid records: {records}", args.path.display()), all)),
        (files, records) => {
            bail!("{}: invalid files: {files}, invalid records in other files: {records}", args.path.display())
        }
    }
}

fn inspect(path: &Path, options: &ReaderBuilder, annotation: &AnnotationOptions) -> Result<Inspection, DataError> {
    let annotated = recognize_annotations(path)?;
    if annotated.is_some() || path.is_dir() {
        let (Corpus { sentences, report, .. }, losses) = Corpus::read_any(path, options, annotation)?;
        note_losses(&losses);
        let format = annotated.map(|format| format.to_string()).unwrap_or_default();
        return Ok(Inspection { path: path.into(), format, report, statistics: Statistics::of(&sentences) });
    }
    let mut reader = options.from_path(path)?;
    let format = reader.format().to_string();
    let sentences: Vec<Sentence> = match reader.by_ref().collect::<Result<_, _>>() {
        // The reasons are in the report.
        Err(DataError::NoSentence { .. }) if reader.report().left_out() > 0 => Vec::new(),
        sentences => sentences?,
    };
    let (_, report) = reader.into_parts();
    Ok(Inspection { path: path.into(), format, report, statistics: Statistics::of(&sentences) })
}

/// The corpus files and the types file of a path. A file stands for itself, and so does a folder of annotation.
pub fn files(path: &Path) -> Result<(Vec<PathBuf>, Option<PathBuf>), DataError> {
    if !path.is_dir() || is_annotation(path) {
        return Ok((vec![path.into()], None));
    }
    let CorpusDir { train, dev, test, types, others, .. } = CorpusDir::find_any(path)?;
    Ok(([train, dev, test].into_iter().flatten().chain(others).collect(), types))
}

/// Whether a folder is annotation itself: it has files of brat, or its folders have annotation and are no parts of a corpus.
fn is_annotation(folder: &Path) -> bool {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let has_files = entries.into_iter().any(|entry| entry.path().extension().is_some_and(|own| own == "ann"));
    let has_parts = || {
        CorpusDir::find_any(folder).is_ok_and(|found| {
            [found.train, found.dev, found.test].iter().any(Option::is_some) || !found.others.is_empty()
        })
    };
    has_files || (!has_parts() && matches!(recognize_annotations(folder), Ok(Some(_))))
}
