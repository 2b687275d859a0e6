//! The models of this process.

use std::{
    collections::HashMap,
    env,
    path::Path,
    sync::{Arc, LazyLock, Mutex, OnceLock},
};

use burn_ragged::DeviceKind;
use cman_model::{Extractor, LoadOptions, Model, ModelError};

/// The variable that names the model of a query that names none.
const MODEL: &str = "CMAN_MODEL";

type Loaded = Arc<OnceLock<Result<Extractor, String>>>;

/// Models by their path. Each is loaded by the first thread that asks for it, and shared by all.
static MODELS: LazyLock<Mutex<HashMap<String, Loaded>>> = LazyLock::new(Mutex::default);

/// The extractor of the model directory or package `path`; without a path, that of the variable `CMAN_MODEL`, else the demo
/// model.
///
/// # Errors
/// Why the model cannot be loaded. It is not tried again in this process.
pub fn extractor(path: Option<&str>) -> Result<Extractor, String> {
    let variable = env::var(MODEL).ok();
    let name = path.or(variable.as_deref()).unwrap_or_default().to_owned();
    let loaded =
        Arc::clone(MODELS.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).entry(name.clone()).or_default());
    // The lock of the map is free while a model is loaded.
    loaded.get_or_init(|| load(&name).map_err(|error| error.to_string())).clone()
}

fn load(path: &str) -> Result<Extractor, ModelError> {
    let device = DeviceKind::Flex.device().expect("the backend is part of the program");
    let model = match path {
        "" => Model::from_package(cman_demo::PACKAGE, &device, &LoadOptions::default())?,
        path => Model::load(Path::new(path), &device)?,
    };
    Ok(Extractor::new(model))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_loaded_once_for_all_threads() {
        let models = std::thread::scope(|scope| {
            let threads = [(); 4].map(|()| scope.spawn(|| extractor(None).unwrap()));
            threads.map(|thread| std::ptr::from_ref(thread.join().unwrap().model()).addr())
        });
        assert_eq!(models, [models[0]; 4]);
    }

    #[test]
    fn a_model_that_is_missing_is_named() {
        assert!(extractor(Some("no/such/model")).unwrap_err().contains("no/such/model"));
    }
}
