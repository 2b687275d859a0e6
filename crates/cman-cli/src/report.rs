//! `cman report`: renders the results of an experiment.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use anyhow::Result;
use cman_experiment::write_report;

/// Write the report of an experiment: a self-contained report.html, and report.md
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  cman report table1")]
pub struct Args {
    /// Folder written by `cman experiment`
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> Result<()> {
    let mut out = io::stdout().lock();
    for path in write_report(&args.folder)? {
        writeln!(out, "wrote {}", path.display())?;
    }
    Ok(())
}
