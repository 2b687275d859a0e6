//! Reads and writes the weights of a network.

use std::{fs, path::Path};

use burn::{
    module::{Module, ModuleVisitor, Param},
    store::{ModuleSnapshot, SafetensorsStore},
    tensor::Tensor,
};
use cman_core::Cman;
use half::f16;

use crate::{error::ModelError, package};

/// Writes the weights of a network.
pub(super) fn save(network: &Cman, path: &Path) -> Result<(), ModelError> {
    let mut store = SafetensorsStore::from_file(path).overwrite(true).skip_enum_variants(true);
    // A single entry: the order of several would vary, and equal weights must give equal files.
    store = store.clear_metadata().metadata("format", "safetensors");
    network.save_into(&mut store).map_err(|error| ModelError::directory(path, error.to_string()))
}

/// Refuses a file that is too small for `least` weights, before memory is allocated for them.
pub(super) fn check_size(path: &Path, least: f64) -> Result<(), ModelError> {
    let metadata = fs::metadata(path).map_err(|source| ModelError::io(path, source))?;
    if metadata.is_dir() {
        return Err(ModelError::directory(path, "expected a file, found a directory"));
    }
    let bytes = metadata.len();
    let expected = least * size_of::<f16>() as f64;
    if bytes as f64 >= expected {
        return Ok(());
    }
    let reason = format!("the weights do not fit the configuration: {bytes} bytes, expected at least {expected}");
    Err(ModelError::directory(path, reason))
}

/// Reads weights into a network of the same shape.
pub(super) fn load(network: &mut Cman, path: &Path) -> Result<(), ModelError> {
    let fail = |reason: String| ModelError::directory(path, reason);
    let bytes = fs::read(path).map_err(|source| ModelError::io(path, source))?;
    let bytes = package::widen(bytes).map_err(fail)?;
    let mut store = SafetensorsStore::from_bytes(Some(bytes)).allow_partial(true).validate(false);
    store = store.skip_enum_variants(true);
    let result = network.load_from(&mut store).map_err(|error| fail(error.to_string()))?;
    if let Some(error) = result.errors.first() {
        return Err(fail(format!("the weights do not fit the configuration: {error}")));
    }
    if let Some((name, _)) = result.missing.first() {
        return Err(fail(format!("no weights for '{name}'")));
    }
    if let Some(name) = result.unused.first() {
        return Err(fail(format!("weights for '{name}', which are not part of the configured network")));
    }
    if let Some(name) = not_finite(network) {
        return Err(fail(format!("the weights of '{name}' are not finite")));
    }
    Ok(())
}

/// The name of the first parameter that holds NaN or infinity.
fn not_finite(network: &Cman) -> Option<String> {
    struct Finite {
        path: Vec<String>,
        bad: Option<String>,
    }
    impl ModuleVisitor for Finite {
        // Names in the file do not include enum variants.
        fn enter_module(&mut self, name: &str, container: &str) {
            if !container.starts_with("Enum:") {
                self.path.push(name.into());
            }
        }
        fn exit_module(&mut self, _name: &str, container: &str) {
            if !container.starts_with("Enum:") {
                self.path.pop();
            }
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if self.bad.is_none() && !param.val().is_finite().all().into_scalar::<bool>() {
                self.bad = Some(self.path.join("."));
            }
        }
    }
    let mut visitor = Finite { path: Vec::new(), bad: None };
    network.visit(&mut visitor);
    visitor.bad
}
