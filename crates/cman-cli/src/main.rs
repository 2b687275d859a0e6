//! The command line: joint entity and relation extraction with the Cross-Modal Attention Network.
//!
//! Exit status: 0 if all went well, 1 if not, 2 for wrong usage. Results go to the standard output, everything else to
//! the standard error.

mod archive;
mod args;
mod convert;
mod embed;
mod evaluate;
mod experiment;
mod inspect;
mod notes;
mod output;
mod predict;
mod predictions;
mod progress;
mod record;
mod report;
mod score;
mod train;

use std::{io, process::ExitCode};

use clap::{Parser, Subcommand};

// The system's allocator gives large buffers back each time and pays for their pages again.
#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Joint entity and relation extraction with the Cross-Modal Attention Network
#[derive(Parser)]
#[command(name = "cman", version, after_help = EXAMPLES)]
struct Cli {
    /// Threads of the CPU backends [default: one a core]
    #[arg(
        long,
        global = true,
        value_name = "N",
        display_order = 1000,
        value_parser = clap::value_parser!(u16).range(1..)
    )]
    threads: Option<u16>,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Example:
  cman train --sample --epochs 12 --out model
  echo 'Mrs. Tsuruyama is from Kumamoto Prefecture in Japan.' | cman predict --model model";

#[derive(Subcommand)]
enum Command {
    Train(train::Args),
    Evaluate(evaluate::Args),
    Predict(predict::Args),
    Inspect(inspect::Args),
    Convert(convert::Args),
    Embed(embed::Args),
    Score(score::Args),
    Experiment(experiment::Args),
    Report(report::Args),
    Archive(archive::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        // Who closed the pipe has seen enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            notes::note(format_args!("error: {}", message(&error)));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    // This thread works in the pool too: it neither waits for others to wake up nor competes with them.
    let threads = cli.threads.map_or(0, usize::from);
    rayon::ThreadPoolBuilder::new().num_threads(threads).use_current_thread().build_global()?;
    match cli.command {
        Command::Train(args) => train::run(args),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Predict(args) => predict::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Convert(args) => convert::run(&args),
        Command::Embed(args) => embed::run(&args),
        Command::Score(args) => score::run(&args),
        Command::Experiment(args) => experiment::run(args),
        Command::Report(args) => report::run(&args),
        Command::Archive(args) => archive::run(&args),
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let kinds = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
    kinds.into_iter().any(|kind| kind == io::ErrorKind::BrokenPipe)
}

/// The error and its causes on one line; a cause that stands in the text before it is left out.
fn message(error: &anyhow::Error) -> String {
    let mut message = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        let cause = cause.lines().map(str::trim).collect::<Vec<_>>().join(" ");
        if message.is_empty() {
            message = cause;
        } else if !message.contains(&cause) {
            message = format!("{message}: {cause}");
        }
    }
    message
}

#[cfg(test)]
mod tests {
    use anyhow::Context;
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_message_says_nothing_twice() {
        let missing = || io::Error::new(io::ErrorKind::NotFound, "no such\n  file");
        let error = Err::<(), _>(missing()).context("a.json").unwrap_err();
        assert_eq!(message(&error), "a.json: no such file");
        let error = Err::<(), _>(missing()).context("a.json: no such file").unwrap_err();
        assert_eq!(message(&error), "a.json: no such file");
    }

    #[test]
    fn a_closed_pipe_is_told_from_other_errors() {
        let pipe = anyhow::Error::from(io::Error::from(io::ErrorKind::BrokenPipe)).context("out");
        assert!(is_broken_pipe(&pipe));
        assert!(!is_broken_pipe(&anyhow::Error::from(io::Error::from(io::ErrorKind::NotFound))));
    }
}
