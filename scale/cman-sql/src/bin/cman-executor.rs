//! An executor of a Ballista cluster that has `cman_extract`. Its options are those of Ballista's own program.

use std::{env, sync::Arc};

use ballista_core::{
    error::Result,
    object_store::{runtime_env_with_s3_support, session_config_with_s3_support},
};
use ballista_executor::{
    config::Config,
    executor_process::{ExecutorProcessConfig, start_executor_process},
};
use clap::Parser;
use tracing_subscriber::EnvFilter;

// The system allocator returns large buffers to the system on every free and pays for page faults on reuse.
#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> Result<()> {
    let mut config: ExecutorProcessConfig = Config::parse().try_into()?;
    let level = env::var(EnvFilter::DEFAULT_ENV).unwrap_or_else(|_| config.special_mod_log_level.clone());
    tracing_subscriber::fmt().with_ansi(false).with_env_filter(EnvFilter::new(level)).init();
    config.override_config_producer = Some(Arc::new(session_config_with_s3_support));
    config.override_runtime_producer = Some(Arc::new(runtime_env_with_s3_support));
    config.override_function_registry = Some(Arc::new(cman_sql::session::of_executor()));
    start_executor_process(Arc::new(config)).await
}
