//! The command `cman-sql`: SQL with the function `cman_extract` over files, in this process or on a Ballista cluster.
//!
//! Exit status: 0 for success, 1 for an error, 2 for wrong usage, 130 after Ctrl-C. Results go to standard output,
//! everything else to standard error.

use std::{
    io::{self, IsTerminal, Write},
    num::NonZero,
    path::{Path, PathBuf},
    process::ExitCode,
    thread,
    time::Instant,
};

use clap::{Parser, ValueEnum};
use cman_sql::{Format, Output, SqlError, Statements, cluster, embedded, hint};
use tracing_subscriber::EnvFilter;

#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// SQL over files, with entities and relations from their texts
#[derive(Parser)]
#[command(version, after_help = EXAMPLES)]
struct Args {
    /// Statements; the last one gives the result
    #[arg(required = true)]
    sql: Vec<String>,
    /// Write the result to this .parquet or .jsonl file, or into this folder, instead of printing a table
    #[arg(long, short)]
    output: Option<PathBuf>,
    /// The format of the files in a folder
    #[arg(long, value_enum, default_value = "parquet")]
    format: FormatArg,
    /// Rows per file in a folder
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    rows_per_file: u64,
    /// Most rows that are printed
    #[arg(long, default_value_t = 1000)]
    rows: usize,
    /// Threads [default: one per core]
    #[arg(long)]
    threads: Option<NonZero<usize>>,
    /// Run on the Ballista cluster of this scheduler, such as df://localhost:50050
    #[arg(long, env = "CMAN_SCHEDULER")]
    scheduler: Option<String>,
    /// Parts into which a query on a cluster is divided: several times the number of its cores
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=65_536))]
    partitions: u64,
    /// How often a query on a cluster is run again after it failed
    #[arg(long, default_value_t = 2)]
    retries: usize,
}

const EXAMPLES: &str = "Examples:
  cman-sql \"SELECT id, cman_extract(text) AS found FROM 'docs.parquet'\" --output found.parquet
  cman-sql \"SELECT id, entity['type'], entity['text'] FROM
      (SELECT id, unnest(cman_extract(text, 'model')['entities']) AS entity FROM 'docs/*.jsonl')\"
  cman-sql --scheduler df://localhost:50050 \"SELECT count(*) FROM 's3://bucket/docs/'\"

Without a second argument, cman_extract takes the model that CMAN_MODEL names, or else a small demo model.";

#[derive(Clone, Copy, ValueEnum)]
enum FormatArg {
    Parquet,
    Jsonl,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("off"));
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_env_filter(filter)
        .init();
    match start(args) {
        Ok(status) => status,
        Err(error) => {
            eprintln!("error: {error}");
            if let Some(hint) = error.downcast_ref::<SqlError>().and_then(hint) {
                eprintln!("\nhint: {hint}");
            }
            ExitCode::FAILURE
        }
    }
}

fn start(args: Args) -> anyhow::Result<ExitCode> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let threads = args.threads.map_or(cores, NonZero::get);
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    // Deep queries recurse while they are planned.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_stack_size(16 * 1024 * 1024)
        .enable_all()
        .build()?;
    let status = runtime.block_on(async {
        tokio::select! {
            result = run(args, threads) => result.map(|()| ExitCode::SUCCESS),
            _ = tokio::signal::ctrl_c() => Ok(ExitCode::from(130)),
        }
    });
    // What still computes after Ctrl-C is not waited for.
    runtime.shutdown_background();
    status
}

async fn run(args: Args, threads: usize) -> anyhow::Result<()> {
    let started = Instant::now();
    let context = match &args.scheduler {
        Some(scheduler) => cluster(scheduler, usize::try_from(args.partitions)?).await,
        None => embedded(threads),
    };
    let context = context.map_err(SqlError::Plan)?;
    let retries = if args.scheduler.is_some() { args.retries } else { 0 };
    let statements = Statements::new(args.sql)?.with_retries(retries);
    let Some(target) = args.output else {
        let shown = statements.show(&context, args.rows, &mut io::stdout().lock()).await?;
        if shown.is_cut {
            eprintln!("These are the first {} rows. --rows shows more, --output writes all.", shown.rows);
        }
        return Ok(());
    };
    let format = match args.format {
        FormatArg::Parquet => Format::Parquet,
        FormatArg::Jsonl => Format::JsonLines,
    };
    let begin = || match is_folder(&target) {
        true => Output::folder(&target, format, args.rows_per_file),
        false => Output::file(&target),
    };
    let written = statements.write(&context, begin).await?;
    let seconds = started.elapsed().as_secs_f64();
    writeln!(
        io::stderr(),
        "{}: {} rows in {seconds:.2} s, {:.0} rows per second",
        target.display(),
        written.rows,
        written.rows as f64 / seconds
    )?;
    Ok(())
}

/// Whether an output is a folder: it is one already, or its name has no extension.
fn is_folder(target: &Path) -> bool {
    target.is_dir() || target.extension().is_none()
}
