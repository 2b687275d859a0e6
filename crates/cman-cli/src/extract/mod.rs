//! `cman extract`: extracts from files of any size into a folder of parts, and continues after an interruption.

mod files;
mod job;
mod part;
mod part_args;
mod pipeline;
mod position;
mod records;
mod row;
#[cfg(feature = "parquet")]
mod table;

use std::{path::PathBuf, time::Instant};

use anyhow::{Result, anyhow, bail};
use cman_model::Extractor;

use crate::{
    args::{FormatArgs, ModelArgs},
    extract_args::ExtractArgs,
    hint::hinted,
    model_folder,
    notes::note,
};
use job::{Job, Manifest};
use part_args::{PartArgs, PartFormat};
use pipeline::Pipeline;

/// Extract from files of any size
///
/// Reads lines of text, JSON lines with `text` or `tokens`, or corpus files; what gzip compressed is decompressed. Writes one
/// row per record, with what is found in the whole text, into a folder of numbered parts. An interrupted run continues with
/// `--resume` and writes the same bytes. Records that cannot be read are written with the reason into files
/// `_rejected-*.jsonl`; the exit status is then 1.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  cman extract --model model documents.jsonl.gz --output found
  cman extract --model model --resume documents.jsonl.gz --output found
  cman extract --model model news/ reports/*.txt --output found --compress gzip")]
pub struct Args {
    /// Files, and folders whose files are read
    #[arg(value_name = "INPUT", required = true)]
    inputs: Vec<PathBuf>,
    /// Folder to write
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    format: FormatArgs,
    #[command(flatten)]
    parts: PartArgs,
    /// Continue after the last complete part
    #[arg(long)]
    resume: bool,
    #[command(flatten)]
    extract: ExtractArgs,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> Result<()> {
    args.parts.check()?;
    let files = files::find(&args.inputs)?;
    let extractor = args.extract.apply(&Extractor::new(args.model.load()?))?;
    if args.parts.to == PartFormat::Parquet && extractor.options().n_best > 0 {
        bail!("the best tag sequences have no column in Parquet; `--to jsonl` writes them");
    }
    let _lock = model_folder::lock(&args.output)?;
    let format = args.format.format;
    let job = Job::new(args.model.path(), &extractor, &files, format, &args.parts)?;
    let mut manifest = Manifest::open(&args.output, job, args.resume)?;
    if !manifest.is_complete() {
        let start = Instant::now();
        let before = manifest.counts();
        let (out, parts) = (&args.output, &args.parts);
        Pipeline { extractor: &extractor, files: &files, format, out, parts }.run(&mut manifest)?;
        let counts = manifest.counts();
        let (records, seconds) = (counts.records - before.records, start.elapsed().as_secs_f64());
        note(format_args!("{counts}; {:.0} records/s", records as f64 / seconds));
    } else {
        note(format_args!("{}: complete; {}", args.output.display(), manifest.counts()));
    }
    let counts = manifest.counts();
    if counts.in_windows > 0 {
        note(format_args!(
            "{} sentences read in overlapping windows; relations between entities farther apart are not found",
            counts.in_windows
        ));
    }
    if counts.rejected > 0 {
        let reasons = format!("{}/{}*.jsonl has the reasons", args.output.display(), part::REJECTED);
        return Err(hinted(anyhow!("{} records or files rejected", counts.rejected), reasons));
    }
    if counts.records == 0 {
        bail!("no records in {}", args.inputs[0].display());
    }
    Ok(())
}
