//! Files that are damaged or contradict each other are refused; the error names the file and the reason.

use std::fs;

use cman_encoder::{Elmo, EncoderError};
use serde_json::json;

use crate::{
    common::cpu_device,
    fixture::{TinyCopy, error_with_option, error_with_tensors, tiny},
};

#[test]
fn elmo_refuses_damaged_hdf5() {
    let copy = TinyCopy::new();
    let path = copy.path().join("weights.hdf5");
    let bytes = fs::read(&path).unwrap();
    for length in [0, 7, 8, 95, 96, 500, 2048, 10_000, bytes.len() / 2, bytes.len() - 100, bytes.len() - 1] {
        fs::write(&path, &bytes[..length]).unwrap();
        let error = copy.load().unwrap_err();
        assert!(matches!(error, EncoderError::Format { .. }), "{length} bytes: {error}");
        assert!(error.to_string().contains("weights.hdf5"), "{error}");
    }
    // A changed byte may change a value, but must not crash the reader.
    for i in (0..bytes.len()).step_by(61) {
        let mut changed = bytes.clone();
        changed[i] ^= 0xa5;
        fs::write(&path, changed).unwrap();
        if let Ok(elmo) = copy.load() {
            assert_eq!(elmo.encode(&[&["a"]])[0].len(), 3 * 12);
        }
    }
    fs::write(&path, "not weights at all, but long enough to look for a header in it").unwrap();
    assert!(matches!(copy.load().unwrap_err(), EncoderError::Format { .. }));
    fs::remove_file(&path).unwrap();
    assert!(copy.load().unwrap_err().to_string().contains("found none"));
    let missing = Elmo::load(&tiny().join("options.json"), &path, &cpu_device()).unwrap_err();
    assert!(matches!(missing, EncoderError::Io { .. }), "{missing}");
}

#[test]
fn elmo_names_a_missing_or_misshapen_tensor() {
    let names = ["char_embed", "CNN/b_cnn_1", "CNN_high_0/W_carry", "CNN_proj/W_proj"];
    for name in names.into_iter().chain(["RNN_1/RNN/MultiRNNCell/Cell0/LSTMCell/W_P_0"]) {
        let missing = error_with_tensors(|tensors| tensors.retain(|(other, ..)| other != name));
        assert!(matches!(&missing, EncoderError::MissingTensor { tensor, .. } if tensor == name), "{missing}");
    }
    let transposed = error_with_tensors(|tensors| {
        tensors.iter_mut().find(|(name, ..)| name == "CNN_proj/W_proj").unwrap().1.reverse();
    });
    match &transposed {
        EncoderError::Shape { tensor, expected, found, .. } => {
            assert_eq!((tensor.as_str(), &expected[..], &found[..]), ("CNN_proj/W_proj", &[16, 6][..], &[6, 16][..]));
        }
        other => panic!("{other}"),
    }
    let flat = error_with_tensors(|tensors| {
        let embedding = tensors.iter_mut().find(|(name, ..)| name == "char_embed").unwrap();
        embedding.1 = vec![261 * 3];
    });
    assert!(matches!(flat, EncoderError::Shape { .. }), "{flat}");
    let not_a_number = error_with_tensors(|tensors| {
        tensors[0].2[..4].copy_from_slice(&f32::NAN.to_le_bytes());
    });
    assert!(not_a_number.to_string().contains("value 0 is NaN"), "{not_a_number}");
}

#[test]
fn elmo_refuses_options_that_contradict_the_weights() {
    for (pointer, value, field) in [
        ("/lstm/dim", 21, "lstm.dim"),
        ("/lstm/projection_dim", 8, "lstm.projection_dim"),
        ("/lstm/n_layers", 1, "lstm.n_layers"),
        ("/lstm/n_layers", 3, "lstm.n_layers"),
        ("/char_cnn/embedding/dim", 4, "char_cnn.embedding.dim"),
        ("/char_cnn/n_characters", 261, "char_cnn.n_characters"),
        ("/char_cnn/n_highway", 2, "char_cnn.n_highway"),
        ("/char_cnn/n_highway", 0, "char_cnn.n_highway"),
        ("/char_cnn/filters/1/0", 3, "char_cnn.filters[1][0]"),
        ("/char_cnn/filters/2/1", 9, "char_cnn.filters[2][1]"),
        // Values that no weights can agree with.
        ("/lstm/dim", 0, "lstm.dim"),
        ("/char_cnn/max_characters_per_token", 2, "char_cnn.max_characters_per_token"),
        ("/char_cnn/max_characters_per_token", 3, "char_cnn.filters"),
        ("/lstm/cell_clip", -1, "lstm.cell_clip"),
    ] {
        match error_with_option(pointer, value.into()) {
            EncoderError::Options { path, field: named, expected, found } => {
                assert!(path.ends_with("options.json") && named == field, "{pointer}: {named}");
                assert!(!expected.is_empty() && !found.is_empty());
            }
            other => panic!("{pointer}: {other}"),
        }
    }
    let filters = error_with_option("/char_cnn/filters", json!([[1, 4], [2, 5]]));
    assert!(filters.to_string().contains("filters': expected 3 as in"), "{filters}");
    let activation = error_with_option("/char_cnn/activation", "gelu".into());
    assert!(activation.to_string().contains("unknown variant `gelu`, expected `relu` or `tanh`"), "{activation}");
}
