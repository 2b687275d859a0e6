//! Sessions that have the function.

use std::sync::Arc;

use ballista::prelude::SessionContextExt;
use ballista_core::{
    object_store::{S3Options, runtime_env_with_s3_support, session_state_with_s3_support, state_with_s3_support},
    registry::BallistaFunctionRegistry,
};
use datafusion::{
    error::Result,
    execution::{FunctionRegistry, SessionState, SessionStateBuilder},
    prelude::{SessionConfig, SessionContext},
};

use crate::function;

/// A session of this process, with so many partitions; 0 is one per core. A path in quotes is a table, and so is a URL of
/// `s3://`, `http://` or `https://`.
///
/// # Errors
/// Those of DataFusion.
pub fn local(partitions: usize) -> Result<SessionContext> {
    let config = SessionConfig::new().with_information_schema(true).with_option_extension(S3Options::default());
    let config = if partitions == 0 { config } else { config.with_target_partitions(partitions) };
    let runtime = runtime_env_with_s3_support(&config)?;
    let state =
        SessionStateBuilder::new().with_config(config).with_runtime_env(runtime).with_default_features().build();
    Ok(prepared(SessionContext::new_with_state(state)))
}

/// A session whose queries run on the cluster of a scheduler, such as `df://localhost:50050`.
///
/// # Errors
/// Those of Ballista.
pub async fn remote(scheduler: &str) -> Result<SessionContext> {
    // A state loses its functions when it becomes that of a cluster's client, so they are registered afterwards.
    Ok(prepared(SessionContext::remote_with_state(scheduler, state_with_s3_support()?).await?))
}

fn prepared(session: SessionContext) -> SessionContext {
    let session = session.enable_url_table();
    session.register_udf(function());
    session
}

/// The state of a session on a scheduler.
///
/// # Errors
/// Those of DataFusion.
pub fn of_scheduler(config: SessionConfig) -> Result<SessionState> {
    let mut state = session_state_with_s3_support(config)?;
    state.register_udf(Arc::new(function()))?;
    Ok(state)
}

/// The functions of an executor.
pub fn of_executor() -> BallistaFunctionRegistry {
    let mut registry = BallistaFunctionRegistry::default();
    let function = Arc::new(function());
    registry.scalar_functions.insert(function.name().to_owned(), function);
    registry
}
