//! The weights, in the published HDF5 format or converted to safetensors.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use safetensors::{Dtype, SafeTensors};

use crate::error::EncoderError;

/// A file of named tensors. In both formats, the names are the paths of the HDF5 file.
pub(super) struct Weights {
    path: PathBuf,
    file: File,
    shapes: BTreeMap<String, Vec<usize>>,
}

enum File {
    Hdf5(hdf5_pure::File),
    Safetensors(Vec<u8>),
}

impl Weights {
    /// Opens a file. Its content determines the format.
    pub fn open(path: &Path) -> Result<Self, EncoderError> {
        let bytes = fs::read(path).map_err(|source| EncoderError::io(path, source))?;
        let mut shapes = BTreeMap::new();
        let file = if hdf5_pure::is_hdf5_bytes(&bytes) {
            let damaged =
                |error: hdf5_pure::Error| EncoderError::format(path, format!("not a readable HDF5 file: {error}"));
            let file = hdf5_pure::File::from_bytes(bytes).map_err(damaged)?;
            list(&file.root(), "", &mut shapes).map_err(damaged)?;
            File::Hdf5(file)
        } else {
            let tensors = SafeTensors::deserialize(&bytes)
                .map_err(|error| EncoderError::format(path, format!("neither HDF5 nor safetensors: {error}")))?;
            shapes.extend(tensors.iter().map(|(name, tensor)| (name.to_owned(), tensor.shape().to_vec())));
            File::Safetensors(bytes)
        };
        Ok(Self { path: path.into(), file, shapes })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.shapes.get(name).map(Vec::as_slice)
    }

    /// One more than the largest index that follows `prefix` in a name.
    pub fn count(&self, prefix: &str) -> Option<usize> {
        let indices = self.shapes.keys().filter_map(|name| {
            let rest = name.strip_prefix(prefix)?;
            rest.split('/').next()?.parse::<usize>().ok()
        });
        indices.max().map(|i| i + 1)
    }

    /// The values of a tensor, in row-major order.
    pub fn read(&self, name: &str, expected: &[usize]) -> Result<Vec<f32>, EncoderError> {
        let path = || self.path.clone();
        let missing = || EncoderError::MissingTensor { path: path(), tensor: name.into() };
        let found = self.shape(name).ok_or_else(missing)?;
        if found != expected {
            let (expected, found) = (expected.to_vec(), found.to_vec());
            return Err(EncoderError::Shape { path: path(), tensor: name.into(), expected, found });
        }
        let damaged = |reason: String| EncoderError::format(&self.path, format!("tensor '{name}': {reason}"));
        let values = match &self.file {
            File::Hdf5(file) => {
                let read = file.dataset(name).and_then(|dataset| dataset.read_f32());
                read.map_err(|error| damaged(error.to_string()))?
            }
            File::Safetensors(bytes) => {
                let tensor = SafeTensors::deserialize(bytes).and_then(|tensors| {
                    let tensor = tensors.tensor(name)?;
                    Ok((tensor.dtype(), tensor.data()))
                });
                match tensor.map_err(|error| damaged(error.to_string()))? {
                    (Dtype::F32, data) => data.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect(),
                    (dtype, _) => return Err(damaged(format!("expected type F32, found {dtype:?}"))),
                }
            }
        };
        if values.len() != expected.iter().product::<usize>() {
            return Err(damaged(format!("expected {expected:?} values, found {}", values.len())));
        }
        if let Some(i) = values.iter().position(|x| !x.is_finite()) {
            return Err(damaged(format!("value {i} is {}", values[i])));
        }
        Ok(values)
    }
}

/// Adds the shapes of all datasets in a group, by their paths.
fn list(
    group: &hdf5_pure::Group,
    prefix: &str,
    shapes: &mut BTreeMap<String, Vec<usize>>,
) -> Result<(), hdf5_pure::Error> {
    for name in group.datasets()? {
        let shape = group.dataset(&name)?.shape()?;
        shapes.insert(format!("{prefix}{name}"), shape.into_iter().map(|n| n as usize).collect());
    }
    for name in group.groups()? {
        list(&group.group(&name)?, &format!("{prefix}{name}/"), shapes)?;
    }
    Ok(())
}
