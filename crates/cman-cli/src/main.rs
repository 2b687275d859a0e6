//! The command line: joint entity and relation extraction with the Cross-Modal Attention Network.
//!
//! Exit status: 0 for success, 1 for an error, 2 for wrong usage. Results, and the lines of a training run, go to standard
//! output, everything else to standard error. An error is one line; a hint may follow after a blank line.

mod archive;
mod args;
mod calibrate;
mod convert;
mod corpus;
mod embed;
mod evaluate;
mod experiment;
mod extract;
mod extract_args;
mod generate;
mod hint;
mod inspect;
mod losses;
mod model_folder;
mod notes;
mod output;
mod output_line;
mod package;
mod pre_annotation;
mod predict;
mod predictions;
mod progress;
mod report;
mod score;
mod sentences;
#[cfg(feature = "serve")]
mod serve;
mod split;
mod suggest;
mod train;
mod view;

use std::{
    io,
    process::ExitCode,
    sync::{Arc, atomic::AtomicBool},
};

use clap::{CommandFactory, Parser, Subcommand, error::ContextKind};
use cman_data::plain_types;
use signal_hook::consts::SIGABRT;

// The system allocator returns large buffers to the system on every free and pays for page faults on reuse.
#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Joint entity and relation extraction with the Cross-Modal Attention Network
#[derive(Parser)]
#[command(name = "cman", version, after_help = EXAMPLES)]
struct Cli {
    /// Threads for the CPU backends [default: one per core]
    #[arg(
        long,
        global = true,
        value_name = "N",
        env = "CMAN_THREADS",
        display_order = 1000,
        value_parser = clap::value_parser!(u16).range(1..)
    )]
    threads: Option<u16>,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Example:
  cman train --sample --epochs 4 --out model
  echo 'Mrs. Tsuruyama is from Kumamoto Prefecture in Japan.' | cman predict --model model";

#[derive(Subcommand)]
enum Command {
    Train(train::Args),
    Evaluate(evaluate::Args),
    Predict(predict::Args),
    Extract(Box<extract::Args>),
    Suggest(suggest::Args),
    Calibrate(calibrate::Args),
    Package(package::Args),
    Card(package::CardArgs),
    Inspect(inspect::Args),
    Convert(convert::Args),
    Split(split::Args),
    Embed(embed::Args),
    Score(score::Args),
    Experiment(experiment::Args),
    Report(report::Args),
    Archive(archive::Args),
    View(view::Args),
    Generate(generate::Args),
    #[cfg(feature = "serve")]
    Serve(Box<serve::Args>),
}

fn main() -> ExitCode {
    exit_on_abort();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return report_usage(&error),
    };
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader closed the pipe because it needs no more output.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            notes::note(format_args!("error: {}", message(&error)));
            if let Some(hint) = hint::find(&error) {
                notes::note(format_args!("\nhint: {hint}"));
            }
            ExitCode::FAILURE
        }
    }
}

/// Makes an abort an exit with status 1. The standard library aborts after it has reported an allocation that failed; the
/// checks before a batch is made cannot foresee every such allocation.
fn exit_on_abort() {
    let always = Arc::new(AtomicBool::new(true));
    // Without the handler, an abort has its usual status.
    let _ = signal_hook::flag::register_conditional_shutdown(SIGABRT, 1, always);
}

/// Prints clap's help, version or usage error, with a hint for an unknown device.
fn report_usage(error: &clap::Error) -> ExitCode {
    _ = error.print();
    if error.get(ContextKind::InvalidArg).is_some_and(|arg| arg.to_string().starts_with("--device")) {
        notes::note(format_args!("\nhint: {}", hint::devices()));
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

fn run(cli: Cli) -> anyhow::Result<()> {
    // The main thread is part of the pool, so it neither waits for workers to wake up nor competes with them. The thread of
    // a service has a pool of its own.
    let threads = cli.threads.map_or(0, usize::from);
    rayon::ThreadPoolBuilder::new().num_threads(threads).use_current_thread().build_global()?;
    match cli.command {
        Command::Train(args) => train::run(args),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Predict(args) => predict::run(&args),
        Command::Extract(args) => extract::run(&args),
        Command::Suggest(args) => suggest::run(&args),
        Command::Calibrate(args) => calibrate::run(&args),
        Command::Package(args) => package::run(&args),
        Command::Card(args) => package::run_card(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Convert(args) => convert::run(&args),
        Command::Split(args) => split::run(&args),
        Command::Embed(args) => embed::run(&args),
        Command::Score(args) => score::run(&args),
        Command::Experiment(args) => experiment::run(args),
        Command::Report(args) => report::run(&args),
        Command::Archive(args) => archive::run(&args),
        Command::View(args) => view::run(&args),
        Command::Generate(args) => generate::run(&args, Cli::command()),
        #[cfg(feature = "serve")]
        Command::Serve(args) => serve::run(&args, threads),
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let kinds = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
    kinds.into_iter().any(|kind| kind == io::ErrorKind::BrokenPipe)
}

/// The error and its causes on one line, without causes that the text already contains.
fn message(error: &anyhow::Error) -> String {
    let mut message = String::new();
    for cause in error.chain() {
        let cause = plain_types(&cause.to_string());
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
    use super::*;
    use anyhow::Context;

    #[test]
    fn the_arguments_are_valid() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_message_does_not_repeat_causes() {
        let missing = || io::Error::new(io::ErrorKind::NotFound, "no such\n  file");
        let error = Err::<(), _>(missing()).context("a.json").unwrap_err();
        assert_eq!(message(&error), "a.json: no such file");
        let error = Err::<(), _>(missing()).context("a.json: no such file").unwrap_err();
        assert_eq!(message(&error), "a.json: no such file");
    }

    #[test]
    fn a_closed_pipe_is_distinguished_from_other_errors() {
        let pipe = anyhow::Error::from(io::Error::from(io::ErrorKind::BrokenPipe)).context("out");
        assert!(is_broken_pipe(&pipe));
        assert!(!is_broken_pipe(&anyhow::Error::from(io::Error::from(io::ErrorKind::NotFound))));
    }
}
