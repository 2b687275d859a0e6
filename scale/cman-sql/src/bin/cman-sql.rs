//! Runs SQL queries that extract: in this process, or on a Ballista cluster.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Result, bail};
use clap::Parser;
use cman_sql::session;
use datafusion::{dataframe::DataFrameWriteOptions, prelude::DataFrame};

// The system allocator returns large buffers to the system on every free and pays for page faults on reuse.
#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// SQL with `cman_extract(text [, model])`, which finds entities and relations
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "\
Examples:
  cman-sql \"SELECT cman_extract('Ada Lovelace lived in London.')['entities'] AS entities\"
  cman-sql \"SELECT id, unnest(cman_extract(text)['entities']) AS entity FROM 'docs/*.parquet'\" --output entities.parquet
  cman-sql --scheduler df://localhost:50050 \"SELECT id, cman_extract(text, '/models/news') AS found FROM '/data/docs/'\" \\
    --output /data/found/"
)]
struct Args {
    /// Queries; the result of the last one is the output
    #[arg(value_name = "QUERY", required = true)]
    queries: Vec<String>,
    /// Scheduler of a cluster to run on; default: this process
    #[arg(long, value_name = "URL")]
    scheduler: Option<String>,
    /// File or folder to write, by its extension .parquet, .json (one object per line) or .csv; a folder has Parquet files;
    /// default: a table on standard output
    #[arg(long, value_name = "PATH")]
    output: Option<PathBuf>,
    /// Partitions that are read side by side in this process [default: one per core]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    partitions: usize,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &Args) -> Result<()> {
    let session = match &args.scheduler {
        Some(url) => session::remote(url).await?,
        None => session::local(args.partitions)?,
    };
    let (last, first) = args.queries.split_last().expect("clap requires one");
    for query in first {
        session.sql(query).await?.collect().await?;
    }
    let found = session.sql(last).await?;
    match &args.output {
        None => Ok(found.show().await?),
        Some(path) => write(found, path).await,
    }
}

async fn write(found: DataFrame, path: &Path) -> Result<()> {
    let options = DataFrameWriteOptions::new();
    let Some(name) = path.to_str() else { bail!("{}: a path that is not UTF-8", path.display()) };
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("json") => found.write_json(name, options, None).await?,
        Some("csv") => found.write_csv(name, options, None).await?,
        Some("parquet") | None => found.write_parquet(name, options, None).await?,
        Some(other) => bail!("{}: expected .parquet, .json or .csv, found .{other}", path.display()),
    };
    Ok(())
}
