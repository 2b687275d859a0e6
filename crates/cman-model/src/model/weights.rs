//! Reads and writes the weights of a network.

use std::{collections::BTreeMap, fs, path::Path};

use burn::{
    module::{Module, ModuleMapper, Param},
    store::{ModuleSnapshot, SafetensorsStore},
    tensor::{DType, Tensor, TensorData},
};
use cman_core::Cman;
use half::f16;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use crate::error::ModelError;

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

/// Reads weights in single or half precision into a network of the same shape.
pub(super) fn load(network: Cman, path: &Path) -> Result<Cman, ModelError> {
    let fail = |reason: String| ModelError::directory(path, reason);
    let bytes = fs::read(path).map_err(|source| ModelError::io(path, source))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|error| fail(format!("SafeTensors error: {error}")))?;
    let mut reader = Reader { tensors: file.iter().collect(), path: Vec::new(), fault: None };
    let network = network.map(&mut reader);
    if let Some(reason) = reader.fault {
        return Err(fail(reason));
    }
    if let Some(name) = reader.tensors.keys().next() {
        return Err(fail(format!("weights for '{name}', which are not part of the configured network")));
    }
    Ok(network)
}

/// Gives each parameter its tensor of a file.
struct Reader<'a> {
    /// What no parameter has taken.
    tensors: BTreeMap<&'a str, TensorView<'a>>,
    /// The names of the modules around the parameter.
    path: Vec<String>,
    /// Why the weights cannot be used.
    fault: Option<String>,
}

impl Reader<'_> {
    /// The weights of the parameter `name`, as many as `shape` has.
    fn take(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, String> {
        let tensor = self.tensors.remove(name).ok_or_else(|| format!("no weights for '{name}'"))?;
        if tensor.shape() != shape {
            let found = tensor.shape();
            let reason = format!("the shape of '{name}' is {found:?}, expected {shape:?}");
            return Err(format!("the weights do not fit the configuration: {reason}"));
        }
        let bytes = tensor.data();
        let values: Vec<f32> = match tensor.dtype() {
            Dtype::F32 => bytes.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect(),
            Dtype::F16 => bytes.as_chunks().0.iter().map(|two| f16::from_le_bytes(*two).to_f32()).collect(),
            other => return Err(format!("the weights of '{name}' are of type {other:?}, expected F32 or F16")),
        };
        // Counting has no branch in its loop, which is faster than `all`.
        match values.iter().filter(|value| !value.is_finite()).count() {
            0 => Ok(values),
            _ => Err(format!("the weights of '{name}' are not finite")),
        }
    }
}

impl ModuleMapper for Reader<'_> {
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

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.fault.is_some() {
            return param;
        }
        let (id, shape, device) = (param.id, param.lazy_shape(), param.lazy_device());
        match self.take(&self.path.join("."), &shape) {
            Ok(values) => {
                let tensor = Tensor::from_data(TensorData::new(values, shape), (&device, DType::F32));
                param.transform_for_load(tensor, id)
            }
            Err(reason) => {
                self.fault = Some(reason);
                param
            }
        }
    }
}
