//! The tiny ELMo against the reference values that `generate.py` computes in double precision.

use std::{collections::HashMap, fs};

use cman_encoder::{Elmo, ElmoState, EncoderError};
use safetensors::{Dtype, SafeTensors};

use crate::{
    common::{cpu_device, cpu_devices},
    fixture::{load_tiny, max_difference, slices, tiny},
};

struct Reference {
    batches: Vec<Vec<Vec<String>>>,
    expected: HashMap<String, Vec<f64>>,
}

impl Reference {
    fn read() -> Self {
        let bytes = fs::read(tiny().join("expected.safetensors")).unwrap();
        let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
        let batches = serde_json::from_str(&metadata.metadata().as_ref().unwrap()["batches"]).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let values = |data: &[u8]| data.as_chunks().0.iter().map(|&bytes| f64::from_le_bytes(bytes)).collect();
        let expected = tensors.iter().map(|(name, tensor)| {
            assert_eq!(tensor.dtype(), Dtype::F64);
            (name.to_owned(), values(tensor.data()))
        });
        Self { batches, expected: expected.collect() }
    }
}

fn check(elmo: &Elmo) {
    let Reference { batches, mut expected } = Reference::read();
    let mut check = |name: String, found: &[f32]| match expected.remove(&name) {
        Some(expected) => {
            let difference = max_difference(found, expected.into_iter());
            assert!(difference < 5e-6, "{name}: {difference:e}");
        }
        None => assert!(found.is_empty(), "{name}"),
    };
    let mut state = ElmoState::default();
    for (b, batch) in batches.iter().enumerate() {
        let alone = elmo.encode(&slices(batch));
        let carried = elmo.encode_with_state(&slices(batch), &mut state);
        for i in 0..batch.len() {
            assert_eq!(carried[i].len(), batch[i].len() * 3 * 12);
            check(format!("alone.{b}.{i}"), &alone[i]);
            check(format!("carried.{b}.{i}"), &carried[i]);
        }
    }
    assert!(expected.is_empty(), "never compared: {:?}", expected.keys());
}

#[test]
fn elmo_equals_the_reference() {
    for device in cpu_devices() {
        let elmo = Elmo::load_dir(&tiny(), &device).unwrap();
        assert_eq!((elmo.n_layers(), elmo.width()), (3, 12));
        check(&elmo);
        check(&elmo.with_word_cache(0));
    }
}

#[test]
fn elmo_converts_to_safetensors() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("converted");
    Elmo::convert(&tiny().join("options.json"), &tiny().join("weights.hdf5"), &dir).unwrap();
    let mut names: Vec<_> = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["options.json", "weights.safetensors"]);
    let (from_hdf5, converted) = (load_tiny(), Elmo::load_dir(&dir, &cpu_device()).unwrap());
    check(&converted);
    let sentence: &[&str] = &["The", "same", "bits", "."];
    assert_eq!(from_hdf5.encode(&[sentence]), converted.encode(&[sentence]));

    let path = dir.join("weights.safetensors");
    let bytes = fs::read(&path).unwrap();
    for length in [0, 7, 100, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&path, &bytes[..length]).unwrap();
        let error = Elmo::load_dir(&dir, &cpu_device()).unwrap_err();
        assert!(matches!(error, EncoderError::Format { .. }), "{length} bytes: {error}");
    }
}
