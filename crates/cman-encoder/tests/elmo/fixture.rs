//! The tiny random ELMo of this folder, and copies of it that a test may damage.

use std::{
    fs,
    path::{Path, PathBuf},
};

use cman_encoder::{Elmo, EncoderError};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde_json::Value;

use crate::common::cpu_device;

/// The folder of the tiny ELMo.
pub fn tiny() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/elmo")
}

/// The tiny ELMo on the first CPU device.
pub fn load_tiny() -> Elmo {
    Elmo::load_dir(&tiny(), &cpu_device()).unwrap()
}

/// The largest absolute difference. NaN counts as the largest.
pub fn max_difference(found: &[f32], expected: impl ExactSizeIterator<Item = f64>) -> f64 {
    assert_eq!(found.len(), expected.len());
    let differences = found.iter().zip(expected).map(|(&a, b)| (f64::from(a) - b).abs());
    differences.fold(0.0, |max, difference| if difference > max || difference.is_nan() { difference } else { max })
}

/// Sentences as [`Elmo::encode`] takes them.
pub fn slices(batch: &[Vec<String>]) -> Vec<&[String]> {
    batch.iter().map(Vec::as_slice).collect()
}

/// Names, shapes and bytes of tensors.
type Tensors = Vec<(String, Vec<usize>, Vec<u8>)>;

/// A copy of the tiny ELMo whose options or weights a test may damage.
pub struct TinyCopy {
    folder: tempfile::TempDir,
}

impl TinyCopy {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["options.json", "weights.hdf5"] {
            fs::copy(tiny().join(name), folder.path().join(name)).unwrap();
        }
        Self { folder }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn load(&self) -> Result<Elmo, EncoderError> {
        Elmo::load_dir(self.path(), &cpu_device())
    }

    /// A copy whose language model has one layer.
    pub fn with_one_layer() -> Self {
        let copy = Self::new();
        copy.change_tensors(|tensors| tensors.retain(|(name, ..)| !name.contains("Cell1")));
        copy.set_option("/lstm/n_layers", 1.into());
        copy
    }

    /// Converts the weights, then changes names, shapes and bytes of their tensors.
    pub fn change_tensors(&self, change: impl Fn(&mut Tensors)) {
        let dir = self.path();
        let path = dir.join("weights.safetensors");
        Elmo::convert(&dir.join("options.json"), &dir.join("weights.hdf5"), dir).unwrap();
        let bytes = fs::read(&path).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let tensor = |(name, view): (&str, TensorView)| (name.into(), view.shape().to_vec(), view.data().to_vec());
        let mut tensors: Tensors = tensors.iter().map(tensor).collect();
        change(&mut tensors);
        let views =
            tensors.iter().map(|(name, shape, data)| (name, TensorView::new(Dtype::F32, shape.clone(), data).unwrap()));
        fs::write(&path, safetensors::serialize(views, None).unwrap()).unwrap();
    }

    /// Changes the option at `pointer`.
    pub fn set_option(&self, pointer: &str, value: Value) {
        let path = self.path().join("options.json");
        let mut options: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        *options.pointer_mut(pointer).unwrap() = value;
        fs::write(&path, options.to_string()).unwrap();
    }
}

/// The error after a change of the option at `pointer`.
pub fn error_with_option(pointer: &str, value: Value) -> EncoderError {
    let copy = TinyCopy::new();
    copy.set_option(pointer, value);
    copy.load().expect_err(pointer)
}

/// The error after a change of the converted weights.
pub fn error_with_tensors(change: impl Fn(&mut Tensors)) -> EncoderError {
    let copy = TinyCopy::new();
    copy.change_tensors(change);
    copy.load().unwrap_err()
}
