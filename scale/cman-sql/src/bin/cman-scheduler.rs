//! The scheduler of a Ballista cluster that has `cman_extract`. Its options are those of Ballista's own program.

use std::{env, net::SocketAddr, sync::Arc};

use anyhow::{Context, Result};
use ballista_core::object_store::session_config_with_s3_support;
use ballista_scheduler::{
    cluster::BallistaCluster,
    config::{Config, SchedulerConfig},
    scheduler_process::start_server,
};
use clap::Parser;
use tracing_subscriber::EnvFilter;

/// Stack of the threads. Plans are trees, and their visitors recursive.
const STACK: usize = 32 << 20;

fn main() -> Result<()> {
    let options = Config::parse();
    let level = env::var(EnvFilter::DEFAULT_ENV).unwrap_or_else(|_| options.log_level_setting.clone());
    tracing_subscriber::fmt().with_ansi(false).with_env_filter(EnvFilter::new(level)).init();
    let address = format!("{}:{}", options.bind_host, options.bind_port);
    let address: SocketAddr = address.parse().with_context(|| format!("{address}: expected an address and a port"))?;
    let config: SchedulerConfig = options.try_into()?;
    let config = config
        .with_override_config_producer(Arc::new(session_config_with_s3_support))
        .with_override_session_builder(Arc::new(cman_sql::session::of_scheduler));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(STACK).build()?;
    runtime.block_on(async {
        let cluster = BallistaCluster::new_from_config(&config).await?;
        Ok(start_server(cluster, address, Arc::new(config)).await?)
    })
}
