//! `cman extract`: extracts from files of any size into a folder of parts, and continues after an interruption.

mod files;
mod job;
mod part;
mod pipeline;
mod position;
mod records;
mod row;
#[cfg(feature = "parquet")]
mod table;

use std::{path::PathBuf, time::Instant};

use anyhow::{Result, bail};
use cman_data::InputFormat;
use cman_model::Extractor;

use crate::{
    args::{ModelArgs, named},
    extract_args::ExtractArgs,
    hint::hinted,
    model_folder,
    notes::note,
};
use job::{Job, Manifest};
use part::{Compression, PartFormat};
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
    /// Input format; default: recognized from the start of each file
    #[arg(
        long,
        value_name = "FORMAT",
        value_parser = named::<InputFormat>(["text", "jsonl", "spert", "multihead", "columns"])
    )]
    format: Option<InputFormat>,
    /// Format of the parts
    #[arg(long, value_name = "FORMAT", default_value = "jsonl")]
    to: PartFormat,
    /// Compression of the parts
    #[arg(long, value_name = "METHOD", default_value = "none")]
    compress: Compression,
    /// Records per part
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    part_records: u64,
    /// Add the text of each record to its row
    #[arg(long)]
    with_text: bool,
    /// Continue after the last complete part
    #[arg(long)]
    resume: bool,
    #[command(flatten)]
    extract: ExtractArgs,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> Result<()> {
    part::check(args.to, args.compress)?;
    let files = files::find(&args.inputs)?;
    let extractor = args.extract.apply(&Extractor::new(args.model.load()?))?;
    if args.to == PartFormat::Parquet && extractor.options().n_best > 0 {
        bail!("the best tag sequences have no column in Parquet; `--to jsonl` writes them");
    }
    let _lock = model_folder::lock(&args.output)?;
    let mut manifest = Manifest::open(&args.output, Job::of(args, &files, &extractor)?, args.resume)?;
    if !manifest.is_complete() {
        let start = Instant::now();
        let before = manifest.counts();
        Pipeline { extractor: &extractor, files: &files, args, out: &args.output }.run(&mut manifest)?;
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
        return Err(hinted(anyhow::anyhow!("{} records or files rejected", counts.rejected), reasons));
    }
    if counts.records == 0 {
        bail!("no records in {}", args.inputs[0].display());
    }
    Ok(())
}
