//! Weights in half precision.

use std::{borrow::Cow, fs, path::Path};

use half::f16;
use safetensors::{Dtype, SafeTensorError, SafeTensors, View, serialize};

use crate::error::ModelError;

/// Rounds the weights of a file to half precision.
///
/// # Errors
/// A file that is no weights file; a weight that is too large for half precision.
pub(super) fn halve(path: &Path) -> Result<(), ModelError> {
    let bytes = fs::read(path).map_err(|source| ModelError::io(path, source))?;
    let halved = halved(&bytes).map_err(|reason| ModelError::directory(path, reason))?;
    fs::write(path, halved).map_err(|source| ModelError::io(path, source))
}

fn halved(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let described = |error: SafeTensorError| format!("SafeTensors error: {error}");
    let file = SafeTensors::deserialize(bytes).map_err(described)?;
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(described)?;
    let mut tensors = Vec::new();
    for (name, tensor) in file.iter() {
        let (dtype, data) = if tensor.dtype() == Dtype::F32 {
            let mut halves = Vec::with_capacity(tensor.data().len() / 2);
            for four in tensor.data().as_chunks().0 {
                let value = f32::from_le_bytes(*four);
                let half = f16::from_f32(value);
                if value.is_finite() && !half.is_finite() {
                    return Err(format!("tensor '{name}': a weight is too large for half precision"));
                }
                halves.extend_from_slice(&half.to_le_bytes());
            }
            (Dtype::F16, Cow::Owned(halves))
        } else {
            (tensor.dtype(), Cow::Borrowed(tensor.data()))
        };
        tensors.push((name, Values { dtype, shape: tensor.shape().to_vec(), data }));
    }
    serialize(tensors, header.metadata().clone()).map_err(described)
}

/// A tensor to write.
struct Values<'a> {
    dtype: Dtype,
    shape: Vec<usize>,
    data: Cow<'a, [u8]>,
}

impl View for Values<'_> {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.data)
    }

    fn data_len(&self) -> usize {
        self.data.len()
    }
}

#[cfg(test)]
mod tests {
    use safetensors::tensor::TensorView;

    use super::*;

    fn file(values: &[f32]) -> Vec<u8> {
        let data: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let view = TensorView::new(Dtype::F32, vec![values.len()], &data).unwrap();
        serialize([("a", view)], None).unwrap()
    }

    #[test]
    fn weights_are_rounded_to_half_precision() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w");
        let given = [0.0, -1.5, 0.1, 65504.0, 1e-7];
        fs::write(&path, file(&given)).unwrap();
        halve(&path).unwrap();
        let bytes = fs::read(&path).unwrap();
        let tensor = SafeTensors::deserialize(&bytes).unwrap();
        let tensor = tensor.tensor("a").unwrap();
        let expected: Vec<u8> = given.iter().flat_map(|value| f16::from_f32(*value).to_le_bytes()).collect();
        assert_eq!((tensor.dtype(), tensor.data()), (Dtype::F16, &*expected));
        fs::write(&path, file(&[1e6])).unwrap();
        assert!(
            halve(&path).unwrap_err().to_string().ends_with("tensor 'a': a weight is too large for half precision")
        );
        fs::write(&path, [0; 9]).unwrap();
        assert!(halve(&path).is_err());
    }
}
