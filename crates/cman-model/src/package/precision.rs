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
    let rounded = convert(&bytes, Dtype::F32, Dtype::F16, |four, to| {
        let value = f32::from_le_bytes(*four.as_array().expect("four bytes"));
        let rounded = f16::from_f32(value);
        to.extend_from_slice(&rounded.to_le_bytes());
        rounded.is_finite() || !value.is_finite()
    });
    let rounded = rounded.map_err(|reason| ModelError::directory(path, reason))?;
    fs::write(path, rounded).map_err(|source| ModelError::io(path, source))
}

/// The bytes of a weights file in single precision. A file in single precision stays as it is.
///
/// # Errors
/// Bytes that are no weights file.
pub(crate) fn widen(bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    let is_half =
        SafeTensors::deserialize(&bytes).map_err(described)?.iter().any(|(_, tensor)| tensor.dtype() == Dtype::F16);
    if !is_half {
        return Ok(bytes);
    }
    convert(&bytes, Dtype::F16, Dtype::F32, |two, to| {
        let value = f16::from_le_bytes(*two.as_array().expect("two bytes"));
        to.extend_from_slice(&value.to_f32().to_le_bytes());
        true
    })
}

fn described(error: SafeTensorError) -> String {
    format!("SafeTensors error: {error}")
}

/// Converts the tensors of one type to another one. `convert` appends a value, and says whether it can be represented.
fn convert(
    bytes: &[u8],
    from: Dtype,
    to: Dtype,
    convert: impl Fn(&[u8], &mut Vec<u8>) -> bool,
) -> Result<Vec<u8>, String> {
    let file = SafeTensors::deserialize(bytes).map_err(described)?;
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(described)?;
    let mut tensors = Vec::new();
    for (name, tensor) in file.iter() {
        let (dtype, data) = if tensor.dtype() == from {
            let mut values = Vec::with_capacity(tensor.data().len() * to.bitsize() / from.bitsize());
            for value in tensor.data().chunks_exact(from.bitsize() / 8) {
                if !convert(value, &mut values) {
                    return Err(format!("tensor '{name}': a weight is too large for half precision"));
                }
            }
            (to, Cow::Owned(values))
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

    fn values(bytes: &[u8]) -> Vec<f32> {
        let file = SafeTensors::deserialize(bytes).unwrap();
        let tensor = file.tensor("a").unwrap();
        assert_eq!(tensor.dtype(), Dtype::F32);
        tensor.data().chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect()
    }

    #[test]
    fn weights_are_rounded_to_half_precision_and_widened_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w");
        let given = [0.0, -1.5, 0.1, 65504.0, 1e-7];
        fs::write(&path, file(&given)).unwrap();
        halve(&path).unwrap();
        let halved = fs::read(&path).unwrap();
        assert!(halved.len() < file(&given).len());
        let expected = given.map(|value| f16::from_f32(value).to_f32());
        assert_eq!(values(&widen(halved).unwrap()), expected);
        assert_ne!(expected[2], 0.1);
        assert_eq!(widen(file(&given)).unwrap(), file(&given));
        fs::write(&path, file(&[1e6])).unwrap();
        assert!(
            halve(&path).unwrap_err().to_string().ends_with("tensor 'a': a weight is too large for half precision")
        );
        assert!(widen(vec![0; 9]).is_err());
    }
}
