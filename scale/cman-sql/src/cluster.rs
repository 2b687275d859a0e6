//! The processes of a Ballista cluster that know the function `cman_extract`.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use ballista::prelude::SessionConfigExt;
use ballista_core::{
    error::{BallistaError, Result},
    registry::BallistaFunctionRegistry,
};
use ballista_executor::{
    config::Config as ExecutorArgs,
    executor_process::{ExecutorProcessConfig, start_executor_process},
    health::spawn_health_server,
};
use ballista_scheduler::{
    cluster::BallistaCluster,
    config::{Config as SchedulerArgs, SchedulerConfig},
    scheduler_process::start_server,
};
use datafusion::prelude::SessionConfig;
use tokio::sync::oneshot;

use crate::session::{runtime, state};

/// Runs a scheduler until the process is stopped.
///
/// # Errors
/// For an invalid setting, or a port that is in use.
pub async fn scheduler(args: SchedulerArgs) -> Result<()> {
    let address = address(&args.bind_host, args.bind_port)?;
    let config: SchedulerConfig = args.try_into()?;
    let config = config
        .with_override_config_producer(Arc::new(SessionConfig::new_with_ballista))
        .with_override_session_builder(Arc::new(state));
    let cluster = BallistaCluster::new_from_config(&config).await?;
    start_server(cluster, address, Arc::new(config)).await
}

/// Runs an executor until the process is stopped. A model is loaded when the first query asks for it.
///
/// # Errors
/// For an invalid setting, a port that is in use, or a scheduler that cannot be reached.
pub async fn executor(args: ExecutorArgs) -> Result<()> {
    let health_address = address(&args.bind_host, args.bind_health_port)?;
    let mut config: ExecutorProcessConfig = args.try_into()?;
    let functions = state(SessionConfig::new_with_ballista())?;
    config.override_function_registry = Some(Arc::new(BallistaFunctionRegistry::from(&functions)));
    config.override_config_producer = Some(Arc::new(SessionConfig::new_with_ballista));
    let spill = config.work_dir.clone().map(PathBuf::from);
    config.override_runtime_producer = Some(Arc::new(move |_: &SessionConfig| runtime(spill.as_deref())));
    let (stop, stopped) = oneshot::channel();
    let health = spawn_health_server(health_address, config.health.clone(), stopped);
    let result = start_executor_process(Arc::new(config)).await;
    // The server for health is gone already if its port was in use.
    let _ = stop.send(());
    match health.await {
        Ok(Err(error)) if result.is_ok() => Err(error),
        _ => result,
    }
}

fn address(host: &str, port: u16) -> Result<SocketAddr> {
    format!("{host}:{port}")
        .parse::<SocketAddr>()
        .map_err(|error| BallistaError::Configuration(format!("{host}:{port} is no address: {error}")))
}
