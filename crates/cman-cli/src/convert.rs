//! `cman convert`: converts between corpus formats.

use std::path::PathBuf;

use anyhow::{Context, Result};
use cman_data::{Corpus, DataError, Format, OnError, write_json_lines, write_multihead, write_spert};

use crate::{
    args::{TypesArgs, named},
    notes::note_unusual,
    output,
};

/// Convert a corpus file to another format
///
/// If the format cannot express a sentence, this is an error and no file is written. `--on-error skip` lists and skips
/// invalid records.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  cman convert train.txt train.json --to spert")]
pub struct Args {
    /// Corpus file: SpERT JSON (an array, or one record per line), multi-head table or tagged columns
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// File to write; `-` is standard output
    #[arg(value_name = "OUT")]
    output: PathBuf,
    /// Format to write
    #[arg(long, value_name = "FORMAT", value_parser = named::<Format>(["spert", "jsonl", "multihead"]))]
    to: Format,
    #[command(flatten)]
    types: TypesArgs,
    /// How to treat invalid records
    #[arg(long, value_name = "POLICY", default_value_t, value_parser = named::<OnError>(["refuse", "skip"]))]
    on_error: OnError,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> Result<()> {
    let corpus = Corpus::read(&args.input, &args.types.reader()?.on_error(args.on_error))
        .map_err(|error| args.types.hinted(error, Some("--on-error skip")))?;
    note_unusual(args.input.display(), &corpus);
    output::write(&args.output, |writer| {
        let written = match args.to {
            Format::Spert => write_spert(&corpus.sentences, writer),
            Format::JsonLines => write_json_lines(&corpus.sentences, writer),
            Format::Multihead => write_multihead(&corpus.sentences, writer),
            Format::Columns => unreachable!("not an allowed value"),
        };
        written.map_err(|error| {
            // The writers report the record but not the file.
            let file = if matches!(error, DataError::Io { .. }) { &args.output } else { &args.input };
            anyhow::Error::from(error).context(file.display().to_string())
        })
    })
    .with_context(|| format!("cannot convert to {}", args.to))
}
