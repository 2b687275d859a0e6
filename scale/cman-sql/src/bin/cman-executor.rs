//! The executor of a Ballista cluster that knows the function `cman_extract`. Its options are those of Ballista's own.

use clap::Parser;
use tracing_subscriber::EnvFilter;

#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    let args = ballista_executor::config::Config::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(&args.log_level_setting));
    tracing_subscriber::fmt().with_ansi(false).with_env_filter(filter).init();
    // Plans recurse as deeply as queries do.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(32 * 1024 * 1024).build()?;
    Ok(runtime.block_on(cman_sql::executor(args))?)
}
