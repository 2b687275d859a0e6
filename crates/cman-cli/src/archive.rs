//! `cman archive`: finished runs in one file.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use anyhow::Result;
use cman_experiment::Archive;

/// Collect the finished runs of an experiment in one small file, without predictions
///
/// `cman experiment --archive FILE` reuses the runs of the file. An existing file keeps its runs; a run in the folder
/// replaces the run of the same id.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  cman archive sample/runs --out runs.jsonl")]
pub struct Args {
    /// Folder with runs, written by `cman experiment`
    #[arg(value_name = "RUNS")]
    runs: PathBuf,
    /// Archive to create or to update
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> Result<()> {
    let mut archive = if args.out.exists() { Archive::load(&args.out)? } else { Archive::default() };
    let added = archive.add_folder(&args.runs)?;
    archive.save(&args.out)?;
    let (path, total) = (args.out.display(), archive.len());
    writeln!(io::stdout().lock(), "wrote {path}: {total} runs, {added} of them from {}", args.runs.display())?;
    Ok(())
}
