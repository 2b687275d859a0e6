//! `cman inspect`: what is in corpus files.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};
use cman_data::{CorpusDir, DataError, Format, OnError, OverlapPolicy, ReaderBuilder, Report, Sentence, Statistics};
use serde::Serialize;

use crate::{
    args::{TypesArgs, overlaps},
    notes::{is_unusual, note},
};

/// Count what is in corpus files
///
/// Bad records are listed and left out of the counts; the exit status is then 1.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cman inspect train.json --types types.json
  cman inspect ade --overlap drop --json")]
pub struct Args {
    /// Corpus file, or a folder with some
    #[arg(value_name = "FILE|DIR")]
    path: PathBuf,
    #[command(flatten)]
    types: TypesArgs,
    /// Sentences with overlapping entities
    #[arg(long, value_name = "POLICY", default_value_t, value_parser = overlaps())]
    overlap: OverlapPolicy,
    /// Write JSON
    #[arg(long)]
    json: bool,
}

/// One file.
#[derive(Serialize)]
struct Inspection {
    path: PathBuf,
    format: Format,
    report: Report,
    statistics: Statistics,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> Result<()> {
    let (files, types) = files(&args.path)?;
    let types = TypesArgs { types: args.types.types.clone().or(types) };
    let options = types.reader()?.overlap(args.overlap).on_error(OnError::Skip);
    let mut out = io::stdout().lock();
    let (mut inspections, mut bad_files, mut bad_records) = (Vec::new(), 0, 0);
    for path in files {
        let inspection = match inspect(&path, &options) {
            Ok(inspection) => inspection,
            // Where there is one file this is the end, else the others can still be looked at.
            Err(error) if path == args.path => return Err(error.into()),
            Err(error) => {
                note(format_args!("error: {error}"));
                bad_files += 1;
                continue;
            }
        };
        bad_records += inspection.report.skipped;
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
    match (bad_files, bad_records) {
        (0, 0) => Ok(()),
        (0, records) => bail!("{}: {records} bad records", args.path.display()),
        (files, records) => bail!("{}: {files} bad files, {records} bad records in others", args.path.display()),
    }
}

fn inspect(path: &Path, options: &ReaderBuilder) -> Result<Inspection, DataError> {
    let mut reader = options.from_path(path)?;
    let format = reader.format();
    let sentences: Vec<Sentence> = reader.by_ref().collect::<Result<_, _>>()?;
    let (_, report) = reader.into_parts();
    Ok(Inspection { path: path.into(), format, report, statistics: Statistics::of(&sentences) })
}

/// The corpus files that a path means, and the types file beside them.
pub fn files(path: &Path) -> Result<(Vec<PathBuf>, Option<PathBuf>), DataError> {
    if !path.is_dir() {
        return Ok((vec![path.into()], None));
    }
    let CorpusDir { train, dev, test, types, others } = CorpusDir::find(path)?;
    Ok(([train, dev, test].into_iter().flatten().chain(others).collect(), types))
}
