//! Sessions: in this process, on a cluster, and inside the processes of a cluster.

use std::{path::Path, sync::Arc};

use ballista::prelude::{SessionConfigExt, SessionContextExt};
use datafusion::{
    catalog::{DynamicFileCatalog, UrlTableFactory},
    common::Result,
    execution::{SessionState, SessionStateBuilder, runtime_env::RuntimeEnv, runtime_env::RuntimeEnvBuilder},
    prelude::{SessionConfig, SessionContext},
};

use crate::{function::cman_extract, stores::EnvStores, tables::FileTables};

/// Rows that are extracted from together. A row takes about a thousand times as long as in other functions, so batches
/// are small: all threads get some, and an interruption loses little.
const ROWS: usize = 256;

/// Files that are larger are divided by their row groups, in bytes.
const DIVIDED: usize = 64 * 1024;

/// A session in this process whose queries run on `threads` threads. It has the function
/// [`cman_extract`](crate::cman_extract), files as tables, and the object stores of [`EnvStores`].
///
/// # Errors
/// Those of DataFusion.
pub fn embedded(threads: usize) -> Result<SessionContext> {
    let config = SessionConfig::new().with_information_schema(true).with_target_partitions(threads.max(1));
    Ok(SessionContext::new_with_state(with_files(state(sized(config))?)))
}

/// A session whose queries run on the Ballista cluster of a scheduler, such as `df://localhost:50050`. A query is
/// divided into at most `partitions` parts.
///
/// # Errors
/// For a URL that is none. Whether there is a scheduler shows the first query.
pub async fn cluster(scheduler: &str, partitions: usize) -> Result<SessionContext> {
    let config = SessionConfig::new_with_ballista().with_target_partitions(partitions.max(1));
    let state = with_files(state(sized(config))?);
    let context = SessionContext::remote_with_state(scheduler, state).await?;
    // `remote_with_state` replaces the functions by Ballista's.
    context.register_udf(cman_extract());
    Ok(context)
}

/// The state of a session with the function [`cman_extract`](crate::cman_extract) and the object stores of
/// [`EnvStores`].
///
/// # Errors
/// Those of DataFusion.
pub fn state(config: SessionConfig) -> Result<SessionState> {
    let mut state =
        SessionStateBuilder::new().with_config(config).with_runtime_env(runtime(None)?).with_default_features().build();
    datafusion::execution::FunctionRegistry::register_udf(&mut state, Arc::new(cman_extract()))?;
    Ok(state)
}

/// The runtime of a session. What does not fit into memory goes to `spill`, or else to the folder for temporary files.
pub(crate) fn runtime(spill: Option<&Path>) -> Result<Arc<RuntimeEnv>> {
    let builder = RuntimeEnvBuilder::new().with_object_store_registry(Arc::new(EnvStores::default()));
    match spill {
        Some(folder) => builder.with_temp_file_path(folder).build_arc(),
        None => builder.build_arc(),
    }
}

fn sized(mut config: SessionConfig) -> SessionConfig {
    config.options_mut().optimizer.repartition_file_min_size = DIVIDED;
    config.with_batch_size(ROWS)
}

fn with_files(state: SessionState) -> SessionState {
    let factory: Arc<dyn UrlTableFactory> = Arc::new(FileTables::new(state.clone()));
    let catalogs = Arc::new(DynamicFileCatalog::new(Arc::clone(state.catalog_list()), factory));
    SessionStateBuilder::new_from_existing(state).with_catalog_list(catalogs).build()
}
